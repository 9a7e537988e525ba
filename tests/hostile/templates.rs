//! Chat templates that never end within the engine's own count of steps: a process of ours renders them and is ended.

use crate::support::fixtures;
use crate::support::patience::wait_until;
#[cfg(target_os = "linux")]
use crate::support::program::PROGRAM;
use crate::support::world::World;
use dissent::model::chat::{ChatTemplate, RENDERING_SUBCOMMAND, use_program};
#[cfg(target_os = "linux")]
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Lists and objects that are small to write and endless to walk through, and what walks through them.
fn endless_templates() -> Vec<String> {
    let doubled = format!("{{% set a=[1] %}}{}", "{% set a=a+a %}".repeat(50));
    let nested = format!("{{% set a=[1] %}}{{% set b=[1] %}}{}", "{% set a=[a,a] %}{% set b=[b,b] %}".repeat(60));
    let objects = format!("{{% set a={{'k':1}} %}}{}", "{% set a={'k':a,'l':a} %}".repeat(60));
    let walks: [(&str, &[&str]); 3] = [
        (&doubled, &["{{ a|length }}", "{{ a[-1] }}", "{{ 2 in a }}", "{% if a %}x{% endif %}{{ a|last }}"]),
        (&nested, &["{{ a|tojson }}", "{{ a==b }}", "{{ a<b }}"]),
        (&objects, &["{{ a }}"]),
    ];
    walks.iter().flat_map(|(values, walks)| walks.iter().map(move |walk| format!("{values}{walk}"))).collect()
}

/// The template, rendered by processes of the real program.
fn template(source: &str) -> anyhow::Result<ChatTemplate> {
    use_program(PathBuf::from(PROGRAM));
    let folder = tempfile::tempdir()?;
    fs::write(folder.path().join("chat_template.jinja"), source)?;
    Ok(ChatTemplate::read(folder.path())?.unwrap())
}

#[test]
fn endless_renderings_are_ended_with_one_line() {
    for two in endless_templates().chunks(2) {
        std::thread::scope(|scope| {
            for source in two {
                scope.spawn(move || {
                    let error = template(source).unwrap().render(&json!([]), true).unwrap_err();
                    let message = format!("{error:#}");
                    let reason = "/chat_template.jinja: rendering it takes more than";
                    assert!(message.contains(reason), "{source}: {message}");
                    assert!(!message.contains('\n'), "{source}: {message}");
                });
            }
        });
    }
}

#[test]
fn predict_names_the_file_and_the_limit() {
    let world = World::new();
    let source = format!("{{% set a=[1] %}}{}{{{{ a|length }}}}", "{% set a=a+a %}".repeat(50));
    fs::write(world.path("checkpoints/reader/chat_template.jinja"), source).unwrap();
    let outcome = world.predict();
    outcome.fails_with(&["reader/chat_template.jinja: rendering it takes more than 3 s of CPU time"]);
    assert_eq!(outcome.stderr.lines().filter(|line| line.contains("error")).count(), 1, "{outcome:#?}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_signal_during_an_endless_rendering_ends_the_program_and_the_process() {
    let world = World::new();
    fs::write(world.path("checkpoints/reader/chat_template.jinja"), &endless_templates()[0]).unwrap();
    let mut command = world.command(&["predict", "DATASET", "--run", "r", "--split", "test", "--device", "cpu"]);
    let mut program = command.stderr(Stdio::piped()).spawn().unwrap();
    let id = Pid::from_raw(i32::try_from(program.id()).unwrap());
    let mut process = None;
    wait_until("a template is rendered", || {
        assert!(program.try_wait().unwrap().is_none(), "it ended before a template was rendered");
        process = child_of(id);
        process.is_some()
    });
    let process = process.unwrap();
    kill(id, Signal::SIGTERM).unwrap();
    let output = program.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(130), "{said}");
    assert!(said.contains("interrupted; the work did not stop within "), "{said}");
    // It sees the end of its pipe. Nobody may have asked yet how it ended: then it is a zombie.
    wait_until("the process has ended", || {
        !fs::read_to_string(format!("/proc/{process}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
    });
}

#[cfg(target_os = "linux")]
fn child_of(parent: Pid) -> Option<Pid> {
    let numbers = fs::read_dir("/proc").unwrap().filter_map(|entry| entry.unwrap().file_name().to_str()?.parse().ok());
    let is_child = |number: &i32| {
        // It may have ended meanwhile.
        let status = fs::read_to_string(format!("/proc/{number}/status")).unwrap_or_default();
        status.lines().any(|line| line.strip_prefix("PPid:").is_some_and(|found| found.trim() == parent.to_string()))
    };
    numbers.into_iter().find(is_child).map(Pid::from_raw)
}

#[test]
fn a_panic_of_the_engine_is_one_error() {
    let world = World::new();
    let source = "{% for i in [1] %}{{ loop.cycle() }}{% endfor %}";
    fs::write(world.path("checkpoints/reader/chat_template.jinja"), source).unwrap();
    let outcome = world.predict();
    outcome.fails_with(&["reader/chat_template.jinja: the template engine panicked (", "divisor of zero"]);
    assert!(!outcome.stderr.contains("internal error"), "{outcome:#?}");
}

#[test]
fn after_a_rendering_that_was_ended_the_next_one_works() {
    let source = "{% if messages %}{% set ns=namespace(v=[1]) %}{% for i in range(50) %}{% set ns.v=ns.v+ns.v %}{% endfor %}{{ ns.v|length }}{% else %}fine{% endif %}";
    let template = template(source).unwrap();
    for _ in 0..2 {
        assert_eq!(template.render(&json!([]), true).unwrap(), "fine");
        let message = template.render(&json!([1]), true).unwrap_err().to_string();
        assert!(message.ends_with("rendering it takes more than 3 s of CPU time"), "{message}");
    }
}

#[test]
fn memory_has_a_limit() {
    // Ten thousand times the same 100 KB: one text in memory until it is written out.
    let source = format!("{{% set a='x'*100000 %}}{}{{{{ a|tojson }}}}", "{% set a=[a,a,a,a,a,a,a,a,a,a] %}".repeat(4));
    let message = template(&source).unwrap().render(&json!([]), true).unwrap_err().to_string();
    assert!(message.ends_with("rendering it takes more than 768 MiB of memory"), "{message}");
}

#[test]
fn both_ways_to_render_give_the_same_bytes() {
    let folders = folders_with_templates(&fixtures::path(""));
    assert!(folders.len() >= 9, "{folders:?}");
    let text = "Is it “benign”?\n\u{2028} é 肺 🫁 \u{1} <s>[IMG] {{ x }} \\ \"";
    let content = json!([{"type": "image"}, {"type": "text", "text": text, "content": text}]);
    let conversations = [
        json!([{"role": "user", "content": content}]),
        json!([{"role": "user", "content": content}, {"role": "assistant", "content": "Yes"}]),
        json!([{"role": "system", "content": text}, {"role": "user", "content": content}]),
        json!([{"role": "assistant", "content": content}, {"role": "assistant", "content": content}]),
        json!([]),
    ];
    // From the first call of `use_program` on, templates of checkpoints are rendered in another process; a built-in
    // one never is.
    for folder in folders {
        let read = {
            use_program(PathBuf::from(PROGRAM));
            ChatTemplate::read(&folder).unwrap().unwrap()
        };
        let here = ChatTemplate::built_in(read.source(), &folder).unwrap();
        let mut printed = 0;
        for messages in &conversations {
            for asks in [true, false] {
                let [one, other] = [&read, &here].map(|template| outcome(template, messages, asks));
                assert_eq!(one, other, "{}", folder.display());
                printed += usize::from(one.is_ok());
            }
        }
        assert!(printed > 0, "{}", folder.display());
    }
}

/// The text, or the message without the name of the file.
fn outcome(template: &ChatTemplate, messages: &Value, asks: bool) -> Result<String, String> {
    let rendered = template.render(messages, asks);
    rendered.map_err(|error| error.to_string().split_once(": ").map(|(_, reason)| reason.to_string()).unwrap())
}

fn folders_with_templates(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(folders_with_templates(&path));
        } else if ["chat_template.jinja", "chat_template.json"].iter().any(|name| path.ends_with(name)) {
            found.push(folder.to_path_buf());
        }
    }
    found
}

#[test]
fn the_process_ends_with_its_owner_also_in_the_middle_of_a_rendering() {
    for (template, request) in [("fine", None), (endless_templates()[0].as_str(), Some("{}"))] {
        let mut process = rendering_process();
        let mut requests = process.stdin.take().unwrap();
        let mut answers = BufReader::new(process.stdout.take().unwrap());
        writeln!(requests, "{}", json!(template)).unwrap();
        let mut answer = String::new();
        answers.read_line(&mut answer).unwrap();
        assert_eq!(answer, "{\"Ok\":\"\"}\n");
        if let Some(request) = request {
            writeln!(requests, "{request}").unwrap();
        }
        drop(requests);
        // By its own choice, not by a limit of time, which is a signal.
        assert_eq!(process.wait().unwrap().code(), Some(0));
    }
}

fn rendering_process() -> Child {
    let mut command = Command::new(PROGRAM);
    command.arg(RENDERING_SUBCOMMAND).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap()
}
