"""Writes gguf-blocks.json beside this file: blocks of every type of number that is read from GGUF files, and what the Python package gguf makes of
them; the oracle of tests/model/formats/gguf-blocks.test.ts. Bytes and float32 numbers in base64. Run by hand with
bench/peers/requirements.txt installed: `python tests/golden/make_gguf_golden.py`. Same versions, same bytes."""

import base64
import json
from pathlib import Path

import gguf
import numpy as np

TYPES = ["F32", "F16", "BF16", "Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q4_K", "Q5_K", "Q6_K"]
# Where the scales of a block lie, as float16: random bits there would be huge or no number at all.
SCALES = {"Q8_0": [0], "Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208]}
PLAIN = {"F32": 16, "F16": 16, "BF16": 16}


def blocks_of(name, random):
    numbers, size = gguf.GGML_QUANT_SIZES[gguf.GGMLQuantizationType[name]]
    if name in PLAIN:
        values = random.normal(0, 3, PLAIN[name]).astype(np.float32)
        return gguf.quants.quantize(values, gguf.GGMLQuantizationType[name]).view(np.uint8).reshape(-1)
    blocks = random.integers(0, 256, (2, size), dtype=np.uint8)
    for at in SCALES[name]:
        blocks[:, at : at + 2] = random.normal(0, 0.1, 2).astype(np.float16).view(np.uint8).reshape(2, 2)
    return blocks.reshape(-1)


def main():
    random = np.random.default_rng(7)
    golden = {}
    for name in TYPES:
        kind = gguf.GGMLQuantizationType[name]
        blocks = blocks_of(name, random)
        values = gguf.quants.dequantize(blocks if name != "F32" else blocks.view(np.float32), kind)
        golden[name] = {
            "type": int(kind),
            "blocks": base64.b64encode(blocks.tobytes()).decode(),
            "values": base64.b64encode(values.astype(np.float32).tobytes()).decode(),
        }
    path = Path(__file__).parent / "gguf-blocks.json"
    path.write_text(json.dumps(golden, indent=1) + "\n")


if __name__ == "__main__":
    main()
