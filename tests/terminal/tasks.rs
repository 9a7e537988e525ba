//! The ten things a person does most, in the real binary: each in a pseudo-terminal at 80x24 and 120x40, and all of them one
//! after the other in a real tmux where there is one.

use crate::support::absent::absent;
use crate::support::annotated_dataset::journals_of;
use crate::support::explorer::{hits, scores, write_dataset};
use crate::support::program::PROGRAM;
use crate::support::pty::Pty;
use crate::support::tmux::Tmux;
use dissent::data::Dataset;
use dissent::files::fingerprint::Fingerprint;
use dissent::run::{CaseAnswer, RetrieverIdentity, RunIdentity, RunWriter};
use std::path::{Path, PathBuf};

/// Cases of the dataset.
const CASES: usize = 12;

/// A dataset with two stored runs, and a home folder.
struct World {
    folder: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("home")).unwrap();
        let world = Self { folder };
        let root = world.dataset();
        write_dataset(&root, CASES);
        let dataset = Dataset::open(&root).unwrap();
        // Yes by hit: cases 1, 3, 5 … are gold Yes. The third case is wrong though its third hit is right.
        let right = |case: usize| if case.is_multiple_of(2) { 0.9 } else { 0.1 };
        let first = |case: usize| if case == 2 { [0.2, 0.3, 0.95, 0.1] } else { [right(case); 4] };
        let second = |case: usize| if case == 2 { [0.9; 4] } else { [right(case); 4] };
        write_run(&dataset, "first", &first);
        write_run(&dataset, "second", &second);
        world
    }

    fn dataset(&self) -> PathBuf {
        self.folder.path().join("dataset")
    }

    fn start<T>(&self, start: impl FnOnce(&Path, &[&str], &[(&str, &str)]) -> T) -> T {
        let home = self.folder.path().join("home");
        let environment = [("HOME", home.to_str().unwrap()), ("TERM", "xterm-256color"), ("USER", "ada")];
        let dataset = self.dataset();
        let arguments = ["explore", dataset.to_str().unwrap(), "--run", "first", "--against", "second"];
        start(Path::new(PROGRAM), &arguments, &environment)
    }

    fn journal(&self) -> String {
        journals_of(&self.dataset())
    }
}

fn write_run(dataset: &Dataset, name: &str, yes: &dyn Fn(usize) -> [f32; 4]) {
    let made = || Fingerprint::of_bytes(name.as_bytes());
    let retriever = RetrieverIdentity {
        heads_name: None,
        heads: None,
        encoder_name: "made".into(),
        encoder: made(),
        index: made(),
        fingerprint: made(),
        k_image: 2,
        k_caption: 1,
        k_lexical: 1,
    };
    let identity = RunIdentity::new(dataset, "made", &made(), Some(&retriever));
    let mut writer = RunWriter::open(&dataset.root.join(".dissent/runs").join(name), &identity).unwrap();
    let answers: Vec<CaseAnswer> = (0..CASES)
        .map(|case| CaseAnswer {
            case,
            hits: hits(),
            predictions: yes(case).iter().map(|yes| scores(*yes).into()).collect(),
            closed_book: Some(scores(0.39).into()),
            recorded_fusion: None,
        })
        .collect();
    writer.append(dataset, &answers).unwrap();
}

/// The operations that a task needs of a terminal, pseudo or real.
trait Terminal {
    fn keys(&mut self, keys: &str);
    fn sees(&self, what: &str, is_so: &dyn Fn(&str) -> bool);

    fn shows(&self, text: &str) {
        self.sees(&format!("{text:?}"), &|screen| screen.contains(text));
    }

    fn lacks(&self, text: &str) {
        self.sees(&format!("no {text:?}"), &|screen| !screen.contains(text));
    }
}

impl Terminal for Pty {
    fn keys(&mut self, keys: &str) {
        self.type_keys(keys);
    }

    fn sees(&self, what: &str, is_so: &dyn Fn(&str) -> bool) {
        self.wait_until(what, |pty| is_so(&pty.screen()));
    }
}

impl Terminal for Tmux {
    fn keys(&mut self, keys: &str) {
        self.type_keys(keys);
    }

    fn sees(&self, what: &str, is_so: &dyn Fn(&str) -> bool) {
        self.wait_until(what, is_so);
    }
}

type Task = fn(&mut dyn Terminal, &World);

/// Each ends where it began: on the first case, nothing open, nothing changed.
const TASKS: [(&str, Task); 10] = [
    ("steps through cases and hits", steps),
    ("looks at the gold answer and what retrieval did", gold),
    ("names an error and takes it back", annotates),
    ("writes a note", notes),
    ("filters the queue and lifts the filter", filters),
    ("orders the queue by disagreement", orders),
    ("drops a hit and sees the answer change", drops),
    ("compares two runs", compares),
    ("opens a cell of the overview", overview),
    ("looks at an image closely", images),
];

fn steps(terminal: &mut dyn Terminal, _: &World) {
    terminal.keys("jj");
    terminal.shows("us-test-0003 · test");
    terminal.keys("ll");
    terminal.shows("▸ us-doc-005");
    terminal.keys("kk");
    terminal.shows("us-test-0001 · test");
}

fn gold(terminal: &mut dyn Terminal, _: &World) {
    terminal.keys("jjg");
    terminal.shows("wrong; hit 3 alone is right");
    terminal.keys("kk");
    terminal.shows("hidden (g)");
    terminal.shows("us-test-0001 · test");
}

fn annotates(terminal: &mut dyn Terminal, world: &World) {
    terminal.keys("1");
    terminal.shows("us-test-0002 · test");
    terminal.shows("1 labelled");
    assert!(world.journal().contains("look-alike"));
    terminal.keys("u");
    terminal.shows("0 labelled");
    terminal.keys("\x1b[H");
    terminal.shows("us-test-0001 · test");
}

fn notes(terminal: &mut dyn Terminal, world: &World) {
    terminal.keys("nlooks like a cyst\r");
    terminal.shows("note saved");
    assert!(world.journal().contains("looks like a cyst"));
    terminal.keys("u");
    terminal.shows("0 labelled");
}

fn filters(terminal: &mut dyn Terminal, _: &World) {
    terminal.keys("fverd\t");
    terminal.shows("verdict:");
    terminal.keys("inconsistent\r");
    terminal.shows("1/1 of 12");
    terminal.shows("us-test-0003 · test");
    terminal.keys("F\x1b[H");
    terminal.shows("us-test-0001 · test");
    terminal.lacks("of 12 ·");
}

fn orders(terminal: &mut dyn Terminal, _: &World) {
    terminal.keys("odisag\r\x1b[H");
    terminal.shows("us-test-0003 · test");
    terminal.keys("odataset\r\x1b[H");
    terminal.shows("us-test-0001 · test");
}

fn drops(terminal: &mut dyn Terminal, _: &World) {
    terminal.keys("ajj");
    terminal.shows("us-test-0003 · test");
    terminal.shows("A No ");
    // Without the three that say No, the third hit's Yes is left.
    terminal.keys(" l ll ");
    terminal.sees("the third hit's answer", &|screen| {
        let out = screen.matches(" out ").count();
        out == 3 && screen.lines().any(|line| line.contains("B Yes ") && line.contains("0.95"))
    });
    terminal.keys("rakk");
    terminal.lacks("what if");
    terminal.shows("us-test-0001 · test");
}

fn compares(terminal: &mut dyn Terminal, _: &World) {
    terminal.keys("fagainst:flipped\rg");
    terminal.shows("us-test-0003 · test");
    terminal.shows("B second");
    terminal.shows("right: B");
    terminal.keys("ga");
    terminal.shows("# head");
    terminal.keys("aF\x1b[H");
    terminal.shows("us-test-0001 · test");
}

fn overview(terminal: &mut dyn Terminal, _: &World) {
    terminal.keys("O");
    terminal.shows("Who is right");
    // Only B is right in one case.
    terminal.keys("ll\r");
    terminal.shows("1/1 of 12");
    terminal.shows("us-test-0003 · test");
    terminal.keys("F\x1b[H");
    terminal.shows("us-test-0001 · test");
}

fn images(terminal: &mut dyn Terminal, _: &World) {
    terminal.keys("z");
    terminal.lacks("us-doc-005");
    terminal.keys("+i]");
    terminal.shows("inverted level +1%");
    terminal.keys("b");
    terminal.shows("hit 1");
    terminal.keys("rbz");
    terminal.shows("us-doc-005");
}

#[test]
fn each_in_a_pseudo_terminal() {
    for size in [(80, 24), (120, 40)] {
        // The journal of one size says nothing of the other.
        let world = World::new();
        let mut pty = world.start(|program, arguments, environment| Pty::start(program, arguments, environment, size));
        pty.wait_for("us-test-0001 · test");
        for (name, task) in TASKS {
            println!("{name} at {size:?}");
            task(&mut pty, &world);
        }
        pty.type_keys("q");
        assert_eq!(pty.exit_code(), 0);
        pty.assert_restored();
    }
}

#[test]
fn all_in_a_real_tmux() {
    let world = World::new();
    let started = world.start(|program, arguments, environment| Tmux::start(program, arguments, environment, (80, 24)));
    let Some(mut tmux) = started else {
        absent("there is no tmux", "DISSENT_REQUIRE_TMUX");
        return;
    };
    tmux.shows("us-test-0001 · test");
    for (name, task) in TASKS {
        println!("{name} in tmux");
        task(&mut tmux, &world);
    }
    tmux.type_keys("q");
    tmux.wait_for_end();
}
