"""Random readers of the size that a laptop runs, for `against_transformers.py`: the published configurations of
SmolVLM-256M-Instruct and SmolVLM-500M-Instruct whole, and of Qwen2-VL with Qwen2-0.5B's decoder and a tower of CLIP's base size.

    pip install -r tests/fixtures/readers/requirements.txt
    python benches/mid_size_readers.py OUT        # writes OUT/smolvlm_256 (0.6 GB), OUT/smolvlm and OUT/qwen2_vl (1 GB each)
    python benches/mid_size_readers.py OUT smolvlm_256         # only these

Weights are stored in bfloat16, as published ones are. Templates and the way of the tokenizers are those of the fixtures,
their words those of the sample's captions. A picture costs SmolVLM one tile of 512 × 512 (64 tokens), Qwen2-VL 24 × 24
patches (144 tokens).
"""

import argparse
import json
import pathlib
import sys

import torch
from transformers import (
    Qwen2VLConfig,
    Qwen2VLForConditionalGeneration,
    Qwen2VLProcessor,
    Qwen2VLVideoProcessor,
    SmolVLMConfig,
    SmolVLMForConditionalGeneration,
    SmolVLMProcessor,
    SmolVLMVideoProcessor,
)
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil
from transformers.models.smolvlm.image_processing_pil_smolvlm import SmolVLMImageProcessorPil

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "tests" / "fixtures" / "readers"))
import generate as fixtures

CORPUS = [json.loads(line)["caption"] for line in open(HERE.parent / "sample-data" / "dataset" / "corpus.jsonl")]
# Answers are a token each, as with the published tokenizers.
CORPUS += ["Assistant: Yes", "Assistant: No", "Yes", "No"] * 100


def smolvlm_256(folder):
    smolvlm(folder, hidden=576, inner=1536, layers=30, heads=9, key_heads=3)


def smolvlm(folder, hidden=960, inner=2560, layers=32, heads=15, key_heads=5):
    tokens = fixtures.tokenizer(fixtures.SMOL_SPECIAL, False, CORPUS, 1000)
    config = SmolVLMConfig(
        image_token_id=3, scale_factor=4, tie_word_embeddings=False, pad_token_id=0,
        text_config={
            # The name that the published models have, by which llama.cpp's converter knows them.
            "architectures": ["VLlama3ForCausalLM"], "model_type": "llama", "vocab_size": 49280, "hidden_size": hidden,
            "intermediate_size": inner, "num_hidden_layers": layers, "num_attention_heads": heads,
            "num_key_value_heads": key_heads, "head_dim": 64,
            "max_position_embeddings": 8192, "rms_norm_eps": 1e-5, "bos_token_id": 1, "eos_token_id": 2,
            "pad_token_id": 0, "rope_parameters": {"rope_type": "default", "rope_theta": 100000.0},
        },
        vision_config={
            "hidden_size": 768, "intermediate_size": 3072, "num_hidden_layers": 12, "num_attention_heads": 12,
            "image_size": 512, "patch_size": 16,
        },
    )
    images = SmolVLMImageProcessorPil(size={"longest_edge": 512}, max_image_size={"longest_edge": 512})
    processor = SmolVLMProcessor(
        images, tokens, SmolVLMVideoProcessor(), image_seq_len=64, chat_template=fixtures.SMOL_TEMPLATE
    )
    write(SmolVLMForConditionalGeneration, config, processor, folder)


def qwen2_vl(folder):
    tokens = fixtures.tokenizer(fixtures.QWEN_SPECIAL, True, CORPUS, 1000)
    text = fixtures.qwen_text(
        tokens, vocab_size=151936, hidden_size=896, intermediate_size=4864, num_hidden_layers=24,
        num_attention_heads=14, num_key_value_heads=2, max_position_embeddings=32768,
        rope_parameters={"rope_type": "default", "rope_theta": 1000000.0, "mrope_section": [8, 12, 12]},
    )
    config = Qwen2VLConfig(
        text_config=text, tie_word_embeddings=True, **fixtures.QWEN_TOKENS,
        vision_config={
            "depth": 12, "embed_dim": 768, "hidden_size": 896, "num_heads": 12, "mlp_ratio": 4, "patch_size": 14,
        },
    )
    images = Qwen2VLImageProcessorPil(size={"shortest_edge": 336 * 336, "longest_edge": 336 * 336})
    processor = Qwen2VLProcessor(images, tokens, Qwen2VLVideoProcessor(), chat_template=fixtures.QWEN_TEMPLATE)
    write(Qwen2VLForConditionalGeneration, config, processor, folder)


def write(model_class, config, processor, folder):
    torch.manual_seed(1)
    model = model_class(config)
    print(folder.name, f"{sum(parameter.numel() for parameter in model.parameters()) / 1e6:.0f} M parameters")
    model.to(torch.bfloat16).save_pretrained(folder)
    processor.save_pretrained(folder)


arguments = argparse.ArgumentParser()
arguments.add_argument("out", type=pathlib.Path)
arguments.add_argument("names", nargs="*", default=["smolvlm_256", "smolvlm", "qwen2_vl"])
options = arguments.parse_args()
for name in options.names:
    {"smolvlm_256": smolvlm_256, "smolvlm": smolvlm, "qwen2_vl": qwen2_vl}[name](options.out / name)
