"""Adapters of PEFT: `adapters.py write <base> <folder>` makes random ones over a model, with the scores they give; `adapters.py read <task.json>`
tells what PEFT makes of adapters that others wrote: {"base", "adapter", "vocabulary", "ids"} each, answered with the scores.
"""

import json
import sys
from pathlib import Path

import torch
import transformers
from peft import LoraConfig, PeftModel, get_peft_model

EVERY = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
CASES = {
    "every projection": {"r": 4, "lora_alpha": 8, "target_modules": EVERY},
    "two projections, own ranks and alphas, rank-stabilised": {
        "r": 3,
        "lora_alpha": 5,
        "target_modules": ["q_proj", "down_proj"],
        "rank_pattern": {"down_proj": 6},
        "alpha_pattern": {"layers.1.self_attn.q_proj": 12},
        "use_rslora": True,
    },
    "output projection whole": {"r": 2, "lora_alpha": 2, "target_modules": ["v_proj"], "modules_to_save": ["lm_head"]},
}


def base_of(folder):
    return transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager")


def scores_of(model, ids):
    with torch.no_grad():
        return [[round(score, 6) for score in row] for row in model.eval()(torch.tensor([ids])).logits[0].tolist()]


def write(base, root):
    written = []
    for number, (name, settings) in enumerate(CASES.items()):
        generator = torch.Generator().manual_seed(number)
        model = get_peft_model(base_of(base), LoraConfig(task_type="CAUSAL_LM", **settings))
        with torch.no_grad():
            for parameter in model.parameters():
                if parameter.requires_grad:
                    parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator))
        folder = Path(root) / f"adapter-{number}"
        model.save_pretrained(folder)
        ids = torch.randint(0, model.config.vocab_size, (16,), generator=generator).tolist()
        written.append({"name": name, "folder": str(folder), "ids": ids, "scores": scores_of(model, ids)})
    return written


def read(base, adapter, vocabulary, ids):
    model = base_of(base)
    if model.config.vocab_size != vocabulary:
        model.resize_token_embeddings(vocabulary)
    return scores_of(PeftModel.from_pretrained(model, adapter), ids)


def main():
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    act, *arguments = sys.argv[1:]
    if act == "write":
        answer = write(*arguments)
    else:
        answer = [read(**given) for given in json.loads(Path(arguments[0]).read_text())]
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
