"""The forward pass of the Llama-like families once more, in plain float64, to tell how far a float32 result strays from the exact one.

Written from the papers' formulas, not from transformers, whose norms and rotary tables are float32 whatever the weights are.
"""

import math

import torch
import torch.nn.functional as F


def inverse_frequencies(p, head_dim):
    base = p["rope_theta"] ** (-torch.arange(0, head_dim, 2, dtype=torch.float64) / head_dim)
    if p["rope_type"] == "default":
        return base
    if p["rope_type"] == "linear":
        return base / p["factor"]
    wavelength = 2 * math.pi / base
    low, high, original = p["low_freq_factor"], p["high_freq_factor"], p["original_max_position_embeddings"]
    kept = ((original / wavelength - low) / (high - low)).clamp(0, 1)
    return kept * base + (1 - kept) * base / p["factor"]


def float64_forward(config, weights, ids):
    """Hidden states after the last norm (B, T, D), from a dict of float64 parameters under their Hugging Face names."""
    heads, kv_heads, eps = config.num_attention_heads, config.num_key_value_heads, config.rms_norm_eps
    head_dim = getattr(config, "head_dim", None) or config.hidden_size // heads
    gemma = config.model_type == "gemma3_text"
    residual = getattr(config, "residual_multiplier", 1)
    scale = config.query_pre_attn_scalar**-0.5 if gemma else getattr(config, "attention_multiplier", head_dim**-0.5)
    place = torch.arange(ids.shape[1])

    def norm(x, name):
        if name not in weights:
            return x
        return (weights[name] + gemma) * x * (x.pow(2).mean(-1, keepdim=True) + eps).rsqrt()

    def linear(x, name):
        return F.linear(x, weights[f"{name}.weight"], weights.get(f"{name}.bias"))

    def rotate(x, layer):
        if not getattr(config, "no_rope_layers", [1] * (layer + 1))[layer]:
            return x
        p = config.rope_parameters
        angle = place[:, None] * inverse_frequencies(p[config.layer_types[layer]] if gemma else p, head_dim)
        a, b = x.chunk(2, -1)
        return torch.cat((a * angle.cos() - b * angle.sin(), b * angle.cos() + a * angle.sin()), -1)

    def hidden_pairs(layer):
        back = place[:, None] - place
        windowed = gemma and config.layer_types[layer] == "sliding_attention"
        return (back < 0) | (back >= config.sliding_window) if windowed else back < 0

    def split(x):  # (B, T, H * head_dim) -> (B, H, T, head_dim)
        return x.unflatten(-1, (-1, head_dim)).transpose(1, 2)

    def gated(h, at):
        if f"{at}.shared_mlp.input_linear.weight" in weights:
            gate, up = linear(h, f"{at}.shared_mlp.input_linear").chunk(2, -1)
            return linear(F.silu(gate) * up, f"{at}.shared_mlp.output_linear")
        gate = linear(h, f"{at}.mlp.gate_proj")
        gate = F.gelu(gate, approximate="tanh") if gemma else F.silu(gate)
        return linear(gate * linear(h, f"{at}.mlp.up_proj"), f"{at}.mlp.down_proj")

    multiplier = config.hidden_size**0.5 if gemma else getattr(config, "embedding_multiplier", 1)
    x = weights["model.embed_tokens.weight"][ids] * multiplier
    for i in range(config.num_hidden_layers):
        at = f"model.layers.{i}"
        h = norm(x, f"{at}.input_layernorm.weight")
        q = rotate(norm(split(linear(h, f"{at}.self_attn.q_proj")), f"{at}.self_attn.q_norm.weight"), i)
        k = rotate(norm(split(linear(h, f"{at}.self_attn.k_proj")), f"{at}.self_attn.k_norm.weight"), i)
        v = split(linear(h, f"{at}.self_attn.v_proj"))
        k, v = (y.repeat_interleave(heads // kv_heads, 1) for y in (k, v))
        scores = (q @ k.transpose(-1, -2) * scale).masked_fill(hidden_pairs(i), -math.inf)
        attended = linear((scores.softmax(-1) @ v).transpose(1, 2).flatten(2), f"{at}.self_attn.o_proj")
        if gemma:
            x = x + norm(attended, f"{at}.post_attention_layernorm.weight")
            h = norm(x, f"{at}.pre_feedforward_layernorm.weight")
            x = x + norm(gated(h, at), f"{at}.post_feedforward_layernorm.weight")
        else:
            x = x + residual * attended
            x = x + residual * gated(norm(x, f"{at}.post_attention_layernorm.weight"), at)
    return norm(x, "model.norm.weight") / getattr(config, "logits_scaling", 1)
