"""Compares what `dissent import hf` made of a dataset with what `datasets` reads from the same files: rows, splits, answers,
captions and pixels.

    python compare_with_datasets.py SOURCE DATASET [--program dissent] [--loader parquet|disk]

SOURCE is a folder of parquet files or of `save_to_disk`; DATASET is written anew. A cell of a table is read with pyarrow by the
name that the case gives it (`FILE.parquet!/image/3`), so the comparison does not depend on dissent's own reading of it.
"""

import argparse
import io
import json
import subprocess
import tomllib
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from datasets import ClassLabel, DatasetDict, load_dataset, load_from_disk
from PIL import Image

parser = argparse.ArgumentParser()
parser.add_argument("source", type=Path)
parser.add_argument("dataset", type=Path)
parser.add_argument("--program", default="dissent")
parser.add_argument("--loader", choices=["parquet", "disk"], default="parquet")
arguments = parser.parse_args()

command = [arguments.program, "import", "hf", arguments.source, arguments.dataset, "--json", "--replace"]
imported = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
lines = lambda name: [json.loads(line) for line in (arguments.dataset / name).read_text().splitlines() if line]
cases, corpus = lines("cases.jsonl"), lines("corpus.jsonl")
if arguments.loader == "disk":
    reference = load_from_disk(arguments.source)
    reference = reference if isinstance(reference, DatasetDict) else DatasetDict({"train": reference})
else:
    reference = load_dataset(str(arguments.source))

tables = {}


def cell(path):
    container, _, member = path.partition("!/")
    column, row = member.rsplit("/", 1)
    if container not in tables:
        is_parquet = container.endswith(".parquet")
        tables[container] = pq.read_table(container) if is_parquet else pa.ipc.open_stream(container).read_all()
    return tables[container][column][int(row)].as_py()["bytes"]


def pixels(data):
    image = data if isinstance(data, Image.Image) else Image.open(io.BytesIO(data))
    return np.asarray(image.convert("RGB"))


def answers_of(row, features):
    """The answers of a row as its cases must have them: by task for classes, one for a question."""
    if "question" in row and "answer" in row:
        text = str(row["answer"]).strip()
        lower = text.rstrip(".").lower()
        return [lower if lower in ("yes", "no") else text] if text else []
    found = []
    for name, feature in features.items():
        value = row[name]
        if isinstance(feature, ClassLabel):
            if value is not None and value != -1:
                found.append(feature.names[value])
        elif isinstance(getattr(feature, "feature", None), ClassLabel) and value is not None:
            found.append(sorted(feature.feature.names[label] for label in value))
    return found


def answer_of(case):
    """The answer of a case; a set of labels as a sorted list."""
    kind = kinds[case["task"]]
    if kind != "multi-label":
        return case["answer"]
    text = case["answer"]
    if text.startswith("["):
        return sorted(json.loads(text))
    return sorted(part.strip() for part in text.split(","))


manifest = tomllib.loads((arguments.dataset / "dataset.toml").read_text())
kinds = {task["id"]: task["kind"] for task in manifest.get("task", [])}
rows = images = answers = captions = 0
by_split = {}
for case in cases:
    by_split.setdefault(case["split"], []).append(case)
documents = iter(corpus)
only_corpus = not cases
for split, data in reference.items():
    own = iter(by_split.get(split, []))
    for row in data:
        rows += 1
        if row["image"] is None:
            continue
        if only_corpus:
            if not (row["caption"] or "").strip():
                continue
            document = next(documents)
            assert document["caption"] == row["caption"].strip(), (document, row)
            assert np.array_equal(pixels(row["image"]), pixels(cell(document["image"]))), document
            captions += 1
            images += 1
            continue
        expected = answers_of(row, data.features)
        found = [next(own) for _ in expected]
        got = [answer_of(case) for case in found]
        assert sorted(map(str, got)) == sorted(map(str, expected)), (found, expected)
        answers += len(expected)
        for case in found:
            assert case.get("question") == row.get("question", None) or "question" not in row, (case, row)
            assert np.array_equal(pixels(row["image"]), pixels(cell(case["image"]))), case
            images += 1
    assert next(own, None) is None, f"{split}: dissent has more cases than datasets has answers"
assert next(documents, None) is None or not only_corpus
print(f"{arguments.source.name}: equal: {rows} rows, {answers} answers, {captions} captions, {images} images; "
      f"left out {sum(rows['count'] for rows in imported['left_out'])}")
