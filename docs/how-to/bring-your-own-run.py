#!/usr/bin/env python3
"""Makes vectors, hits and predictions of a dataset with numpy: a retriever and a reader that dissent does not know.

    python3 bring-your-own-run.py DATASET OUT [NUMBER_OF_TEST_CASES]

The "retriever" compares small grey pictures, and captions as bags of words. The "reader" believes the caption of the one
document that it is shown, as far as that document is similar. Replace both by yours; the files stay the same.
"""
import json
import sys
from pathlib import Path

import numpy as np
from PIL import Image

DIMENSIONS = 16  # of a vector
K = 3  # documents per head
TASK = "malignancy"
SAYS = {"Yes": "malignant", "No": "benign"}  # how a caption names a label


def read_lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def small(path):
    """A picture as 8 x 8 grey means, without its brightness."""
    with Image.open(path) as image:
        means = np.asarray(image.convert("L").resize((8, 8), Image.Resampling.BOX), np.float64).ravel()
    return means - means.mean()


def unit(rows):
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)


def main(dataset, out, number):
    out.mkdir(parents=True, exist_ok=True)
    corpus, every_case = read_lines(dataset / "corpus.jsonl"), read_lines(dataset / "cases.jsonl")

    # Vectors in the order of the dataset's lines: pictures by their main directions, and captions where their words lead to.
    pictures = np.array([small(dataset / document["image"]) for document in corpus])
    directions = np.linalg.svd(pictures - pictures.mean(axis=0), full_matrices=False)[2][:DIMENSIONS]
    images = unit(pictures @ directions.T)
    queries = unit(np.array([small(dataset / case["image"]) for case in every_case]) @ directions.T)
    words = sorted({word.strip(",;") for document in corpus for word in document["caption"].split()})
    bags = np.array([[float(word in document["caption"]) for word in words] for document in corpus])
    captions = unit(bags @ np.linalg.lstsq(bags, images, rcond=None)[0])
    for name, vectors in [("images", images), ("captions", captions), ("queries", queries)]:
        np.save(out / f"{name}.npy", vectors.astype(np.float16))
    wanted = [row for row, case in enumerate(every_case) if case["task"] == TASK and case["split"] == "test"][:number]
    cases = [every_case[row] for row in wanted]

    # Hits: the K best documents of each head.
    found = {}
    with (out / "hits.trec").open("w", encoding="utf-8") as file:
        for head, vectors in [("image", images), ("caption", captions)]:
            for case, scores in zip(cases, queries[wanted] @ vectors.T):
                for rank, row in enumerate(np.argsort(-scores, kind="stable")[:K], start=1):
                    document, score = corpus[row], round(float(scores[row]), 6)
                    file.write(f"{case['id']} Q0 {document['id']} {rank} {score} {head}\n")
                    hit = found.setdefault(case["id"], {}).setdefault(document["id"], (document, []))
                    hit[1].append({"head": head, "rank": rank, "score": score})

    # Predictions: one line per case and document, and one per case without a document.
    with (out / "predictions.jsonl").open("w", encoding="utf-8") as file:
        for case in cases:
            line = {"case": case["id"], "model": "caption-believer"}
            for document, heads in found[case["id"]].values():
                said = sum(sign for sign, word in ((1, SAYS["Yes"]), (-1, SAYS["No"])) if word in document["caption"])
                odds = 4.0 * said * heads[0]["score"]
                yes, no = -np.log1p(np.exp(-odds)), -np.log1p(np.exp(odds))
                numbers = {"Yes": round(float(yes), 6), "No": round(float(no), 6)}
                line_of_hit = {"document": document["id"], "heads": heads, "label_log_probabilities": numbers}
                file.write(json.dumps({**line, **line_of_hit}) + "\n")
            file.write(json.dumps({**line, "document": None, "text": "No"}) + "\n")


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) == 4 else None)
