"""Writes tests/golden/llama: tiny random models in the Hugging Face layout, and what PyTorch says they compute.

Run by hand with bench/peers/requirements.txt installed: `python tests/golden/make_llama_golden.py [case ...]`. Same versions, same bytes.
transformers (float32, eager attention, CPU) is the oracle; llama_float64.py says how far float32 itself strays.
"""

import copy
import json
import math
import shutil
import sys
from pathlib import Path

import torch
import torch.nn.functional as F
import transformers
from llama_float64 import float64_forward
from safetensors.torch import save_file
from transformers import (
    Gemma3TextConfig,
    GraniteMoeHybridConfig,
    LlamaConfig,
    MistralConfig,
    Qwen2Config,
    Qwen3Config,
    SmolLM3Config,
)

ROOT = Path(__file__).parent / "llama"
B, T = 2, 12
SMALL = {
    "vocab_size": 64,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 256,
    "tie_word_embeddings": False,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
# head_dim 8 at theta 100 has wavelengths 6.3, 19.9, 62.8 and 198.7: kept below 32/4, blended up to 32/1, divided by 8 above.
LLAMA3_ROPE = {
    "rope_type": "llama3",
    "rope_theta": 100.0,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 32,
}
FIXED_LR = [1e-2] * 10
VARYING_LR = [2e-3, 4e-3, 6e-3, 8e-3, 1e-2, 9e-3, 7e-3, 5e-3, 3e-3, 1e-3]
ADAMW = {"betas": [0.9, 0.95], "eps": 1e-8, "weight_decay": 0.1, "max_grad_norm": 1.0}
NORM = "model.norm.weight"
VERSIONS = f"torch {torch.__version__.split('+')[0]}, transformers {transformers.__version__}"
MADE_BY = f"tests/golden/make_llama_golden.py, {VERSIONS}"


def rope(theta):
    return {"rope_parameters": {"rope_type": "default", "rope_theta": theta}}


# name: config, dtype of the weights file, learning rates, the vector whose final value is kept beside the embedding's
CASES = {
    "gqa": (LlamaConfig(**SMALL, rms_norm_eps=1e-5, **rope(10000.0)), torch.float32, FIXED_LR, NORM),
    "tied-llama3-rope": (
        LlamaConfig(**{**SMALL, "tie_word_embeddings": True}, rms_norm_eps=1e-5, rope_parameters=LLAMA3_ROPE),
        torch.bfloat16,
        FIXED_LR,
        NORM,
    ),
    "qwen2": (
        Qwen2Config(**SMALL, rms_norm_eps=1e-6, **rope(1000000.0)),
        torch.float32,
        FIXED_LR,
        "model.layers.1.self_attn.k_proj.bias",
    ),
    "qwen3": (
        Qwen3Config(**SMALL, head_dim=12, rms_norm_eps=1e-6, **rope(1000000.0)),
        torch.float32,
        VARYING_LR,
        "model.layers.1.self_attn.k_norm.weight",
    ),
    "mistral": (
        MistralConfig(**{**SMALL, "num_key_value_heads": 1}, sliding_window=None, rms_norm_eps=1e-5, **rope(1000.0)),
        torch.float16,
        FIXED_LR,
        NORM,
    ),
    # Two layers that see five tokens to one that sees all, each kind with a rotary base of its own.
    "gemma3": (
        Gemma3TextConfig(
            **{**SMALL, "tie_word_embeddings": True, "num_hidden_layers": 3, "hidden_size": 24},
            head_dim=8,
            query_pre_attn_scalar=12,
            sliding_window=5,
            layer_types=["sliding_attention", "sliding_attention", "full_attention"],
            rope_parameters={
                "sliding_attention": {"rope_type": "default", "rope_theta": 100.0},
                "full_attention": {"rope_type": "linear", "rope_theta": 10000.0, "factor": 2.0},
            },
        ),
        torch.bfloat16,
        FIXED_LR,
        "model.layers.1.post_feedforward_layernorm.weight",
    ),
    "granite": (
        GraniteMoeHybridConfig(
            **{**SMALL, "tie_word_embeddings": True},
            shared_intermediate_size=40,
            num_local_experts=0,
            num_experts_per_tok=0,
            layer_types=["full_attention", "full_attention"],
            mamba_n_heads=8,
            position_embedding_type="rope",
            embedding_multiplier=3.0,
            attention_multiplier=0.25,
            residual_multiplier=0.4,
            logits_scaling=1.5,
            rms_norm_eps=1e-5,
            **rope(10000.0),
        ),
        torch.bfloat16,
        FIXED_LR,
        NORM,
    ),
    "smollm3": (
        SmolLM3Config(**SMALL, pad_token_id=None, no_rope_layer_interval=2, rms_norm_eps=1e-6, **rope(5000.0)),
        torch.bfloat16,
        FIXED_LR,
        NORM,
    ),
}


def build(config, dtype, seed):
    """A model whose every parameter matters: matrices and biases N(0, 0.2), norms 1 + N(0, 0.3) in effect, all rounded to `dtype`."""
    config._attn_implementation = "eager"
    generator = torch.Generator().manual_seed(seed)
    model = transformers.AutoModelForCausalLM.from_config(config, dtype=torch.float32).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            centre = 0 if config.model_type == "gemma3_text" else 1
            value = centre + 0.3 * noise if name.endswith("norm.weight") else 0.2 * noise
            parameter.copy_(value.to(dtype))
    return model


def make_batch(seed):
    """Ids (B, T) and weights (B, T), where weights[b][t] belongs to ids[b][t] as the token predicted from position t - 1."""
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(0, SMALL["vocab_size"], (B, T), generator=generator)
    weights = (torch.rand(B, T, generator=generator) < 0.7).float()
    weights[:, 0] = 0
    weights[0, 5] = 0.5
    return ids, weights


def weighted_nll(logits, ids, weights):
    """sum w_t nll_t / sum w_t over t = 1..T-1, nll_t = -log softmax(logits[t - 1])[ids[t]]."""
    nll = F.cross_entropy(logits[:, :-1].flatten(0, 1), ids[:, 1:].flatten(), reduction="none")
    w = weights[:, 1:].flatten().to(nll.dtype)
    return (nll * w).sum() / w.sum()


def train(parameters, loss_of, lrs):
    """Ten AdamW steps on one batch: the loss before each update, and the gradient norm before clipping."""
    groups = [
        {"params": [p for p in parameters if p.ndim >= 2], "weight_decay": ADAMW["weight_decay"]},
        {"params": [p for p in parameters if p.ndim < 2], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, betas=tuple(ADAMW["betas"]), eps=ADAMW["eps"], foreach=False)
    losses, norms = [], []
    for lr in lrs:
        for group in optimizer.param_groups:
            group["lr"] = lr
        optimizer.zero_grad()
        loss = loss_of()
        loss.backward()
        norms.append(torch.nn.utils.clip_grad_norm_(parameters, ADAMW["max_grad_norm"]).item())
        optimizer.step()
        losses.append(loss.item())
    return losses, norms


def recompute_in_float64(config, parameters, ids, weights, lrs):
    """Logits, loss, gradients, losses and norms of the same case in float64; `parameters` are the initial ones."""
    exact = {name: value.double().requires_grad_() for name, value in parameters.items()}
    head = exact.get("lm_head.weight", exact["model.embed_tokens.weight"])

    def logits_of():
        return float64_forward(config, exact, ids) @ head.T

    logits = logits_of()
    loss = weighted_nll(logits, ids, weights)
    gradients = dict(zip(exact, torch.autograd.grad(loss, list(exact.values()))))
    losses, norms = train(list(exact.values()), lambda: weighted_nll(logits_of(), ids, weights), lrs)
    return logits.detach(), loss.item(), gradients, losses, norms, {name: value.detach() for name, value in exact.items()}


def distance(a, b):
    """Largest absolute difference, and the same as a share of the largest entry of the exact side."""
    gap = (a.double() - b.double()).abs().max().item()
    return {"absolute": gap, "relative": gap / b.abs().max().item()}


def worst(distances):
    return {key: max(d[key] for d in distances) for key in ("absolute", "relative")}


def write_model(model, dtype, folder, **options):
    """Casts a copy: casting to half and back would leave the model's rotary frequencies rounded."""
    copy.deepcopy(model).to(dtype).save_pretrained(folder, **options)
    (folder / "generation_config.json").unlink(missing_ok=True)
    for file in folder.iterdir():
        file.chmod(0o644)


def write_case(name, seed):
    config, dtype, lrs, vector = CASES[name]
    model, folder = build(config, dtype, seed), ROOT / name
    write_model(model, dtype, folder)
    ids, weights = make_batch(seed + 1000)
    start = {key: value.detach().clone() for key, value in model.named_parameters()}

    def logits_of():
        return model(ids, use_cache=False).logits

    logits = logits_of()
    loss = weighted_nll(logits, ids, weights)
    gradients = dict(zip(start, torch.autograd.grad(loss, list(model.parameters()))))
    losses, norms = train(list(model.parameters()), lambda: weighted_nll(logits_of(), ids, weights), lrs)
    final = {key: value.detach() for key, value in model.named_parameters()}
    e_logits, e_loss, e_gradients, e_losses, e_norms, e_final = recompute_in_float64(config, start, ids, weights, lrs)
    kept = ["model.embed_tokens.weight", vector]
    tensors = {"logits": logits.detach()}
    tensors |= {f"gradient.{key}": value for name, whole in gradients.items() for key, value in unfused(name, whole)}
    tensors |= {f"final.{key}": final[key] for key in kept}
    save_file({key: value.contiguous() for key, value in tensors.items()}, folder / "golden.safetensors")
    (folder / "golden.safetensors").chmod(0o644)
    golden = {
        "made_by": MADE_BY,
        "input_ids": ids.tolist(),
        "loss_weights": weights.tolist(),
        "loss": loss.item(),
        "adamw": ADAMW | {"decayed": "parameters of two or more dimensions", "learning_rates": lrs},
        "losses": losses,
        "grad_norms": norms,
        "final": kept,
        "float32_against_float64": {
            "logits": distance(logits, e_logits),
            "loss": abs(loss.item() - e_loss),
            "gradients": worst([distance(gradients[key], e_gradients[key]) for key in gradients]),
            "losses": max(abs(a - b) for a, b in zip(losses, e_losses)),
            "grad_norms": max(abs(a - b) / b for a, b in zip(norms, e_norms)),
            "final": worst([distance(final[key], e_final[key]) for key in kept]),
        },
    }
    (folder / "golden.json").write_text(to_json(golden))


def unfused(name, tensor):
    """A fused MLP under the names it has where gate and up stand apart."""
    if "shared_mlp.input_linear" in name:
        parts = zip(("gate", "up"), tensor.chunk(2))
        return [(name.replace("shared_mlp.input_linear", f"mlp.{part}_proj"), half) for part, half in parts]
    return [(name.replace("shared_mlp.output_linear", "mlp.down_proj"), tensor)]


def write_sharded(seed):
    """The weights of gqa again, in several files under an index; what they compute is gqa's golden."""
    config, dtype, _, _ = CASES["gqa"]
    write_model(build(config, dtype, seed), dtype, ROOT / "sharded", max_shard_size="32KB")
    (ROOT / "sharded" / "golden.json").write_text(to_json({"same_as": "gqa"}))


def soft_target(rating, levels):
    """A rating between two levels as weight on both: 2.4 is 0.6 on level 2 and 0.4 on level 3."""
    low = min(math.floor(rating), levels - 2)
    target = torch.zeros(levels)
    target[low], target[low + 1] = low + 1 - rating, rating - low
    return target


def predictor_result(model, head, bias, case):
    """Loss = mean over present labels of -sum target * log softmax; the head reads the last real token's hidden state."""
    ids, lengths = torch.tensor(case["input_ids"]), torch.tensor(case["lengths"])
    attention_mask = (torch.arange(ids.shape[1]) < lengths[:, None]).long()
    hidden = model.model(ids, attention_mask=attention_mask, use_cache=False).last_hidden_state
    logits = F.linear(hidden[torch.arange(len(ids)), lengths - 1], head, bias)
    parts = logits.split(case["levels"], dim=-1)
    terms = [
        -(soft_target(rating, part.shape[-1]) * part[b].log_softmax(-1)).sum()
        for b, row in enumerate(case["ratings"])
        for rating, part in zip(row, parts)
        if rating is not None
    ]
    loss = torch.stack(terms).mean()
    embedding = model.model.embed_tokens.weight
    wanted = [head, embedding] + ([] if bias is None else [bias])
    gradients = torch.autograd.grad(loss, wanted)
    result = {
        "bias": None if bias is None else rounded(bias),
        "logits": rounded(logits),
        "probabilities": [[rounded(part[b].softmax(-1)) for part in parts] for b in range(len(ids))],
        "loss": loss.item(),
        "gradient_head": rounded(gradients[0]),
        "gradient_embed_tokens": rounded(gradients[1]),
    }
    return result if bias is None else result | {"gradient_bias": rounded(gradients[2])}


def write_predictor(seed):
    config, dtype, _, _ = CASES["gqa"]
    model = build(config, dtype, seed)
    generator = torch.Generator().manual_seed(seed + 2000)
    lengths, levels, pad = [12, 4, 7], [5, 5, 2], 0
    ids = torch.randint(3, SMALL["vocab_size"], (3, T), generator=generator)
    ids[torch.arange(T) >= torch.tensor(lengths)[:, None]] = pad
    head = (0.3 * torch.randn(sum(levels), SMALL["hidden_size"], generator=generator)).requires_grad_()
    bias = (0.3 * torch.randn(sum(levels), generator=generator)).requires_grad_()
    case = {
        "input_ids": ids.tolist(),
        "lengths": lengths,
        "pad_id": pad,
        "levels": levels,
        "ratings": [[2.4, 4, 1], [None, 0, None], [3.75, None, 0.25]],
    }
    without, with_bias = (predictor_result(model, head, b, case) for b in (None, bias))
    golden = case | {"head": rounded(head), "without_bias": without, "with_bias": with_bias}
    (ROOT / "gqa" / "predictor.json").write_text(to_json(golden))


def rounded(tensor):
    """Nested lists with nine significant digits, enough to give every float32 back."""
    if tensor.ndim == 0:
        return float(f"{tensor.item():.9g}")
    return [rounded(part) for part in tensor.detach()]


def to_json(value):
    return json.dumps(value, separators=(",", ":")).replace(',"', ',\n"') + "\n"


def main():
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    wanted = sys.argv[1:]
    for seed, name in enumerate(CASES, start=1):
        if not wanted or name in wanted:
            shutil.rmtree(ROOT / name, ignore_errors=True)
            write_case(name, seed)
    if not wanted:
        write_sharded(1)
        write_predictor(1)


if __name__ == "__main__":
    main()
