"""Seconds per case and memory for scoring the labels with each of a case's K hits: dissent against transformers, same
checkpoint, same prompts, same number type and threads, case by case in turns within one run.

    dissent predict sample-data/dataset --run bench --split validation --workspace W --task malignancy \
        --heads image -k 4 --encoder sample-data/models/encoder --reader sample-data/models/reader
    pip install -r tests/fixtures/readers/requirements.txt
    python benches/mid_size_readers.py OUT        # or any checkpoint
    python benches/against_transformers.py W/runs/bench sample-data/dataset OUT/smolvlm

Each on images that it meets for the first time, after a case to warm up, the inputs of the K prompts prepared and timed:
  dissent      pictures, tokens, tower, prefill; `known`: the next case's query with the same documents
  batched      transformers, one forward pass of the K prompts padded to one length, logits of the last position
  one by one   transformers, a forward pass for each prompt
The ratio is that of the faster one of transformers' two. Memory is the peak of the resident set, while loading and while
reading (Linux only).
"""

import argparse
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import time
import tomllib

arguments = argparse.ArgumentParser()
arguments.add_argument("run", type=pathlib.Path)
arguments.add_argument("dataset", type=pathlib.Path)
arguments.add_argument("reader", type=pathlib.Path)
arguments.add_argument("--cases", type=int, default=10)
arguments.add_argument("--warm-up", type=int, default=1, help="cases that are not timed")
arguments.add_argument("--threads", type=int, default=2)
arguments.add_argument("--dtype", default="f32", choices=["f32", "bf16"])
arguments.add_argument("--dissent", help="the built bench `reader`; default: cargo builds it")
arguments.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
options = arguments.parse_args()


def stored_cases():
    """Lines of the run by case, those with a document, in the run's order."""
    cases = {}
    for line in (options.run / "predictions.jsonl").read_text().splitlines():
        line = json.loads(line)
        if line["document"] is not None:
            cases.setdefault(line["case"], []).append(line)
    return cases


class Side:
    """A process that answers a line with a line."""

    def __init__(self, command, environment):
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ | environment
        )
        self.answer()
        self.peaks = {"loading": self.peak()}

    def answer(self):
        while not (line := self.process.stdout.readline()).startswith("{"):
            assert line, "it stopped"
        return json.loads(line)

    def peak(self):
        """MB of the largest resident set since the last call; the next count begins."""
        folder = pathlib.Path("/proc") / str(self.process.pid)
        if not folder.is_dir():
            return 0.0
        fields = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines())
        (folder / "clear_refs").write_text("5")
        return int(fields["VmHWM"].split()[0]) / 1000

    def ask(self, line, what):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        answer = self.answer()
        self.peaks[what] = max(self.peaks.get(what, 0.0), self.peak())
        return answer


def built():
    command = ["cargo", "bench", "--locked", "--profile", "dev", "--bench", "reader", "--no-run", "--message-format=json"]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    messages = [json.loads(line) for line in printed.splitlines() if line.startswith("{")]
    return next(message["executable"] for message in messages if message.get("target", {}).get("name") == "reader")


def compare():
    threads = {name: str(options.threads) for name in ("RAYON_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")}
    places = [str(path.resolve()) for path in (options.run, options.dataset, options.reader)]
    # As `dissent predict` sets them for itself.
    kept = {f"MALLOC_{name}_": "1073741824" for name in ("MMAP_THRESHOLD", "TRIM_THRESHOLD")}
    malloc = kept | {"MALLOC_TOP_PAD_": "67108864"}
    ours = Side([options.dissent or built(), *places, options.dtype], threads | malloc)
    flags = ["--worker", "--threads", str(options.threads), "--dtype", options.dtype]
    theirs = Side([sys.executable, __file__, *places, *flags], threads)
    seconds = {"dissent": [], "known": [], "batched": [], "one by one": []}
    largest = 0.0
    for turn in range(options.warm_up + options.cases):
        own = ours.ask("", "reading")
        answers = {way: theirs.ask(f"{way}\t{own['case']}", way) for way in ("batched", "one by one")}
        if turn < options.warm_up:
            continue
        seconds["dissent"].append(own["seconds"])
        seconds["known"].append(own["seconds_with_known_documents"])
        for way, answer in answers.items():
            seconds[way].append(answer["seconds"])
        scores = zip(own["label_log_probabilities"], answers["one by one"]["label_log_probabilities"], strict=True)
        largest = max([largest] + [abs(a - b) for row, other in scores for a, b in zip(row, other, strict=True)])
    hits = max(len(row) for row in stored_cases().values())
    print(f"{options.reader.name}, {options.dtype}: {options.cases} cases, K={hits}, {options.threads} threads")
    for name, values in seconds.items():
        spread = f"{min(values):.2f} to {max(values):.2f}"
        print(f"{name:<12} {statistics.median(values):7.2f} s per case ({spread})")
    best = min(("batched", "one by one"), key=lambda way: statistics.median(seconds[way]))
    ratio = statistics.median(own / other for own, other in zip(seconds["dissent"], seconds[best], strict=True))
    print(f"seconds of dissent / of transformers, {best}: {ratio:.2f}")
    for name, side in (("dissent", ours), ("transformers", theirs)):
        print(f"{name:<12} peak memory, MB:", ", ".join(f"{what} {peak:.0f}" for what, peak in side.peaks.items()))
    own, other = (max(side.peaks[what] for what in ("loading", way)) for side, way in ((ours, "reading"), (theirs, best)))
    print(f"peak memory of dissent / of transformers: {own / other:.2f}")
    print(f"largest difference of a label's log-probability: {largest:.1e}")


def answer_lines():
    import torch
    from PIL import Image
    from transformers import AutoModelForImageTextToText, AutoProcessor

    torch.set_num_threads(options.threads)
    processor = AutoProcessor.from_pretrained(options.reader)
    processor.image_processor = pillow_processor(processor.image_processor)
    processor.tokenizer.padding_side = "left"
    dtype = {"f32": torch.float32, "bf16": torch.bfloat16}[options.dtype]
    model = AutoModelForImageTextToText.from_pretrained(options.reader, dtype=dtype, attn_implementation="sdpa").eval()
    cases = stored_cases()
    described = tomllib.loads((options.dataset / "dataset.toml").read_text())
    templates = {task["id"]: task["prompt"]["with_document"] for task in described["task"]}
    print(json.dumps({"loaded": True}), flush=True)

    def picture(path):
        return Image.open(options.dataset / path).convert("RGB")

    def distributions(lines):
        prompts, pictures = [], []
        for line in lines:
            passage = line["passages"][0]
            images = {"{document_image}": passage["img_path"], "{query_image}": line["metadata"]["image"]}
            template = templates[line["task"]].replace("{caption}", passage["text"]).replace("{question}", line["query"])
            content, own = [], []
            for part in filter(None, re.split("({document_image}|{query_image})", template)):
                if part in images:
                    own.append(picture(images[part]))
                    content.append({"type": "image"})
                else:
                    content.append({"type": "text", "text": part})
            conversation = [{"role": "user", "content": content}]
            prompts.append(processor.apply_chat_template(conversation, add_generation_prompt=True))
            pictures.append(own)
        if "SmolVLM" not in type(processor).__name__:
            pictures = sum(pictures, [])
        inputs = processor(text=prompts, images=pictures, padding=True, return_tensors="pt", add_special_tokens=False)
        inputs = {name: value.to(dtype) if value.is_floating_point() else value for name, value in inputs.items()}
        logits = model(**inputs, use_cache=False, logits_to_keep=1).logits[:, -1]
        return logits.float().log_softmax(-1)

    for turn in sys.stdin:
        way, case = turn.rstrip("\n").split("\t")
        lines = cases[case]
        begun = time.perf_counter()
        with torch.inference_mode():
            if way == "batched":
                rows = distributions(lines)
            else:
                rows = torch.cat([distributions([line]) for line in lines])
        took = time.perf_counter() - begun
        scores = []
        for row, line in zip(rows, lines, strict=True):
            tokens = [first_token(processor, label) for label in line["labels"]]
            scores.append(row[tokens].tolist())
        print(json.dumps({"seconds": took, "label_log_probabilities": scores}), flush=True)


def first_token(processor, label):
    """As the template writes an answer: SmolVLM's has a space before it."""
    turns = [
        {"role": "user", "content": [{"type": "text", "text": "?"}]},
        {"role": "assistant", "content": [{"type": "text", "text": label}]},
    ]
    question = processor.apply_chat_template(turns[:1], add_generation_prompt=True)
    whole = processor.apply_chat_template(turns, add_generation_prompt=False)
    ids = [processor.tokenizer.encode(text, add_special_tokens=False) for text in (question, whole)]
    return ids[1][len(ids[0])]


def pillow_processor(images):
    """Pillow's resize is exact everywhere; torchvision's differs from it by a grey level in some pixels."""
    import transformers

    name = type(images).__name__
    pillow = name if name.endswith("Pil") else name.removesuffix("Fast") + "Pil"
    return getattr(transformers, pillow).from_pretrained(options.reader)


answer_lines() if options.worker else compare()
