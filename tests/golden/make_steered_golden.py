"""Writes tests/golden/steered.json: what PyTorch says of the tiny models under tests/golden/llama when vectors are added to their layers.

Run by hand with bench/peers/requirements.txt installed: `python tests/golden/make_steered_golden.py`. transformers (float32, eager attention, CPU)
is the oracle; a hook on each layer adds one row of a sum to its output, from one token on, and of another sum from a later token on.
"""

import json
import math
from pathlib import Path

import torch
import transformers

ROOT = Path(__file__).parent
MODELS = ["gqa", "tied-llama3-rope", "qwen2", "qwen3", "mistral", "gemma3", "granite", "smollm3"]
IDS = [(i * i * 7 + 3 * i) % 60 for i in range(20)]
STARTS = [7, 12]
TOLD = [6, 7, 11, 12, 19]


def vector_sum(layers, width, phase):
    """Row i, column k: 0.7 sin(1 + 3 i + k + 5 phase)."""
    return torch.tensor([[0.7 * math.sin(1 + 3 * i + k + 5 * phase) for k in range(width)] for i in range(layers)])


def steered_logits(model):
    config = model.config
    added = torch.zeros(config.num_hidden_layers, len(IDS), config.hidden_size)
    for phase, start in enumerate(STARTS):
        added[:, start:] = vector_sum(config.num_hidden_layers, config.hidden_size, phase)[:, None]

    def hook(rows):
        def add(_module, _inputs, output):
            return (output[0] + rows, *output[1:]) if isinstance(output, tuple) else output + rows

        return add

    hooks = [layer.register_forward_hook(hook(rows)) for layer, rows in zip(model.model.layers, added)]
    with torch.no_grad():
        logits = model(torch.tensor([IDS]), use_cache=False).logits[0]
    for each in hooks:
        each.remove()
    return [[float(f"{value:.7g}") for value in logits[place]] for place in TOLD]


def main():
    torch.set_num_threads(1)
    models = {}
    for name in MODELS:
        folder = ROOT / "llama" / name
        options = {"dtype": torch.float32, "attn_implementation": "eager"}
        models[name] = steered_logits(transformers.AutoModelForCausalLM.from_pretrained(folder, **options).eval())
    golden = {
        "made_by": f"tests/golden/make_steered_golden.py, torch {torch.__version__.split('+')[0]}, transformers {transformers.__version__}",
        "input_ids": IDS,
        "starts": STARTS,
        "told": TOLD,
        "logits": models,
    }
    (ROOT / "steered.json").write_text(json.dumps(golden, separators=(",", ":")).replace(',"', ',\n"') + "\n")


if __name__ == "__main__":
    main()
