//! Checkpoint folders of readers and encoders, every file of them.

use crate::ground::{Ground, project};
use crate::input::{Input, Random, text_of};
use crate::mutate;
use rand::Rng;
use rand::seq::IndexedRandom;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// Parts of a tokenizer that others have and ours has not.
const NORMALIZERS: [&str; 8] = [
    r#"{"type":"Precompiled","precompiled_charsmap":""}"#,
    r#"{"type":"Precompiled","precompiled_charsmap":"/////w=="}"#,
    r#"{"type":"Replace","pattern":{"String":""},"content":"xx"}"#,
    r#"{"type":"Replace","pattern":{"Regex":"(a*)*b"},"content":"x"}"#,
    r#"{"type":"Replace","pattern":{"Regex":"("},"content":"x"}"#,
    r#"{"type":"Sequence","normalizers":[{"type":"Replace","pattern":{"String":"e"},"content":"eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee"},{"type":"Replace","pattern":{"String":"e"},"content":"eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee"},{"type":"Replace","pattern":{"String":"e"},"content":"eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee"},{"type":"Replace","pattern":{"String":"e"},"content":"eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee"}]}"#,
    r#"{"type":"Prepend","prepend":""}"#,
    r#"{"type":"Nothing"}"#,
];
const PRE_TOKENIZERS: [&str; 5] = [
    r#"{"type":"FixedLength","length":0}"#,
    r#"{"type":"Split","pattern":{"Regex":""},"behavior":"Isolated","invert":false}"#,
    r#"{"type":"Split","pattern":{"Regex":"(x+x+)+y"},"behavior":"Removed","invert":true}"#,
    r#"{"type":"Sequence","pretokenizers":[]}"#,
    r#"{"type":"Metaspace","replacement":"","prepend_scheme":"always"}"#,
];
const POST_PROCESSORS: [&str; 3] = [
    r#"{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"nope","type_id":0}}],"pair":[],"special_tokens":{}}"#,
    r#"{"type":"TemplateProcessing","single":[],"pair":[],"special_tokens":{}}"#,
    r#"{"type":"BertProcessing","sep":["x",4294967295],"cls":["x",4294967295]}"#,
];

/// Templates, each an example of a kind.
const TEMPLATES: [&str; 16] = [
    "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "{% for i in range(1099511627776) %}{% endfor %}",
    "{{ 99999999999999999999999999999999999999999 }}",
    "{{ 'x' * 9999999999 }}",
    "{{ '%9999999999d' % 1 }}",
    "{{ '%999999999s'|format('x') }}",
    "{{ messages|tojson(indent=4294967295) }}",
    "{% set ns = namespace(x=[]) %}{% set ns.x = [ns, ns] %}{{ ns }}",
    "{% include 'chat_template' %}",
    "{% for a in 'aaaaaaaaaa' %}{% for b in range(100000) %}{{ 'aaaaaaaaaaaaaaaaaaaaaaaaaaaa' }}{% endfor %}{% endfor %}",
    "{{ raise_exception('\u{1b}]52;c;Zm9v\u{7}\u{202e}') }}",
    "{{ range(1099511627776)|list|length }}",
    "{{ ('a'*1000000)|replace('a', 'a'*1000000) }}",
    "{{ [1]*4294967295 }}",
    "{{ 9223372036854775807 + 1 }}{{ 1 // 0 }}{{ 1 % 0 }}{{ 2 ** 9999 }}",
    "{{ messages[0].content.split('').join('x').zfill(9999999999).center(9999999999) }}",
];

/// A reader whose settings, tokenizer, template or weights are changed: predict, doctor.
pub fn reader(random: &mut Random, ground: &Ground, folder: &Path) -> Input {
    let fixtures = project().join("tests/fixtures");
    let checkpoints = [
        Ground::reader(),
        Ground::reader(),
        Ground::reader(),
        fixtures.join("readers/qwen2_vl/checkpoint"),
        fixtures.join("readers/qwen3_vl/checkpoint"),
        fixtures.join("readers/llava/checkpoint"),
        fixtures.join("readers/smolvlm/checkpoint"),
        fixtures.join("readers/gemma3/checkpoint"),
        fixtures.join("readers/internvl/checkpoint"),
        fixtures.join("readers/paligemma/checkpoint"),
        fixtures.join("readers/gguf/qwen2_vl/checkpoint"),
        fixtures.join("readers/gguf/gemma3/checkpoint"),
    ];
    let original = checkpoints.choose(random).unwrap();
    let (model, what) = changed(random, original, folder);
    let (dataset, encoder) = (ground.dataset(), Ground::encoder());
    let arguments = ["predict", text_of(&dataset), "--run", "x", "--encoder", text_of(&encoder), "--limit", "2"];
    Input::new(what, &[&arguments[..], &["--reader", &model, "--workspace", text_of(&folder.join("ws"))]].concat())
}

/// An encoder of any family: index.
pub fn encoder(random: &mut Random, ground: &Ground, folder: &Path) -> Input {
    let fixtures = project().join("tests/fixtures/dual_encoders");
    let names = ["siglip", "siglip2", "siglip2_naflex", "jina_clip", "open_clip", "open_clip_custom", "biomed_clip"];
    let original = if random.random() { Ground::encoder() } else { fixtures.join(names.choose(random).unwrap()) };
    let (model, what) = changed(random, &original, folder);
    let (dataset, workspace) = (ground.dataset(), folder.join("ws"));
    Input::new(what, &["index", text_of(&dataset), "--encoder", &model, "--workspace", text_of(&workspace)])
}

/// A copy of a checkpoint with one file changed, and what was changed.
fn changed(random: &mut Random, original: &Path, folder: &Path) -> (String, String) {
    let model = folder.join("model");
    fs::create_dir(&model).unwrap();
    let mut files = Vec::new();
    for entry in fs::read_dir(original).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() && path.file_name().unwrap() != "expected.json" {
            // Links cost nothing; the changed file takes the place of one.
            symlink(&path, model.join(path.file_name().unwrap())).unwrap();
            files.push(path);
        }
    }
    files.sort();
    let file = files.choose(random).unwrap().clone();
    let name = file.file_name().unwrap().to_str().unwrap().to_string();
    let (content, what) = match name.as_str() {
        name if name.rsplit('.').next() == Some("safetensors") => weights(random, &file),
        "tokenizer.json" => tokenizer(random, &file),
        "chat_template.jinja" => template(random, &file),
        name if name.rsplit('.').next() == Some("json") => {
            let (text, what) = mutate::json(random, &fs::read_to_string(&file).unwrap());
            (text.into_bytes(), what)
        }
        _ => {
            let mut content = fs::read(&file).unwrap();
            // The header is at the beginning.
            let mut head: Vec<u8> = content.drain(..content.len().min(3000)).collect();
            let what = mutate::bytes(random, &mut head);
            (head.into_iter().chain(content).collect(), what)
        }
    };
    fs::remove_file(model.join(&name)).unwrap();
    fs::write(model.join(&name), content).unwrap();
    (text_of(&model).to_string(), format!("{}/{name} {what}", original.file_name().unwrap().display()))
}

/// Changes the header of a safetensors file, or its bytes.
fn weights(random: &mut Random, file: &PathBuf) -> (Vec<u8>, String) {
    let mut content = fs::read(file).unwrap();
    let length = u64::from_le_bytes(content[..8].try_into().unwrap()) as usize;
    match random.random_range(0..4) {
        0 => {
            let lengths = [0, 1, u64::MAX, 1 << 40, content.len() as u64, 100 << 20];
            let wrong = *lengths.choose(random).unwrap();
            content[..8].copy_from_slice(&wrong.to_le_bytes());
            (content, format!("header of {wrong} bytes"))
        }
        1 => {
            let what = mutate::bytes(random, &mut content);
            (content, what)
        }
        _ => {
            let header = String::from_utf8(content[8..8 + length].to_vec()).unwrap();
            let (header, what) = mutate::json(random, &header);
            let mut file = (header.len() as u64).to_le_bytes().to_vec();
            file.extend(header.into_bytes());
            file.extend(&content[8 + length..]);
            (file, format!("header {what}"))
        }
    }
}

fn tokenizer(random: &mut Random, file: &PathBuf) -> (Vec<u8>, String) {
    let text = fs::read_to_string(file).unwrap();
    let (part, values): (&str, &[&str]) = match random.random_range(0..4) {
        0 => ("normalizer", &NORMALIZERS),
        1 => ("pre_tokenizer", &PRE_TOKENIZERS),
        2 => ("post_processor", &POST_PROCESSORS),
        _ => {
            let (text, what) = mutate::json(random, &text);
            return (text.into_bytes(), what);
        }
    };
    let hostile = *values.choose(random).unwrap();
    let mut value: serde_json::Value = serde_json::from_str(&text).unwrap();
    value[part] = serde_json::from_str(hostile).unwrap();
    (value.to_string().into_bytes(), format!("{part} = {}", hostile.chars().take(70).collect::<String>()))
}

fn template(random: &mut Random, file: &PathBuf) -> (Vec<u8>, String) {
    match random.random_range(0..5) {
        0 => {
            let mut content = fs::read(file).unwrap();
            let what = mutate::bytes(random, &mut content);
            (content, what)
        }
        1 => {
            let depth = random.random_range(10..30_000);
            let (open, close) =
                *[("(", ")"), ("[", "]"), ("not ", ""), ("-", ""), ("x.", "x"), ("x|", "x"), ("{'a':", "}")]
                    .choose(random)
                    .unwrap();
            let text = format!("{{{{ {}1{} }}}}", open.repeat(depth), close.repeat(depth));
            (text.into_bytes(), format!("{depth} times {open:?}"))
        }
        _ => {
            let text = *TEMPLATES.choose(random).unwrap();
            (text.as_bytes().to_vec(), text.escape_debug().to_string())
        }
    }
}
