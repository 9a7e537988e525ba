"""Writes a dataset of many documents with brought vectors: clustered unit vectors of a fixed seed, not uniform noise.

    python -m venv venv && venv/bin/pip install numpy pillow
    venv/bin/python benches/large_corpus.py FOLDER --documents 2000000 --dimension 768

FOLDER/dataset has 200 cases and the documents, which share 64 small images; FOLDER/{images,captions,queries}.npy the vectors, by
order. A document's image vector lies around one of 20,000 centres, its caption vector around its image vector; a case's vector
lies around a centre like those of images. 2,000,000 x 768 take 12.4 GB.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from PIL import Image

parser = argparse.ArgumentParser()
parser.add_argument("folder", type=Path)
parser.add_argument("--documents", type=int, default=2_000_000)
parser.add_argument("--dimension", type=int, default=768)
parser.add_argument("--cases", type=int, default=200)
parser.add_argument("--centres", type=int, default=20_000)
parser.add_argument("--seed", type=int, default=23)
arguments = parser.parse_args()

SIGNS = ["nodule", "effusion", "consolidation", "fracture", "cyst", "haemorrhage", "mass", "oedema", "atelectasis", "stenosis"]
PLACES = ["left upper lobe", "right lower lobe", "liver", "kidney", "femur", "frontal lobe", "pancreas", "spleen", "thyroid", "hip"]
BLOCK = 50_000


def unit(vectors):
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def write_dataset(folder):
    (folder / "images").mkdir(parents=True)
    numbers = np.random.default_rng(arguments.seed)
    for number in range(64 + arguments.cases):
        pixels = numbers.integers(0, 256, (32, 32), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / "images" / f"{number}.png")
    (folder / "dataset.toml").write_text(
        'name = "many documents"\nlicence = "CC0-1.0"\n\n'
        '[[task]]\nid = "sign"\nkind = "closed-vqa"\nquestion = "Is there a sign?"\n'
        '[[task.labels]]\nid = "yes"\nname = "yes"\n[[task.labels]]\nid = "no"\nname = "no"\n'
    )
    with open(folder / "cases.jsonl", "w") as cases:
        for number in range(arguments.cases):
            answer = ["yes", "no"][number % 2]
            case = {"id": f"case-{number:04}", "image": f"images/{64 + number}.png", "task": "sign", "answer": answer, "split": "test"}
            cases.write(json.dumps(case) + "\n")
    with open(folder / "corpus.jsonl", "w") as corpus:
        for number in range(arguments.documents):
            sign, place = SIGNS[number % 10], PLACES[number // 10 % 10]
            caption = f"Figure {number}: axial image of a {number % 89} year old patient with a {sign} of {number % 97} mm in the {place}."
            document = {"id": f"d{number:08}", "image": f"images/{number % 64}.png", "caption": caption, "group": f"article-{number // 4}"}
            corpus.write(json.dumps(document) + "\n")


def write_vectors(folder):
    numbers = np.random.default_rng(arguments.seed)
    dimension = arguments.dimension
    centres = unit(numbers.standard_normal((arguments.centres, dimension), dtype=np.float32))
    spread = 0.7 / np.sqrt(dimension)

    def around(vectors, width):
        return unit(vectors + width * numbers.standard_normal(vectors.shape, dtype=np.float32))

    files = {
        name: np.lib.format.open_memmap(folder / f"{name}.npy", "w+", np.float32, (count, dimension))
        for name, count in [("images", arguments.documents), ("captions", arguments.documents), ("queries", arguments.cases)]
    }
    for start in range(0, arguments.documents, BLOCK):
        count = min(BLOCK, arguments.documents - start)
        images = around(centres[numbers.integers(0, len(centres), count)], spread)
        files["images"][start : start + count] = images
        files["captions"][start : start + count] = around(images, spread)
    files["queries"][:] = around(centres[numbers.integers(0, len(centres), arguments.cases)], spread)
    for file in files.values():
        file.flush()


write_dataset(arguments.folder / "dataset")
write_vectors(arguments.folder)
