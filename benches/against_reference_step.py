"""Seconds per training step of the retriever: dissent against the reference's procedure written out in PyTorch
(reference code, `jomed.py`: fetch 50, read all of them without a cache, encode candidates and queries again in every
chunk of 5), same checkpoints, same cases, same number of threads, one run.

    pip install -r tests/fixtures/pixtral/requirements.txt
    python benches/against_reference_step.py target/debug/dissent sample-data

dissent runs `train retriever --compat reference --kind tower` in an empty workspace: the first pass over the cases asks
the reader, later ones find most answers in the cache.
"""

import argparse
import json
import pathlib
import statistics
import subprocess
import tempfile
import time
import tomllib

import torch
import transformers
from PIL import Image
from transformers import AutoModelForImageTextToText, AutoProcessor, CLIPModel, CLIPProcessor
from transformers.models.pixtral.image_processing_pil_pixtral import PixtralImageProcessorPil

arguments = argparse.ArgumentParser()
arguments.add_argument("dissent", type=pathlib.Path)
arguments.add_argument("sample", type=pathlib.Path)
arguments.add_argument("--steps", type=int, default=8, help="timed steps of the reference's procedure")
arguments.add_argument("--passes", type=int, default=4, help="passes of dissent over the training cases")
arguments.add_argument("--threads", type=int, default=2)
options = arguments.parse_args()

BATCH, CANDIDATES, CHUNK, NEW_TOKENS, ALPHA = 2, 50, 5, 8, 0.15
dataset, encoder, reader = (options.sample / part for part in ("training", "models/encoder", "models/reader"))
torch.set_num_threads(options.threads)
torch.manual_seed(1)
transformers.logging.set_verbosity_error()

processor = AutoProcessor.from_pretrained(reader)
processor.image_processor = PixtralImageProcessorPil.from_pretrained(reader)
processor.tokenizer.padding_side = "left"
lvlm = AutoModelForImageTextToText.from_pretrained(reader, dtype=torch.float32).eval()
clip_processor = CLIPProcessor.from_pretrained(encoder)
frozen = CLIPModel.from_pretrained(encoder, dtype=torch.float32).eval()
head = CLIPModel.from_pretrained(encoder, dtype=torch.float32)
trained = [*head.vision_model.parameters(), *head.visual_projection.parameters()]
optimizer = torch.optim.AdamW(trained, lr=1e-4, weight_decay=1.0)

tasks = {task["id"]: task for task in tomllib.loads((dataset / "dataset.toml").read_text())["task"]}
cases = [json.loads(line) for line in (dataset / "cases.jsonl").read_text().splitlines()]
cases = [case for case in cases if case["split"] == "train"]
corpus = [json.loads(line) for line in (dataset / "corpus.jsonl").read_text().splitlines()]


def picture(item):
    return Image.open(dataset / item["image"]).convert("RGB")


def embed(model, items):
    pixels = clip_processor(images=[picture(item) for item in items], return_tensors="pt")["pixel_values"]
    pooled = model.vision_model(pixel_values=pixels).pooler_output
    return torch.nn.functional.normalize(model.visual_projection(pooled), dim=-1)


def queries(items):
    with torch.no_grad():
        base = embed(frozen, items)
    return ALPHA * embed(head, items) + (1 - ALPHA) * base


def read(pairs):
    """Logits of the labels' first tokens, one row per pair: 8 greedy steps without a cache."""
    conversations = []
    for case, document in pairs:
        content = [
            {"type": "image", "image": picture(document)},
            {"type": "text", "text": f"background: {document['caption']}\n\n"},
            {"type": "image", "image": picture(case)},
            {"type": "text", "text": tasks[case["task"]]["question"]},
        ]
        conversations.append([{"role": "user", "content": content}])
    prepared = processor.apply_chat_template(
        conversations, tokenize=True, return_dict=True, return_tensors="pt", padding=True
    )
    with torch.no_grad():
        output = lvlm.generate(
            **prepared, max_new_tokens=NEW_TOKENS, min_new_tokens=NEW_TOKENS, do_sample=False, use_cache=False,
            output_logits=True, return_dict_in_generate=True,
        )
    return output.logits[0]


def step(batch, index):
    with torch.no_grad():
        rows = (queries(batch) @ index.T).topk(CANDIDATES).indices
    scores, rewards = [], []
    for first in range(0, CANDIDATES, CHUNK):
        chunk = [[corpus[row] for row in rows[b, first : first + CHUNK]] for b in range(len(batch))]
        logits = read([(case, document) for case, documents in zip(batch, chunk) for document in documents])
        logits = logits.view(len(batch), CHUNK, -1)
        for_gold = []
        for b, case in enumerate(batch):
            labels = [label["id"] for label in tasks[case["task"]]["labels"]]
            tokens = [processor.tokenizer.encode(label, add_special_tokens=False)[0] for label in labels]
            probabilities = logits[b][:, tokens].softmax(-1)
            for_gold.append(probabilities.log_softmax(-1)[:, labels.index(case["answer"])])
        rewards.append(torch.stack(for_gold))
        with torch.no_grad():
            documents = torch.stack([embed(frozen, own) for own in chunk])
        scores.append((queries(batch).unsqueeze(1) * documents).sum(-1))
    scores, rewards = torch.cat(scores, 1), torch.cat(rewards, 1)
    posterior = (rewards.log_softmax(-1) + scores.detach().log_softmax(-1)).softmax(-1)
    loss = torch.nn.KLDivLoss()(scores.log_softmax(-1), posterior)
    optimizer.zero_grad()
    (1000 * loss).backward()
    optimizer.step()


def reference_seconds():
    with torch.no_grad():
        index = torch.cat([embed(frozen, corpus[first : first + 64]) for first in range(0, len(corpus), 64)])
    order = torch.randperm(len(cases)).tolist()
    seconds = []
    for number in range(options.steps + 1):
        batch = [cases[place] for place in order[number * BATCH : (number + 1) * BATCH]]
        begun = time.perf_counter()
        step(batch, index)
        seconds.append(time.perf_counter() - begun)
    return seconds[1:]  # the first one warms up


def dissent_rounds(folder):
    steps = -(-len(cases) // BATCH)
    command = [options.dissent, "train", "retriever", dataset, "--workspace", folder / "workspace"]
    command += ["--encoder", encoder, "--reader", reader, "--out", folder / "heads", "--kind", "tower"]
    command += ["--compat", "reference", "--validate-every", steps, "--steps", steps * options.passes]
    subprocess.run([str(part) for part in command], check=True, capture_output=True)
    log = (folder / "heads.training" / "train.jsonl").read_text()
    lines = [json.loads(line)["figures"] for line in (folder / "heads.caption.training" / "train.jsonl").read_text().splitlines()]
    return steps, lines + [json.loads(line)["figures"] for line in log.splitlines()]


with tempfile.TemporaryDirectory() as folder:
    steps, rounds = dissent_rounds(pathlib.Path(folder))
reference = reference_seconds()
middle = statistics.median(reference)
passes = BATCH * CANDIDATES * NEW_TOKENS
print(f"batch {BATCH}, {CANDIDATES} candidates, {options.threads} threads")
print(f"reference  {middle:8.3f} s per step (median, n={len(reference)}), {passes} forward passes of the reader per step")
for number, figures in enumerate(rounds):
    head_name = "caption" if number < options.passes else "image"
    seconds, calls = figures["seconds_per_step"], figures["reader_calls"] / steps
    print(
        f"dissent    {seconds:8.3f} s per step (mean, n={steps}), {calls:6.2f} reader calls per step, "
        f"{head_name} head, pass {number % options.passes + 1}: {middle / seconds:6.1f} times faster"
    )
