"""Packs the program for people without pip: tarball.py PARTS WHEELS OUT

PARTS has `share/` and THIRD-PARTY-LICENCES.txt; WHEELS has maturin's wheel, whose program and list of parts (SBOM) are taken. Same input, same
bytes: times are SOURCE_DATE_EPOCH, names are sorted, nobody owns the files.
"""

import gzip
import io
import os
import pathlib
import sys
import tarfile
import zipfile

OF_THE_PROJECT = ["README.md", "CHANGELOG.md", "LICENSE-APACHE", "LICENSE-MIT", "themes"]


def main() -> None:
    parts, wheels, out = (pathlib.Path(argument) for argument in sys.argv[1:4])
    (wheel,) = wheels.glob("*.whl")
    version = wheel.name.split("-")[1]
    folder = f"dissent-{version}-x86_64-linux"
    contents: dict[str, bytes] = {}
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if name.endswith("scripts/dissent"):
                contents["bin/dissent"] = archive.read(name)
            elif "/sboms/" in name:
                contents["dissent.cyclonedx.json"] = archive.read(name)
    for name in OF_THE_PROJECT:
        path = pathlib.Path(name)
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            contents[str(file)] = file.read_bytes()
    for file in sorted(parts.rglob("*")):
        if file.is_file():
            contents[str(file.relative_to(parts))] = file.read_bytes()
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name, content in sorted(contents.items()):
            entry = tarfile.TarInfo(f"{folder}/{name}")
            entry.size, entry.mtime = len(content), int(os.environ["SOURCE_DATE_EPOCH"])
            entry.mode = 0o755 if name == "bin/dissent" else 0o644
            archive.addfile(entry, io.BytesIO(content))
    (out / f"{folder}.tar.gz").write_bytes(gzip.compress(plain.getvalue(), 9, mtime=0))


if __name__ == "__main__":
    main()
