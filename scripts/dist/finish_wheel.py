"""Adds manual pages, completions and licences to maturin's wheel: finish_wheel.py FOLDER PARTS OUT

FOLDER has one wheel; PARTS has `share/` and THIRD-PARTY-LICENCES.txt. Writes the finished wheel into OUT.
"""

import pathlib
import shutil
import sys
import tempfile
import zipfile

from wheel.wheelfile import WheelFile


def main() -> None:
    folder, parts, out = (pathlib.Path(argument) for argument in sys.argv[1:4])
    (wheel,) = folder.glob("*.whl")
    with tempfile.TemporaryDirectory() as name:
        tree = pathlib.Path(name)
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(tree)
        (data,) = tree.glob("*.data")
        (info,) = tree.glob("*.dist-info")
        # Extraction drops modes; installers take them from the archive.
        (data / "scripts" / "dissent").chmod(0o755)
        # `data/` goes to the prefix of the installation: of a virtual environment, or ~/.local.
        shutil.copytree(parts / "share", data / "data" / "share")
        shutil.copy(parts / "THIRD-PARTY-LICENCES.txt", info / "licenses")
        # Its writer makes the list of files anew.
        (info / "RECORD").unlink()
        with WheelFile(out / wheel.name, "w") as finished:
            finished.write_files(tree)


if __name__ == "__main__":
    main()
