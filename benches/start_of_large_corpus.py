"""Measures the start of the commands on the dataset of large_corpus.py, each in a process of its own.

    venv/bin/python benches/large_corpus.py FOLDER --documents 2000000 --dimension 8
    dissent index FOLDER/dataset --image-vectors FOLDER/images.npy
    python benches/start_of_large_corpus.py FOLDER/dataset --program target/release/dissent

Prints seconds and peak memory (resident, mapped pages included) of every round; the first round may have to parse the corpus. For
`explore` the seconds are those until the first case, and until the documents are there, on a terminal of 120 x 40.
"""

import argparse
import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time
from pathlib import Path

parser = argparse.ArgumentParser()
parser.add_argument("dataset", type=Path)
parser.add_argument("--program", default="dissent")
parser.add_argument("--rounds", type=int, default=3)
parser.add_argument("--check", action="store_true", help="`check`, too, which decodes every image")
arguments = parser.parse_args()


def peak(process):
    """Peak of the resident set in MB."""
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0


def command(*words):
    begun = time.monotonic()
    process = os.fork()
    if process == 0:
        null = os.open(os.devnull, os.O_RDWR)
        for file in (0, 1):
            os.dup2(null, file)
        os.execvp(arguments.program, [arguments.program, *words])
    _, status, used = os.wait4(process, 0)
    seconds = time.monotonic() - begun
    print(f"{words[0]:8} {seconds:8.2f} s   {used.ru_maxrss / 1024:7.0f} MB   exit {os.waitstatus_to_exitcode(status)}", flush=True)


def explore(dataset):
    begun = time.monotonic()
    process, terminal = pty.fork()
    if process == 0:
        os.environ.update(TERM="xterm-256color", COLORTERM="truecolor")
        os.execvp(arguments.program, [arguments.program, "explore", dataset, "--images", "off", "--annotator", "bench"])
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    seen, first, loaded = "", None, None
    while loaded is None and time.monotonic() - begun < 300:
        if select.select([terminal], [], [], 0.005)[0]:
            seen += os.read(terminal, 1 << 16).decode(errors="replace")
        now = time.monotonic() - begun
        if first is None and "case-0000" in seen:
            first = now
        # The preview says so until everything is read.
        if first is not None and loaded is None and seen.rfind("\x1b[?2026l") > 0 and "no model" in seen.replace("\n", ""):
            loaded = now
    memory = peak(process)
    os.kill(process, signal.SIGTERM)
    os.waitpid(process, 0)
    os.close(terminal)
    shown = lambda seconds: "never" if seconds is None else f"{seconds:.2f} s"
    print(f"explore  {shown(first)} to the first case, {shown(loaded)} to the documents   {memory:7.0f} MB", flush=True)


dataset = str(arguments.dataset)
for _ in range(arguments.rounds):
    command("search", dataset, "--text", "fracture femur")
    explore(dataset)
    command("show", dataset, "case-0000")
if arguments.check:
    command("check", dataset)
