"""Seconds and CPU seconds per case for scoring the labels with each of a case's K hits: dissent against llama.cpp's server on the
same GGUF file, on the same number of threads, case by case in turns within one run.

    pip install xllamacpp==2026.10.11549            # or --server URL of a llama-server that runs already
    python benches/gguf_readers.py OUT/smolvlm Q8_0          # see there
    python benches/llama_cpp_answers.py W/runs/bench sample-data/dataset OUT/smolvlm-Q8_0    # the run as in against_transformers.py

Each on images that it meets for the first time, after a case to warm up:
  dissent      pictures, tokens, tower, prefill; `known`: the next case's query with the same documents
  llama.cpp    the K prompts as K requests at once to /v1/chat/completions, one token with its likeliest ones
The server has a slot for each prompt and its own cache of prompts; what HTTP and base64 cost is in its time, and in its CPU
seconds (Linux only) are those of its process alone.
"""

import argparse
import base64
import concurrent.futures
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import time
import tomllib
import urllib.request

arguments = argparse.ArgumentParser()
arguments.add_argument("run", type=pathlib.Path)
arguments.add_argument("dataset", type=pathlib.Path)
arguments.add_argument("reader", type=pathlib.Path, help="a folder of gguf_readers.py")
arguments.add_argument("--cases", type=int, default=30)
arguments.add_argument("--warm-up", type=int, default=1, help="cases that are not timed")
arguments.add_argument("--threads", type=int, default=2)
arguments.add_argument("--dissent", help="the built bench `reader`; default: cargo builds it")
arguments.add_argument("--python", default=sys.executable, help="a Python that has xllamacpp")
arguments.add_argument("--server", help="URL of a llama-server of the same file, and --server-process its process id")
arguments.add_argument("--server-process", type=int)
arguments.add_argument("--port", type=int, default=8137)
arguments.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
options = arguments.parse_args()


def cpu_seconds(process):
    """User and system seconds of a process so far."""
    fields = pathlib.Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def serve():
    """llama.cpp's server in this process, until standard input is closed."""
    import xllamacpp

    (model,) = [path for path in options.reader.glob("*.gguf") if path.name != "mmproj.gguf"]
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(model)
    parameters.mmproj.path = str(options.reader / "mmproj.gguf")
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = options.port
    parameters.n_parallel = 4
    parameters.n_ctx = 4 * 2048
    parameters.cpuparams.n_threads = options.threads
    parameters.cpuparams_batch.n_threads = options.threads
    server = xllamacpp.Server(parameters)
    print(json.dumps({"system": xllamacpp.get_system_info()}), flush=True)
    sys.stdin.read()
    del server


class Ours:
    def __init__(self):
        threads = {name: str(options.threads) for name in ("RAYON_NUM_THREADS", "OMP_NUM_THREADS")}
        # As `dissent predict` sets them for itself.
        kept = {f"MALLOC_{name}_": "1073741824" for name in ("MMAP_THRESHOLD", "TRIM_THRESHOLD")}
        command = [options.dissent or built(), *(str(path.resolve()) for path in (options.run, options.dataset, options.reader))]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env=os.environ | threads | kept | {"MALLOC_TOP_PAD_": "67108864"},
        )
        self.process.stdout.readline()

    def next_case(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


def built():
    command = ["cargo", "bench", "--locked", "--profile", "dev", "--bench", "reader", "--no-run", "--message-format=json"]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    messages = [json.loads(line) for line in printed.splitlines() if line.startswith("{")]
    return next(message["executable"] for message in messages if message.get("target", {}).get("name") == "reader")


def content_of(line, template):
    passage = line["passages"][0]
    images = {"{document_image}": passage["img_path"], "{query_image}": line["metadata"]["image"]}
    template = template.replace("{caption}", passage["text"]).replace("{question}", line["query"])
    content = []
    for part in filter(None, re.split("({document_image}|{query_image})", template)):
        if part in images:
            encoded = base64.b64encode((options.dataset / images[part]).read_bytes()).decode()
            content.append({"type": "image_url", "image_url": {"url": f"data:image/png;base64,{encoded}"}})
        else:
            content.append({"type": "text", "text": part})
    return content


def ask(url, content):
    body = {
        "messages": [{"role": "user", "content": content}],
        "max_tokens": 1, "temperature": 0, "logprobs": True, "top_logprobs": 20,
    }
    request = urllib.request.Request(
        f"{url}/v1/chat/completions", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request) as answer:
        answer = json.load(answer)
    likely = answer["choices"][0]["logprobs"]["content"][0]["top_logprobs"]
    return answer["usage"]["prompt_tokens"], {entry["token"]: entry["logprob"] for entry in likely}


def wait_for(url):
    while True:
        try:
            with urllib.request.urlopen(f"{url}/health") as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.2)


def compare():
    templates = {
        task["id"]: task["prompt"]["with_document"]
        for task in tomllib.loads((options.dataset / "dataset.toml").read_text())["task"]
    }
    cases = {}
    for line in (options.run / "predictions.jsonl").read_text().splitlines():
        line = json.loads(line)
        if line["document"] is not None:
            cases.setdefault(line["case"], []).append(line)
    url, server = options.server, None
    if url is None:
        url = f"http://127.0.0.1:{options.port}"
        places = [str(path.resolve()) for path in (options.run, options.dataset, options.reader)]
        flags = ["--serve", "--threads", str(options.threads), "--port", str(options.port)]
        server = subprocess.Popen(
            [options.python, __file__, *places, *flags], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True,
        )
        while not (line := server.stdout.readline()).startswith("{"):
            assert line, "llama.cpp's server did not start"
        print(json.loads(line)["system"])
    wait_for(url)
    process = options.server_process or (server and server.pid)
    ours = Ours()
    names = ("seconds", "CPU seconds")
    own, known, other = ({name: [] for name in names} for _ in range(3))
    largest, compared, tokens = 0.0, 0, []
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        for turn in range(options.warm_up + options.cases):
            before = cpu_seconds(ours.process.pid)
            answer = ours.next_case()
            spent = cpu_seconds(ours.process.pid) - before
            lines = cases[answer["case"]]
            contents = [content_of(line, templates[line["task"]]) for line in lines]
            cpu = cpu_seconds(process) if process else 0.0
            begun = time.perf_counter()
            replies = list(pool.map(lambda content: ask(url, content), contents))
            took = time.perf_counter() - begun
            cpu = (cpu_seconds(process) if process else 0.0) - cpu
            for line, row, (length, likely) in zip(lines, answer["label_log_probabilities"], replies, strict=True):
                tokens.append(length)
                for label, value in zip(line["labels"], row, strict=True):
                    theirs = next((likely[token] for token in (label, f" {label}") if token in likely), None)
                    if theirs is not None:
                        largest, compared = max(largest, abs(theirs - value)), compared + 1
            if turn < options.warm_up:
                continue
            # Both parts of our turn run on the same threads, so the CPU seconds are shared out by time.
            both = answer["seconds"] + answer["seconds_with_known_documents"]
            own["seconds"].append(answer["seconds"])
            known["seconds"].append(answer["seconds_with_known_documents"])
            own["CPU seconds"].append(spent * answer["seconds"] / both)
            known["CPU seconds"].append(spent * answer["seconds_with_known_documents"] / both)
            other["seconds"].append(took)
            other["CPU seconds"].append(cpu)
    hits = max(len(lines) for lines in cases.values())
    print(f"{options.reader.name}: {options.cases} cases, K={hits}, {options.threads} threads, {max(tokens)} tokens at most")
    for name, values in (("dissent", own), ("known", known), ("llama.cpp", other)):
        print(f"{name:<12}", ", ".join(f"{statistics.median(values[what]):.3f} {what}" for what in names), "per case")
    for what in names:
        if all(other[what]):
            ratio = statistics.median(a / b for a, b in zip(own[what], other[what], strict=True))
            print(f"{what} of dissent / of llama.cpp: {ratio:.2f}")
    print(f"largest difference of a label's log-probability: {largest:.1e} ({compared} compared)")
    for side in filter(None, (server, ours.process)):
        side.stdin.close()
        side.kill()
        side.wait()


serve() if options.serve else compare()
