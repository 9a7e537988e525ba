//! However the explorer ends, the terminal is as it was.

use super::Setup;
use crate::support::pty::Pty;
use nix::sys::signal::Signal;

#[test]
fn q_leaves_with_0() {
    let setup = Setup::new();
    let mut pty = setup.explore();
    pty.type_keys("q");
    assert_eq!(pty.exit_code(), 0);
    pty.assert_restored();
}

#[test]
fn ctrl_c_leaves_with_130() {
    let setup = Setup::new();
    let mut pty = setup.explore();
    pty.type_keys("\x03");
    assert_eq!(pty.exit_code(), 130);
    pty.assert_restored();
}

#[test]
fn signals_restore_the_terminal() {
    let setup = Setup::new();
    for (signal, code) in [(Signal::SIGTERM, 143), (Signal::SIGHUP, 129), (Signal::SIGINT, 130)] {
        let mut pty = setup.explore();
        pty.signal(signal);
        assert_eq!(pty.exit_code(), code, "{signal}");
        pty.assert_restored();
    }
}

#[test]
fn a_lost_connection_ends_the_program() {
    let setup = Setup::new();
    let mut pty = setup.explore();
    pty.type_keys("1");
    pty.wait_for("takes it back");
    pty.hang_up();
    assert_ne!(pty.exit_code(), 0);
    assert!(setup.journal().contains("look-alike"));
}

#[test]
fn the_terminal_comes_back_when_the_program_cannot_say_so() {
    let setup = Setup::new();
    for signal in [Signal::SIGABRT, Signal::SIGKILL] {
        let pty = setup.explore();
        pty.wait_until("the explorer's screen", Pty::is_on_alternate_screen);
        pty.signal(signal);
        pty.wait_past_the_end("a word", |pty| pty.screen().contains("dissent ended unexpectedly"));
        pty.wait_past_the_end("the line modes", Pty::has_its_modes);
        pty.assert_restored();
    }
}

#[test]
fn ctrl_z_stops_and_continues() {
    let setup = Setup::new();
    let mut pty = setup.explore();
    pty.type_keys("\x1a");
    pty.wait_until("a stopped process", |pty| pty.process_state() == 'T');
    pty.assert_restored();
    pty.signal(Signal::SIGCONT);
    pty.wait_until("the explorer's screen", Pty::is_on_alternate_screen);
    pty.wait_for("us-test-0001 · test");
    pty.type_keys("j");
    pty.wait_for("us-test-0002 · test");
    pty.type_keys("q");
    assert_eq!(pty.exit_code(), 0);
    pty.assert_restored();
}

/// Runs in a pseudo-terminal of its own, started by the test below: takes the terminal, and other threads panic.
#[test]
#[ignore = "does something only where the test below starts it"]
fn child_that_panics() {
    if std::env::var_os("DISSENT_TEST_PANIC").is_none() {
        return;
    }
    dissent::cli::panic_hook::log_and_say_in_one_line();
    let taken = dissent::terminal::screen::Taken::take(false).unwrap();
    // The terminal emulator must have seen the other screen, or there is nothing to restore.
    println!("ready");
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).unwrap();
    let reader = std::thread::spawn(|| dissent::panics::caught(|| panic!("a case could not be read")).is_err());
    assert!(reader.join().unwrap());
    let worker = std::thread::spawn(|| panic!("a worker panicked"));
    worker.join().unwrap_err();
    assert!(dissent::terminal::screen::is_taken(), "the explorer goes on");
    drop(taken);
    dissent::cli::panic_hook::say_the_unsaid();
    std::process::exit(1);
}

#[test]
fn a_panic_of_a_worker_is_one_line_after_the_terminal_is_back() {
    let program = std::env::current_exe().unwrap();
    let arguments = ["--exact", "explorer::leaving::child_that_panics", "--ignored", "--nocapture"];
    let environment = [("DISSENT_TEST_PANIC", "1"), ("TERM", "xterm"), ("RUST_BACKTRACE", "0")];
    let mut pty = Pty::start(&program, &arguments, &environment, (80, 24));
    pty.wait_for("ready");
    assert!(pty.is_on_alternate_screen());
    pty.type_keys("x\n");
    assert_eq!(pty.exit_code(), 1);
    pty.assert_restored();
    pty.wait_for("error: internal error in");
    pty.wait_for("a worker panicked");
    assert!(!pty.screen().contains("a case could not be read"), "{}", pty.screen());
}
