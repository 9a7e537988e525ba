"""Imports a corpus of many rows from parquet shards, and reads the same columns of the same files with pyarrow.

    python -m venv venv && venv/bin/pip install pyarrow
    venv/bin/python benches/import_against_pyarrow.py --program target/release/dissent --rows 2000000

Prints seconds, rows per second and peak memory of both, and their ratio. With --group, documents are grouped by a column, and no
image is read; without it they are grouped by the hash of the image, and all are. The files are written to --folder (0.5 GB for
two million rows) and removed at the end.
"""

import argparse
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

parser = argparse.ArgumentParser()
parser.add_argument("--program", default="dissent")
parser.add_argument("--rows", type=int, default=2_000_000)
parser.add_argument("--shards", type=int, default=8)
parser.add_argument("--folder", type=Path, default=Path("/tmp/import-bench"))
parser.add_argument("--group", action="store_true")
parser.add_argument("--read", type=Path, help=argparse.SUPPRESS)
parser.add_argument("--write", type=Path, help=argparse.SUPPRESS)


def write(folder, rows, shards):
    import pyarrow as pa
    import pyarrow.parquet as pq

    image = '{"info": {"features": {"image": {"_type": "Image"}}}}'
    folder.mkdir(parents=True)
    for shard in range(shards):
        numbers = range(rows * shard // shards, rows * (shard + 1) // shards)
        content = [{"bytes": b"\x89PNG\r\n\x1a\n" + number.to_bytes(8) * 4, "path": None} for number in numbers]
        caption = [f"Axial CT of case {number} with an enlarged lymph node, {number % 97} mm in its short axis." for number in numbers]
        table = pa.table(
            {
                "image": pa.array(content, pa.struct([("bytes", pa.binary()), ("path", pa.string())])),
                "image_id": [f"ROCOv2_{number:08}" for number in numbers],
                "pmcid": [f"PMC{number // 3}" for number in numbers] if arguments.group else ["" for _ in numbers],
                "caption": caption,
            }
        )
        if not arguments.group:
            table = table.drop_columns(["pmcid"])
        table = table.replace_schema_metadata({"huggingface": image})
        pq.write_table(table, folder / f"train-{shard:05}-of-{shards:05}.parquet", row_group_size=50_000)


def read(folder):
    import pyarrow.parquet as pq

    columns = ["image_id", "caption"] + (["pmcid"] if arguments.group else ["image.bytes"])
    rows = 0
    for path in sorted(folder.glob("*.parquet")):
        for batch in pq.ParquetFile(path).iter_batches(8192, columns=columns):
            # As Python objects, as whoever writes a line per row has to.
            rows += len(batch.to_pylist())
    print(rows)


def timed(command):
    """Seconds and peak memory in MB of a command."""
    start = time.monotonic()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    if status:
        sys.exit(f"{command} failed")
    return time.monotonic() - start, usage.ru_maxrss / 1024


arguments = parser.parse_args()
if arguments.read:
    read(arguments.read)
    sys.exit()
if arguments.write:
    write(arguments.write, arguments.rows, arguments.shards)
    sys.exit()
shutil.rmtree(arguments.folder, ignore_errors=True)
try:
    files, dataset = arguments.folder / "files", arguments.folder / "dataset"
    flags = ["--rows", str(arguments.rows), "--shards", str(arguments.shards)] + (["--group"] if arguments.group else [])
    # In another process: the peak memory of a child counts what its parent held when it was started.
    subprocess.run([sys.executable, __file__, "--write", files, *flags], check=True)
    size = sum(path.stat().st_size for path in files.iterdir())
    print(f"{arguments.rows} rows, {size / 1e6:.0f} MB, {arguments.shards} shards")
    own = [arguments.program, "import", "hf", files, dataset, "--as", "corpus"]
    theirs = [sys.executable, __file__, "--read", files, *flags]
    for name, command in [("dissent", own), ("pyarrow", theirs)]:
        seconds, memory = timed(command)
        print(f"{name}: {seconds:.1f} s, {arguments.rows / seconds:.0f} rows/s, {memory:.0f} MB")
        if name == "dissent":
            first = seconds
    print(f"dissent / pyarrow: {first / seconds:.2f}")
finally:
    shutil.rmtree(arguments.folder, ignore_errors=True)
