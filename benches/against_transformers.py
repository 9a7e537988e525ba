"""Seconds per case for scoring the labels with each of a case's K hits: dissent against transformers, same checkpoint,
same prompts, same number of threads, in turns within one run.

    dissent predict sample-data/dataset --run bench --split validation --workspace W \
        --encoder sample-data/models/encoder --reader sample-data/models/reader
    pip install -r tests/fixtures/pixtral/requirements.txt
    python benches/against_transformers.py W/runs/bench sample-data/dataset sample-data/models/reader

Three ways, each on images that it meets for the first time, after three cases to warm up:
  dissent      images and tokens prepared, tower, one prefill of the K prompts
  prefill      transformers, one batched forward pass of the K prompts; inputs prepared beforehand, not timed
  reference    transformers, 8 greedy steps of the K prompts without a cache, as the reference code reads; inputs prepared beforehand, not timed
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import time

import torch
from PIL import Image
from transformers import AutoModelForImageTextToText, AutoProcessor
from transformers.models.pixtral.image_processing_pil_pixtral import PixtralImageProcessorPil

arguments = argparse.ArgumentParser()
arguments.add_argument("run", type=pathlib.Path)
arguments.add_argument("dataset", type=pathlib.Path)
arguments.add_argument("reader", type=pathlib.Path)
arguments.add_argument("--cases", type=int, default=50)
arguments.add_argument("--rounds", type=int, default=3)
arguments.add_argument("--threads", type=int, default=2)
options = arguments.parse_args()

WARM_UP = 3  # cases that are not timed
torch.set_num_threads(options.threads)
processor = AutoProcessor.from_pretrained(options.reader)
processor.image_processor = PixtralImageProcessorPil.from_pretrained(options.reader)
processor.tokenizer.padding_side = "left"
model = AutoModelForImageTextToText.from_pretrained(options.reader, dtype=torch.float32).eval()


def stored_cases():
    """Lines of the run by case, those with a document, in the run's order."""
    cases = {}
    for line in (options.run / "predictions.jsonl").read_text().splitlines():
        line = json.loads(line)
        if line["document"] is not None:
            cases.setdefault(line["case"], []).append(line)
    return cases


def inputs_of(lines):
    conversations = []
    for line in lines:
        passage = line["passages"][0]
        content = [
            {"type": "image", "image": Image.open(options.dataset / passage["img_path"]).convert("RGB")},
            {"type": "text", "text": f"background: {passage['text']}\n\n"},
            {"type": "image", "image": Image.open(options.dataset / line["metadata"]["image"]).convert("RGB")},
            {"type": "text", "text": line["query"]},
        ]
        conversations.append([{"role": "user", "content": content}])
    return processor.apply_chat_template(
        conversations, tokenize=True, return_dict=True, return_tensors="pt", padding=True
    )


def dissent():
    command = ["cargo", "bench", "--locked", "--profile", "dev", "--bench", "reader", "--"]
    command += [str(path.resolve()) for path in (options.run, options.dataset, options.reader)] + [str(WARM_UP + options.cases)]
    # As `dissent predict` sets them for itself: a share of a batch on each core, memory kept.
    kept = {f"MALLOC_{name}_": "1073741824" for name in ("MMAP_THRESHOLD", "TRIM_THRESHOLD")}
    environment = os.environ | {"RAYON_NUM_THREADS": "1", "MALLOC_TOP_PAD_": "67108864"} | kept
    printed = subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout
    lines = [json.loads(line) for line in printed.splitlines() if line.startswith("{")]
    return {line["case"]: line for line in lines}


def prefill(prepared):
    with torch.no_grad():
        begun = time.perf_counter()
        logits = model(**prepared, use_cache=False, logits_to_keep=1).logits[:, -1]
        return time.perf_counter() - begun, logits.log_softmax(-1)


def reference(prepared):
    with torch.no_grad():
        begun = time.perf_counter()
        model.generate(**prepared, max_new_tokens=8, min_new_tokens=8, do_sample=False, use_cache=False)
        return time.perf_counter() - begun


lines_of = stored_cases()
warm_up, cases = {}, {}
for place, case in enumerate(dissent()):
    (warm_up if place < WARM_UP else cases)[case] = lines_of[case]
prepared = {case: inputs_of(lines) for case, lines in cases.items()}
seconds = {"dissent": [], "prefill": [], "reference": []}
largest = 0.0
for lines in warm_up.values():
    prefill(inputs_of(lines))
    reference(inputs_of(lines))
for _ in range(options.rounds):
    ours = dissent()
    seconds["dissent"].append(statistics.mean(ours[case]["seconds"] for case in cases))
    took = []
    for case, lines in cases.items():
        elapsed, distribution = prefill(prepared[case])
        took.append(elapsed)
        for row, line in enumerate(lines):
            tokens = [processor.tokenizer.encode(label, add_special_tokens=False)[0] for label in line["labels"]]
            scores = ours[case]["label_log_probabilities"][row]
            for token, score in zip(tokens, scores, strict=True):
                largest = max(largest, abs(distribution[row, token].item() - score))
    seconds["prefill"].append(statistics.mean(took))
    seconds["reference"].append(statistics.mean(reference(prepared[case]) for case in cases))

print(f"{len(cases)} cases, K={max(len(lines) for lines in cases.values())}, {options.rounds} rounds, {options.threads} threads")
for name, values in seconds.items():
    ratio = statistics.median(v / o for v, o in zip(values, seconds["dissent"], strict=True))
    print(f"{name:<10} {statistics.median(values) * 1000:8.1f} ms per case  {ratio:6.2f} times dissent")
print(f"largest difference of a label's log-probability: {largest:.1e}")
