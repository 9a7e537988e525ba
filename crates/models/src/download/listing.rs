//! Selects the files of a model to download: those that a loader reads, but no pickles.

use super::checksum::Checksum;
use super::client::{Hub, HubError};
use crate::model::hub::HubId;
use dissent_core::files::input_file;
use reqwest::Method;
use reqwest::header::{CONTENT_LENGTH, ETAG, HeaderMap};
use serde::Deserialize;
use std::path::Path;
use std::time::Duration;
use tokio::time::timeout;

/// Longest list of files in bytes: a list of a hundred thousand files has 10 MB.
const LONGEST_LIST: usize = 16 << 20;
/// Most files of a model. The largest public ones have some hundred shards.
const MOST_FILES: usize = 1000;
/// Longest file name in bytes; file systems allow 255, and `.incomplete` may follow.
const LONGEST_NAME: usize = 200;
/// Largest model in bytes, a thousand times the largest public ones.
const LARGEST_MODEL: u64 = 1 << 50;
/// Time limit for the whole list of files, even if data arrives steadily.
const LIST_WITHIN: Duration = Duration::from_secs(15);
/// Time limit for sizes and checksums of all files, one request each.
const HEADERS_WITHIN: Duration = Duration::from_secs(300);

/// Files other than the weights.
const SETTINGS: [&str; 17] = [
    "config.json",
    "generation_config.json",
    "open_clip_config.json",
    "preprocessor_config.json",
    "processor_config.json",
    "chat_template.json",
    "chat_template.jinja",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "vocab.txt",
    "merges.txt",
    "adapter_config.json",
    "model.safetensors.index.json",
    "adapter_model.safetensors",
];
const SINGLE: &str = "model.safetensors";
const OPEN_CLIP: [&str; 2] = ["open_clip_model.safetensors", "open_clip_pytorch_model.safetensors"];

/// A file on the hub.
#[derive(Clone, Debug)]
pub(super) struct Remote {
    pub name: String,
    pub size: u64,
    pub checksum: Checksum,
}

#[derive(Deserialize)]
struct Listing {
    sha: String,
    siblings: Vec<Sibling>,
}

#[derive(Deserialize)]
struct Sibling {
    rfilename: String,
}

/// The commit of the model's revision, and its needed files with their sizes and checksums.
///
/// # Errors
/// Fails if the hub exceeds the limits of this file or sends an invalid list.
pub(super) async fn list(hub: &Hub, id: &HubId) -> Result<(String, Vec<Remote>), HubError> {
    let broken = |reason: String| HubError::Broken { place: id.to_string(), reason: hub.shown(&reason) };
    let late = |what: &str, within: Duration| broken(format!("{what} did not come within {} s", within.as_secs()));
    let asked = timeout(LIST_WITHIN, ask_list(hub, id)).await;
    let listing = asked.map_err(|_| late("its list of files", LIST_WITHIN))??;
    if listing.sha.len() != 40 || !listing.sha.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(broken(format!("the hub's list of files: expected a commit, found '{}'", listing.sha)));
    }
    let names: Vec<String> = listing.siblings.into_iter().map(|sibling| sibling.rfilename).collect();
    let wanted = needed(&names).map_err(broken)?;
    let asked = timeout(HEADERS_WITHIN, ask_headers(hub, id, &listing.sha, wanted)).await;
    let files = asked.map_err(|_| late("sizes and checksums of its files", HEADERS_WITHIN))??;
    Ok((listing.sha, files))
}

async fn ask_list(hub: &Hub, id: &HubId) -> Result<Listing, HubError> {
    let address = hub.address(&["api", "models", id.organisation(), id.name(), "revision", id.revision()]);
    let mut answer = hub.ask(Method::GET, address, 0, false).await?;
    let broken = |reason: String| HubError::Broken { place: id.to_string(), reason: hub.shown(&reason) };
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| broken(hub.reason_of(&error)))? {
        if body.len() + chunk.len() > LONGEST_LIST {
            return Err(broken(format!("its list of files is longer than {LONGEST_LIST} bytes")));
        }
        body.extend_from_slice(&chunk);
    }
    input_file::text(&body)
        .map_err(|error| error.to_string())
        .and_then(|text| serde_json::from_str(text).map_err(|error| error.to_string()))
        .map_err(|error| broken(format!("the hub's list of files: {error}")))
}

async fn ask_headers(hub: &Hub, id: &HubId, commit: &str, names: Vec<String>) -> Result<Vec<Remote>, HubError> {
    let broken = |reason: String| HubError::Broken { place: id.to_string(), reason: hub.shown(&reason) };
    let mut files = Vec::with_capacity(names.len());
    let mut total = 0_u64;
    for name in names {
        let address = hub.address(&[id.organisation(), id.name(), "resolve", commit, &name]);
        let answer = hub.ask(Method::HEAD, address, 0, true).await?;
        let (size, checksum) = what_headers_say(answer.headers())
            .ok_or_else(|| broken(format!("{name}: the hub gives no size and checksum (X-Linked-ETag or ETag)")))?;
        // This bounds the sum of the sizes, which later code relies on.
        total = total.checked_add(size).filter(|total| *total <= LARGEST_MODEL).ok_or_else(|| {
            broken(format!("{name}: the hub gives {size} bytes, a model has {LARGEST_MODEL} at most"))
        })?;
        files.push(Remote { name, size, checksum });
    }
    Ok(files)
}

/// Size and checksum of a file. Large files are stored elsewhere, so the headers for the linked file take precedence.
fn what_headers_say(headers: &HeaderMap) -> Option<(u64, Checksum)> {
    let text = |name: &str| headers.get(name)?.to_str().ok();
    let checksum = Checksum::of_tag(text("x-linked-etag").or_else(|| text(ETAG.as_str()))?)?;
    let size = text("x-linked-size").or_else(|| text(CONTENT_LENGTH.as_str()))?;
    Some((size.trim().parse().ok()?, checksum))
}

/// The names of the needed files: settings, and weights in the preferred format.
fn needed(names: &[String]) -> Result<Vec<String>, String> {
    let has = |wanted: &str| names.iter().any(|name| name == wanted);
    let is_shard = |name: &str| name.starts_with("model-") && has_extension(name, &["safetensors"]);
    let weights: Vec<&String> = if has(SINGLE) {
        names.iter().filter(|name| *name == SINGLE).collect()
    } else if has("model.safetensors.index.json") {
        names.iter().filter(|name| is_shard(name)).collect()
    } else {
        let first = OPEN_CLIP.iter().find(|name| has(name));
        names.iter().filter(|name| first.is_some_and(|first| name == first)).collect()
    };
    if weights.is_empty() && !has("adapter_model.safetensors") {
        let pickle = names.iter().find(|name| has_extension(name, &["bin", "pt", "ckpt"]));
        return Err(match pickle {
            Some(pickle) => format!(
                "its weights are pickles ({pickle}), which run the code that they hold and are not fetched; expected \
                 safetensors files"
            ),
            None => "expected model.safetensors or its shards, found no weights".into(),
        });
    }
    let settings = names.iter().filter(|name| SETTINGS.contains(&name.as_str()));
    let mut wanted: Vec<String> = settings.chain(weights).cloned().collect();
    // Only the name of a shard can be a path; the other names are fixed.
    if let Some(name) = wanted.iter().find(|name| !is_plain(name)) {
        return Err(format!("the hub's list of files: expected the name of a file, found '{name}'"));
    }
    wanted.sort();
    wanted.dedup();
    if wanted.len() > MOST_FILES {
        return Err(format!("expected at most {MOST_FILES} files to fetch, the hub lists {}", wanted.len()));
    }
    Ok(wanted)
}

fn has_extension(name: &str, wanted: &[&str]) -> bool {
    Path::new(name).extension().is_some_and(|extension| wanted.iter().any(|wanted| extension == *wanted))
}

/// True if `name` is a plain file name with characters that are safe for terminals and file systems.
fn is_plain(name: &str) -> bool {
    let letters = name.chars().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.' | '+'));
    letters && !name.starts_with('.') && !name.is_empty() && name.len() <= LONGEST_NAME
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_string).collect()
    }

    #[test]
    fn what_a_loader_reads_is_fetched_and_nothing_else() {
        let files = names(
            "README.md .gitattributes config.json tokenizer.json consolidated.safetensors pytorch_model.bin onnx/model.onnx \
             model-00001-of-00002.safetensors model-00002-of-00002.safetensors model.safetensors.index.json modeling.py",
        );
        let expected = names(
            "config.json model-00001-of-00002.safetensors model-00002-of-00002.safetensors model.safetensors.index.json \
             tokenizer.json",
        );
        assert_eq!(needed(&files).unwrap(), expected);
        let single = names("config.json model.safetensors model.fp16.safetensors");
        assert_eq!(needed(&single).unwrap(), names("config.json model.safetensors"));
        let adapter = names("adapter_config.json adapter_model.safetensors adapter_model.bin");
        assert_eq!(needed(&adapter).unwrap(), names("adapter_config.json adapter_model.safetensors"));
    }

    #[test]
    fn pickles_and_names_that_lead_elsewhere_are_refused() {
        assert!(needed(&names("config.json pytorch_model.bin")).unwrap_err().contains("pytorch_model.bin"));
        assert!(needed(&names("config.json")).unwrap_err().contains("no weights"));
        let long = format!("model-{}.safetensors", "x".repeat(200));
        for name in
            ["model-/../../../x.safetensors", "model-\\..\\x.safetensors", "model-\u{1b}]52;.safetensors", &long]
        {
            let hostile = [&names("model.safetensors.index.json")[..], &[name.to_string()]].concat();
            assert!(needed(&hostile).unwrap_err().contains("expected the name of a file"), "{name}");
        }
    }

    #[test]
    fn more_shards_than_any_model_has_are_refused() {
        let mut files = names("config.json model.safetensors.index.json");
        files.extend((0..200_000).map(|number| format!("model-{number}.safetensors")));
        assert!(needed(&files).unwrap_err().contains("at most 1000 files"));
    }
}
