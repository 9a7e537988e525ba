"""Writes the fixtures of the Hugging Face importer: small tables with every trap that the tests assert.

    python -m venv venv && venv/bin/pip install datasets==5.2.0 pillow
    venv/bin/python generate.py FOLDER

The folders are written by `datasets` itself, except where a comment says that an older or another writer is imitated.
"""

import io
import json
import re
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from datasets import ClassLabel, Dataset, DatasetDict, Features, Image, List, Value
from PIL import Image as Pillow


def png(value):
    """A grey image of 4 x 4 pixels of this value."""
    out = io.BytesIO()
    Pillow.new("L", (4, 4), value).save(out, "PNG")
    return {"bytes": out.getvalue(), "path": None}


def cmyk_jpeg():
    out = io.BytesIO()
    Pillow.new("CMYK", (8, 8), (200, 10, 30, 40)).save(out, "JPEG")
    return out.getvalue()


def with_features(table, features):
    """The table with these features in its metadata, as older writers spelt them."""
    metadata = dict(table.schema.metadata or {})
    metadata[b"huggingface"] = json.dumps({"info": {"features": features}}).encode()
    return table.replace_schema_metadata(metadata)


def image_array(images, order=("bytes", "path"), binary=pa.binary(), text=pa.string()):
    types = {"bytes": binary, "path": text}
    return pa.array(images, pa.struct([pa.field(name, types[name]) for name in order]))


def save(data, path):
    """With `to_parquet`, unless an image is only a path, which it would open."""
    path.parent.mkdir(parents=True, exist_ok=True)
    table = data.data.table
    images = table["image"].to_pylist()
    if any(image and image["bytes"] is None for image in images):
        pq.write_table(table, path)
    else:
        data.to_parquet(path)


def write(table, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path)


def vqa(root):
    """Questions about repeated pictures; two shards of training, a file name with a hash (older writer)."""
    features = Features({"image": Image(), "question": Value("string"), "answer": Value("string")})
    named = lambda value, row: {"bytes": png(value)["bytes"], "path": f"img_{row}.jpg"}
    rows = {
        "train-00000-of-00002": [
            ({"bytes": cmyk_jpeg(), "path": "img_0.jpg"}, "what is shown?", "a gland"),
            (named(10, 1), "is there a mass?", "yes"),
            (named(10, 2), "where is the mass?", "left lobe, upper part"),
        ],
        "train-00001-of-00002": [
            (named(20, 3), "is there a mass?", "no"),
            (named(10, 4), "is the mass large?", "yes"),
            (named(20, 5), "what is missing?", "nan"),
        ],
        "validation-00000-of-00001": [(named(30, 0), "is there a mass?", "no")],
        "test-00000-of-00001-9e02ed5fdb28e7a3": [
            (named(40, 0), "is there a mass?", "yes"),
            (named(10, 1), "is there a mass?", "no"),
            (named(50, 2), "what is shown?", ""),
            (None, "is there an image?", "no"),
            ({"bytes": None, "path": "/home/author/img_4.jpg"}, "is there an image?", "no"),
        ],
    }
    for name, part in rows.items():
        columns = {key: [row[at] for row in part] for at, key in enumerate(features)}
        save(Dataset.from_dict(columns, features=features), root / "vqa" / "data" / f"{name}.parquet")


def classes(root):
    """One class per image, and several: -1, null, the empty list and the list that is null."""
    names = ["CT", "MRI", "X-Ray, chest"]
    features = Features(
        {"image": Image(), "label": ClassLabel(names=names), "findings": List(ClassLabel(names=["mass", "edema"]))}
    )
    rows = {
        "image": [png(value) for value in range(6)],
        "label": [0, 2, -1, None, 1, 1],
        "findings": [[0], [], [1, 0], None, [1], [0]],
    }
    data = Dataset.from_dict(rows, features=features)
    save(data, root / "classes" / "train.parquet")
    # An older writer: path before bytes, `Sequence`, list children called `item`.
    old = pa.table(
        {
            "label": pa.array(rows["label"], pa.int64()),
            "image": image_array(rows["image"], ("path", "bytes")),
            "findings": pa.array(rows["findings"], pa.list_(pa.field("item", pa.int64()))),
        }
    )
    label = {"names": names, "id": None, "_type": "ClassLabel"}
    finding = {"names": ["mass", "edema"], "_type": "ClassLabel"}
    image = {"mode": None, "decode": True, "id": None, "_type": "Image"}
    sequence = {"feature": finding, "length": -1, "id": None, "_type": "Sequence"}
    write(with_features(old, {"image": image, "label": label, "findings": sequence}), root / "old" / "train.parquet")
    # Another spelling of the list, and 64-bit offsets.
    array = pa.table(
        {
            "image": image_array(rows["image"], binary=pa.large_binary(), text=pa.large_string()),
            "findings": pa.array(rows["findings"], pa.large_list(pa.int64())),
        }
    )
    write(with_features(array, {"image": image, "findings": [finding]}), root / "large" / "train.parquet")
    # A class that is not there.
    wrong = with_features(old.set_column(0, "label", pa.array([0, 1, 7, 0, 0, 0], pa.int64())), {"image": image, "label": label})
    write(wrong, root / "wrong_class" / "train.parquet")
    # Only paths of the author's disk.
    paths = pa.table({"image": pa.array(["/home/author/1.png", "b.png"]), "label": pa.array([0, 1], pa.int64())})
    write(with_features(paths, {"image": image, "label": label}), root / "only_paths" / "train.parquet")


def plain(root):
    """Without the features of `datasets`, as pandas and polars write."""
    table = pa.table(
        {
            "image": pa.array([png(1)["bytes"], png(2)["bytes"], png(3)["bytes"]], pa.large_binary()),
            "grade": pa.array([0, 1, None], pa.int64()),
            "kind": pa.array(["a", "b", "a"]).dictionary_encode(),
            "score": pa.array([1.0, float("nan"), 0.5]),
            "caption": pa.array(["one", "two", "three"], pa.large_string()),
        }
    )
    write(table, root / "plain" / "table.parquet")


def nested(root):
    """Several row groups, one with an image that is null; a struct, and a `Sequence` of a dict, which is a struct of lists."""
    table = pa.table(
        {
            "image": image_array([png(1), png(2), png(3), None, png(5)]),
            "meta": pa.array([{"patient_id": f"p{row // 2}", "age": row} for row in range(5)]),
            "boxes": pa.array(
                [{"kind": kinds, "x": [0.5] * len(kinds)} for kinds in [[0], [], [1, 0], [1], [0]]],
                pa.struct([("kind", pa.list_(pa.int64())), ("x", pa.list_(pa.float32()))]),
            ),
        }
    )
    kind = {"names": ["mass", "edema"], "_type": "ClassLabel"}
    number = {"dtype": "float32", "_type": "Value"}
    features = {
        "image": {"_type": "Image"},
        "meta": {"patient_id": {"dtype": "string", "_type": "Value"}, "age": {"dtype": "int64", "_type": "Value"}},
        "boxes": {"feature": {"kind": kind, "x": number}, "length": -1, "_type": "Sequence"},
    }
    path = root / "nested" / "train.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(with_features(table, features), path, row_group_size=2)


def captions(root):
    """Captions as in the mirrors of ROCO and ROCOv2."""
    features = Features(
        {"image": Image(), "image_id": Value("string"), "caption": Value("string"), "cui": List(Value("string"))}
    )
    for split, start, count in [("train", 0, 4), ("test", 10, 2)]:
        rows = {
            "image": [png(start + row) for row in range(count)],
            "image_id": [f"ROCOv2_2023_{split}_{row:06}" for row in range(count)],
            "caption": [f"CT of {start + row}, \"large\"\nwith a line break." for row in range(count)],
            "cui": [["C0040405", "C1"], [], None, ["C2"]][:count],
        }
        if split == "train":
            rows["caption"][2] = ""
            rows["image"][3] = None
        save(Dataset.from_dict(rows, features=features), root / "captions" / "data" / f"{split}-00000-of-00001.parquet")


def saved(root):
    """`save_to_disk`: several splits, and one alone in two files with several batches; one image is only a path."""
    features = Features({"image": Image(), "label": ClassLabel(names=["no", "yes"])})
    part = lambda values: Dataset.from_dict(
        {"image": [png(value) for value in values], "label": [value % 2 for value in values]}, features=features
    )
    DatasetDict({"train": part(range(5)), "test": part(range(5, 8))}).save_to_disk(root / "saved")
    rows = {"image": [png(1), {"bytes": None, "path": "/home/author/2.png"}, png(3), png(4)], "label": [1, 0, 1, -1]}
    table = with_features(
        pa.table({"image": image_array(rows["image"]), "label": pa.array(rows["label"], pa.int64())}),
        features.to_dict(),
    )
    folder = root / "saved_one"
    folder.mkdir(parents=True, exist_ok=True)
    names = ["data-00000-of-00002.arrow", "data-00001-of-00002.arrow"]
    for name, start in zip(names, [0, 3]):
        with pa.ipc.new_stream(folder / name, table.schema) as stream:
            for batch in table.slice(start, 3).to_batches(max_chunksize=2):
                stream.write_batch(batch)
    (folder / "state.json").write_text(json.dumps({"_data_files": [{"filename": name} for name in names], "_split": "test"}))
    (folder / "dataset_info.json").write_text(json.dumps({"features": features.to_dict()}))


def vqa_rad(root):
    """A copy of VQA-RAD as parquet, and the folder of the release that it was made from."""
    spelt = lambda text: re.sub(" +", " ", text.lower()).replace(" ?", "?").strip()
    release = root / "vqa_rad" / "osf"
    (release / "images").mkdir(parents=True, exist_ok=True)
    for number, value in enumerate([10, 20, 30, 40]):
        (release / "images" / f"made{number}.png").write_bytes(png(value)["bytes"])
    # id, phrase type, MedPix case, image, question, answer, answer type
    rows = [
        (1, "freeform", "A", 0, "Is there  a Mass ?", "Yes", "CLOSED"),
        (2, "para", "A", 0, "Is a mass there?", "yes", "CLOSED"),
        (3, "freeform", "A", 1, "What is shown?", "The liver", "OPEN"),
        (4, "freeform", "B", 2, "Is there a mass?", "No", "CLOSED"),
        (5, "freeform", "B", 2, "Is there a mass?", "Yes", "CLOSED"),
        (6, "test_freeform", "A", 1, "Is there a mass?", "No", "CLOSED"),
    ]
    table = []
    for qid, phrase, case, image, question, answer, kind in rows:
        row = {"qid": qid, "phrase_type": phrase, "qid_linked_id": f"l{qid}", "image_name": f"made{image}.png"}
        row |= {"image_case_url": f"https://example.org/case?id={case}", "image_organ": "ABD", "question_type": "PRES"}
        table.append(row | {"question": question, "answer": answer, "answer_type": kind})
    (release / "questions.json").write_text(json.dumps(table, indent=1))
    features = Features({"image": Image(), "question": Value("string"), "answer": Value("string")})
    for split, wanted in [("train", lambda row: row[1] != "test_freeform"), ("test", lambda row: row[1] == "test_freeform")]:
        chosen = [(row[3], row[4], row[5]) for row in rows if wanted(row)]
        if split == "train":
            # A question and a picture that the release does not have.
            chosen += [(0, "Is it made up?", "Yes"), (9, "What is this?", "A picture of its own")]
        columns = {"image": [], "question": [], "answer": []}
        for number, (image, question, answer) in enumerate(chosen):
            picture = png([10, 20, 30, 40][image] if image < 4 else 99)
            columns["image"].append({"bytes": picture["bytes"], "path": f"img_{number}.jpg"})
            columns["question"].append(spelt(question))
            columns["answer"].append(spelt(answer))
        path = root / "vqa_rad" / "copy" / "data" / f"{split}-00000-of-00001.parquet"
        save(Dataset.from_dict(columns, features=features), path)


def main():
    root = Path(sys.argv[1])
    for part in [vqa, classes, plain, nested, captions, saved, vqa_rad]:
        part(root)


main()
