"""Searches the same FAISS file through dissent and through FAISS's own Python package, query by query in turn.

    python -m venv venv && venv/bin/pip install numpy faiss-cpu
    venv/bin/python benches/large_corpus.py FOLDER --documents 1000000 --dimension 512
    dissent index FOLDER/dataset --image-vectors FOLDER/images.npy --query-vectors FOLDER/queries.npy --exact-up-to 1000000
    venv/bin/python benches/against_faiss.py FOLDER

Prints the median and the 99th percentile of both, and the median of the ratios of the pairs; and the recall@10 of dissent's
answers against a comparison with every vector, by numpy. Both use as many threads as OMP_NUM_THREADS says. Where the file has
codes, Python fetches 64 of them and scores them again by the vectors, as dissent does.
"""

import argparse
import json
import re
import subprocess
import time
from pathlib import Path

import faiss
import numpy as np

parser = argparse.ArgumentParser()
parser.add_argument("folder", type=Path)
parser.add_argument("--queries", type=int, default=200)
parser.add_argument("--limit", type=int, default=10)
arguments = parser.parse_args()
folder, limit = arguments.folder, arguments.limit


def exact(vectors, queries, count):
    best = [(np.empty(0, np.float32), np.empty(0, np.int64)) for _ in queries]
    for start in range(0, len(vectors), 100_000):
        scores = queries @ np.asarray(vectors[start : start + 100_000]).T
        for number, row in enumerate(scores):
            top = np.argpartition(-row, count)[:count]
            merged = np.concatenate([best[number][0], row[top]]), np.concatenate([best[number][1], top + start])
            order = np.argsort(-merged[0], kind="stable")[:count]
            best[number] = merged[0][order], merged[1][order]
    return [set(rows.tolist()) for _, rows in best]


vectors = np.load(folder / "images.npy", mmap_mode="r")
queries = np.load(folder / "queries.npy")[: arguments.queries]
command = ["cargo", "bench", "--quiet", "--locked", "--profile", "dev", "--bench", "vectors", "--"]
command += [str(folder / "dataset"), str(folder / "queries.npy"), str(limit)]
process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
opened = json.loads(process.stdout.readline())
print(opened)
begun = time.perf_counter()
index = faiss.read_index(str(folder / "dataset/.dissent/index/image.faiss"))
print(f"FAISS from Python: read in {time.perf_counter() - begun:.2f} s")
probes = re.search(r"(\d+) probed", opened["index"])
if probes:
    index.nprobe = int(probes[1])
codes = " in " in opened["index"]


def search_in_python(query):
    if not codes:
        return index.search(query[None], limit)[1][0]
    rows = index.search(query[None], 64)[1][0]
    return rows[np.argsort(-(vectors[rows] @ query), kind="stable")[:limit]]


ours, theirs, rows = [], [], []
for turn, query in enumerate(queries):
    process.stdin.write("\n")
    process.stdin.flush()
    line = json.loads(process.stdout.readline())
    begun = time.perf_counter()
    search_in_python(query)
    seconds = time.perf_counter() - begun
    if turn >= 5:
        ours.append(line["seconds"])
        theirs.append(seconds)
    rows.append(line["rows"])
process.stdin.close()
for name, seconds in [("dissent", ours), ("FAISS from Python", theirs)]:
    print(f"{name}: median {1e3 * np.median(seconds):.2f} ms, p99 {1e3 * np.percentile(seconds, 99):.2f} ms, n = {len(seconds)}")
print(f"dissent / Python: {np.median(np.array(ours) / np.array(theirs)):.3f} (median of the pairs)")
truth = exact(vectors, queries, limit)
found = sum(len(set(row) & best) for row, best in zip(rows, truth))
print(f"recall@{limit}: {found / (limit * len(queries)):.4f}, n = {len(queries)}")
