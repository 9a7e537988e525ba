"""Prints the licences of everything that the program is made of: third_party_licences.py TARGET ZIGLANG

Crates are those that the program is linked with on TARGET (a Rust target triple), with the licence files of their packages and of
the C and C++ sources in them. A crate without a licence file is listed with its licence's name and its authors.
"""

import json
import pathlib
import re
import subprocess
import sys

LICENCE_FILE = re.compile(r"(licen[cs]e|copying|notice|unlicense|copyright)", re.IGNORECASE)
RUNTIME = """libstdc++, libgomp (GCC): GPL-3.0-or-later WITH GCC-exception-3.1
    The exception permits to link them into a program of any licence. Sources: https://gcc.gnu.org
"""


def linked_packages(target: str) -> list[dict]:
    """Packages below dissent's normal dependencies, sorted by name and version."""
    command = ["cargo", "metadata", "--locked", "--format-version", "1", "--filter-platform", target]
    metadata = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    packages = {package["id"]: package for package in metadata["packages"]}
    found, waiting = set(), [metadata["resolve"]["root"]]
    while waiting:
        identifier = waiting.pop()
        if identifier in found:
            continue
        found.add(identifier)
        for dependency in nodes[identifier]["deps"]:
            if any(kind["kind"] is None for kind in dependency["dep_kinds"]):
                waiting.append(dependency["pkg"])
    own = set(metadata["workspace_members"])
    return sorted((packages[one] for one in found - own), key=lambda package: (package["name"], package["version"]))


def licence_files(folder: pathlib.Path) -> list[pathlib.Path]:
    """Licence files of a package and of sources that it bundles."""
    files = (path for path in sorted(folder.rglob("*")) if LICENCE_FILE.match(path.name) and path.is_file())
    return [path for path in files if path.suffix.lower() in ("", ".md", ".txt", ".apache", ".mit", ".bsd")]


def main() -> None:
    target, ziglang = sys.argv[1], pathlib.Path(sys.argv[2])
    texts: dict[str, list[str]] = {}
    print("dissent is made of the packages below. Each licence text follows once, with the files that it came from.\n")
    for package in linked_packages(target):
        name = f"{package['name']} {package['version']}"
        folder = pathlib.Path(package["manifest_path"]).parent
        files = licence_files(folder)
        licence = package["license"] or f"see {package['license_file']}"
        authors = "" if files else "; no licence file; by " + (", ".join(package["authors"]) or "its contributors")
        print(f"{name}: {licence}{authors}")
        for path in files:
            text = path.read_text(encoding="utf-8", errors="replace").strip()
            texts.setdefault(text, []).append(f"{name}: {path.relative_to(folder)}")
    for path in licence_files(ziglang / "lib" / "libunwind"):
        texts.setdefault(path.read_text(encoding="utf-8").strip(), []).append("LLVM libunwind")
    print(f"LLVM libunwind: Apache-2.0 WITH LLVM-exception\n{RUNTIME}")
    for text, sources in texts.items():
        print("=" * 100)
        print("\n".join(sources))
        print("-" * 100)
        print(text + "\n")


if __name__ == "__main__":
    main()
