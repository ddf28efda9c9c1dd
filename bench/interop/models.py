"""Models of transformers: `models.py write <folder>` makes random ones with the scores they give; `models.py read <task.json>` tells what
transformers makes of folders that others wrote: {"folder", "ids"} each, answered with the scores.

Every parameter matters: matrices N(0, 0.08), biases and norms wide, so that a projection read the wrong way round shows.
"""

import json
import sys
from pathlib import Path

import torch
import transformers

SMALL = {
    "vocab_size": 320,
    "hidden_size": 64,
    "intermediate_size": 160,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 512,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
PLAIN = {"rope_type": "default", "rope_theta": 10000.0}
STRETCHED = {
    "rope_type": "llama3",
    "rope_theta": 500000.0,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}
# Two bases, one of them divided: a layer in three sees all, the others 32 tokens.
GEMMA = {
    "hidden_size": 48,
    "num_hidden_layers": 3,
    "head_dim": 24,
    "query_pre_attn_scalar": 40,
    "sliding_window": 32,
    "layer_types": ["sliding_attention", "sliding_attention", "full_attention"],
    "tie_word_embeddings": True,
    "rope_parameters": {
        "sliding_attention": {"rope_type": "default", "rope_theta": 10000.0},
        "full_attention": {"rope_type": "linear", "rope_theta": 1000000.0, "factor": 8.0},
    },
}
MULTIPLIERS = {"embedding_multiplier": 6.0, "attention_multiplier": 0.15, "residual_multiplier": 0.3, "logits_scaling": 2.0}
DENSE = {
    "num_local_experts": 0,
    "num_experts_per_tok": 0,
    "layer_types": ["full_attention", "full_attention"],
    "position_embedding_type": "rope",
    "shared_intermediate_size": 96,
    "mamba_n_heads": 8,
}


def case(kind, dtype, shard=None, **settings):
    config = getattr(transformers, f"{kind}Config")(**{**SMALL, "rope_parameters": PLAIN, **settings})
    return config, getattr(torch, dtype), shard


# name: config, type of the stored weights, largest shard
CASES = {
    "llama, grouped heads, untied": case("Llama", "float32", tie_word_embeddings=False),
    "llama, Llama-3 rope scaling, tied, bf16": case("Llama", "bfloat16", tie_word_embeddings=True, rope_parameters=STRETCHED),
    "llama, Llama-3 rope scaling, untied, bf16, shards": case(
        "Llama", "bfloat16", "60KB", tie_word_embeddings=False, rope_parameters=STRETCHED
    ),
    "llama, heads wider than hidden / heads, fp16, shards": case(
        "Llama", "float16", "60KB", tie_word_embeddings=False, head_dim=32
    ),
    "qwen2, tied, bf16": case("Qwen2", "bfloat16", tie_word_embeddings=True),
    "qwen2, untied, shards": case("Qwen2", "float32", "60KB", tie_word_embeddings=False),
    "qwen3, tied, bf16": case("Qwen3", "bfloat16", tie_word_embeddings=True, head_dim=24),
    "qwen3, untied, shards": case("Qwen3", "bfloat16", "60KB", tie_word_embeddings=False, head_dim=32),
    "mistral, tied, fp16": case("Mistral", "float16", tie_word_embeddings=True, sliding_window=None),
    "mistral, untied, one key head, bf16, shards": case(
        "Mistral", "bfloat16", "60KB", tie_word_embeddings=False, sliding_window=None, num_key_value_heads=1, head_dim=32
    ),
    "gemma 3, windows, linear rope scaling, tied, bf16": case("Gemma3Text", "bfloat16", **GEMMA),
    "granite 4, dense, tied, bf16, shards": case(
        "GraniteMoeHybrid", "bfloat16", "60KB", tie_word_embeddings=True, **MULTIPLIERS, **DENSE
    ),
    "granite, untied": case("Granite", "float32", tie_word_embeddings=False, **MULTIPLIERS),
    "smollm3, every other layer unrotated, bf16": case("SmolLM3", "bfloat16", pad_token_id=None, no_rope_layer_interval=2),
}


def scores_of(folder, ids):
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    with torch.no_grad():
        return [[round(score, 6) for score in row] for row in model(torch.tensor([ids])).logits[0].tolist()]


def write(root):
    written = []
    for number, (name, (config, dtype, shard)) in enumerate(CASES.items()):
        generator = torch.Generator().manual_seed(number)
        model = transformers.AutoModelForCausalLM.from_config(config, dtype=torch.float32)
        with torch.no_grad():
            for parameter_name, parameter in model.named_parameters():
                noise = torch.randn(parameter.shape, generator=generator)
                flat = parameter.ndim == 1
                centre = 0 if config.model_type == "gemma3_text" else 1
                is_norm = parameter_name.endswith("norm.weight")
                parameter.copy_(centre + 0.3 * noise if is_norm else noise * (0.3 if flat else 0.08))
        folder = Path(root) / f"theirs-{number}"
        sharding = {} if shard is None else {"max_shard_size": shard}
        model.to(dtype).save_pretrained(folder, **sharding)
        ids = torch.randint(0, config.vocab_size, (96,), generator=generator).tolist()
        files = len(list(folder.glob("*.safetensors")))
        written.append({"name": name, "folder": str(folder), "files": files, "ids": ids, "scores": scores_of(folder, ids)})
    return written


def main():
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    act, argument = sys.argv[1:]
    if act == "write":
        answer = write(argument)
    else:
        answer = [scores_of(**given) for given in json.loads(Path(argument).read_text())]
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
