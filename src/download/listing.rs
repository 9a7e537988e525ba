//! Which files of a model are fetched: what a loader reads, and no pickles.

use super::checksum::Checksum;
use super::client::{Hub, HubError};
use crate::model::hub::HubId;
use reqwest::Method;
use reqwest::header::{CONTENT_LENGTH, ETAG, HeaderMap};
use serde::Deserialize;
use std::path::{Component, Path};

/// A list of files is far smaller.
const LARGEST_LIST: usize = 16 << 20;

/// Beside the weights.
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

/// A file of the hub.
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

/// The commit of the model's revision and the files that are needed of it, each with what its header says.
pub(super) async fn list(hub: &Hub, id: &HubId) -> Result<(String, Vec<Remote>), HubError> {
    let place = id.to_string();
    let address = hub.address(&["api", "models", id.organisation(), id.name(), "revision", id.revision()]);
    let mut answer = hub.ask(Method::GET, address, 0, false).await?;
    let broken = |reason: String| HubError::Broken { place: place.clone(), reason };
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| broken(super::client::reason_of(&error)))? {
        if body.len() + chunk.len() > LARGEST_LIST {
            return Err(broken(format!("its list of files is longer than {LARGEST_LIST} bytes")));
        }
        body.extend_from_slice(&chunk);
    }
    let listing: Listing =
        serde_json::from_slice(&body).map_err(|error| broken(format!("the hub's list of files: {error}")))?;
    let is_commit = listing.sha.len() == 40 && listing.sha.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_commit {
        return Err(broken(format!("the hub's list of files: expected a commit, found '{}'", listing.sha)));
    }
    let names: Vec<String> = listing.siblings.into_iter().map(|sibling| sibling.rfilename).collect();
    let wanted = needed(&names).map_err(broken)?;
    let mut files = Vec::with_capacity(wanted.len());
    for name in wanted {
        let address = hub.address(&[id.organisation(), id.name(), "resolve", &listing.sha, &name]);
        let answer = hub.ask(Method::HEAD, address, 0, true).await?;
        let (size, checksum) = what_headers_say(answer.headers())
            .ok_or_else(|| broken(format!("{name}: the hub gives no size and checksum (X-Linked-ETag or ETag)")))?;
        files.push(Remote { name, size, checksum });
    }
    Ok((listing.sha, files))
}

/// Large files lie elsewhere, so what is said of the linked file counts.
fn what_headers_say(headers: &HeaderMap) -> Option<(u64, Checksum)> {
    let text = |name: &str| headers.get(name)?.to_str().ok();
    let checksum = Checksum::of_tag(text("x-linked-etag").or_else(|| text(ETAG.as_str()))?)?;
    let size = text("x-linked-size").or_else(|| text(CONTENT_LENGTH.as_str()))?;
    Some((size.trim().parse().ok()?, checksum))
}

/// The files to fetch: settings, and the weights that are read first where there are several.
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
    // A name that leads elsewhere is none of those above but a shard's could.
    if let Some(name) = wanted.iter().find(|name| !is_plain(name)) {
        return Err(format!("the hub's list of files: expected the name of a file, found '{name}'"));
    }
    wanted.sort();
    wanted.dedup();
    Ok(wanted)
}

fn has_extension(name: &str, wanted: &[&str]) -> bool {
    Path::new(name).extension().is_some_and(|extension| wanted.iter().any(|wanted| extension == *wanted))
}

fn is_plain(name: &str) -> bool {
    let mut parts = Path::new(name).components();
    matches!((parts.next(), parts.next()), (Some(Component::Normal(only)), None) if only == name)
        && !name.contains('\\')
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
        let hostile = names("model.safetensors.index.json model-/../../../x.safetensors");
        assert!(needed(&hostile).unwrap_err().contains("expected the name of a file"));
    }
}
