//! Whether kitty's images come through tmux: it must pass foreign sequences on (`allow-passthrough`), and every terminal that
//! is attached must draw kitty's placeholders. tmux itself says both, so nothing is sent to the terminal to find out.

use super::block_support::name_and_version;
use super::environment::{Environment, is_set};
use std::io::Read;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// tmux answers within a few milliseconds; a server that hangs must not keep the explorer from starting.
const TIME_OUT: Duration = Duration::from_millis(500);
const PAUSE: Duration = Duration::from_millis(2);
/// Of an attached terminal: its TERM, its own name and version, what tmux uses of it, and whether it takes UTF-8.
const CLIENT: &str = "#{client_termname}\t#{client_termtype}\t#{client_termfeatures}\t#{client_utf8}";
/// Terminals that draw Unicode placeholders, with the version that began to.
const PLACEHOLDERS: [(&str, (u32, u32)); 2] = [("kitty", (0, 28)), ("ghostty", (1, 0))];

/// What kitty's images need of tmux: `Ok` with what was found if all is there, else the reason why images are drawn with
/// characters. `None` outside tmux, or if screen or zellij is between as well.
pub fn kitty_images_in_tmux(environment: Environment) -> Option<Result<String, String>> {
    if !is_set(environment, "TMUX") || is_set(environment, "STY") || is_set(environment, "ZELLIJ") {
        return None;
    }
    let pane = environment("TMUX_PANE").unwrap_or_default();
    let Some(passthrough) = ask(&["show-options", "-Apv", "-t", &pane, "allow-passthrough"]) else {
        return Some(Err("tmux does not know allow-passthrough or gives no answer".into()));
    };
    let Some(clients) = ask(&["list-clients", "-t", &pane, "-F", CLIENT]) else {
        return Some(Err("tmux does not say which terminal is attached".into()));
    };
    Some(judge(passthrough.trim(), &clients))
}

fn judge(passthrough: &str, clients: &str) -> Result<String, String> {
    if !matches!(passthrough, "on" | "all") {
        return Err("allow-passthrough is off (tmux set -g allow-passthrough on)".into());
    }
    let mut names = Vec::new();
    for client in clients.lines() {
        let parts: Vec<&str> = client.split('\t').collect();
        let [term, own_name, features, utf8] = parts[..] else {
            return Err(format!("expected four parts of an attached terminal, found {client:?}"));
        };
        let name = if own_name.is_empty() { term } else { own_name };
        if !draws_placeholders(term, own_name) {
            return Err(format!("the attached terminal {name} is not known to draw kitty's placeholders"));
        }
        // A placeholder's colour says which image it stands for.
        if !features.split(',').any(|feature| feature == "RGB") {
            return Err(format!("tmux does not use true colour of {name} (terminal-features RGB)"));
        }
        if utf8 != "1" {
            return Err(format!("tmux does not use UTF-8 of {name}"));
        }
        names.push(name);
    }
    if names.is_empty() {
        return Err("no terminal is attached".into());
    }
    Ok(format!("allow-passthrough {passthrough}, {}", names.join(", ")))
}

/// By the terminal's own name and version, else by TERM, which says no version.
fn draws_placeholders(term: &str, own_name: &str) -> bool {
    if let Some((name, version)) = name_and_version(own_name) {
        return PLACEHOLDERS.iter().any(|(known, since)| *known == name && version >= *since);
    }
    matches!(term, "xterm-kitty" | "xterm-ghostty")
}

/// What a tmux command prints; `None` if it fails or takes too long.
fn ask(arguments: &[&str]) -> Option<String> {
    let mut command = Command::new("tmux");
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().ok()?;
    let begun = Instant::now();
    loop {
        if let Some(status) = child.try_wait().ok()? {
            let mut answer = String::new();
            child.stdout.take()?.read_to_string(&mut answer).ok()?;
            return status.success().then_some(answer);
        }
        if begun.elapsed() > TIME_OUT {
            drop(child.kill());
            drop(child.wait());
            return None;
        }
        sleep(PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KITTY: &str = "xterm-kitty\tkitty(0.40.1)\tbpaste,RGB,title\t1\n";

    #[test]
    fn images_pass_only_if_all_is_there() {
        assert_eq!(judge("on", KITTY).as_deref(), Ok("allow-passthrough on, kitty(0.40.1)"));
        assert!(judge("all", "xterm-ghostty\t\tRGB\t1\n").is_ok());
        assert!(judge("on", "xterm-256color\tghostty 1.2.0\tRGB\t1\n").is_ok());
        let refused = [
            ("off", KITTY),
            ("", KITTY),
            ("on", ""),
            ("on", "xterm-256color\t\tRGB\t1\n"),
            ("on", "xterm-kitty\tkitty(0.27.1)\tRGB\t1\n"),
            // TERM stays set in a terminal that was started from another one.
            ("on", "xterm-kitty\tXTerm(390)\tRGB\t1\n"),
            ("on", "xterm-kitty\tkitty(0.40.1)\tbpaste\t1\n"),
            ("on", "xterm-kitty\tkitty(0.40.1)\tRGB\t0\n"),
            ("on", "xterm-kitty\n"),
        ];
        for (passthrough, clients) in refused {
            assert!(judge(passthrough, clients).is_err(), "{passthrough} {clients}");
        }
    }

    #[test]
    fn every_attached_terminal_must_draw_them() {
        let other = "xterm-256color\tXTerm(390)\tRGB\t1\n";
        assert!(judge("on", &format!("{KITTY}{KITTY}")).is_ok());
        assert!(judge("on", &format!("{KITTY}{other}")).unwrap_err().contains("XTerm(390)"));
    }

    #[test]
    fn outside_tmux_nothing_is_asked() {
        let with = |names: &'static [&'static str]| {
            kitty_images_in_tmux(&move |name: &str| names.contains(&name).then(|| "1".to_owned()))
        };
        assert_eq!((with(&[]), with(&["TMUX", "STY"])), (None, None));
    }
}
