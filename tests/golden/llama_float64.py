"""The forward pass of the Llama family once more, in plain float64, to tell how far a float32 result strays from the exact one.

Written from the papers' formulas, not from transformers, whose norms and rotary tables are float32 whatever the weights are.
"""

import math

import torch
import torch.nn.functional as F


def inverse_frequencies(config, head_dim):
    p = config.rope_parameters
    base = p["rope_theta"] ** (-torch.arange(0, head_dim, 2, dtype=torch.float64) / head_dim)
    if p["rope_type"] == "default":
        return base
    wavelength = 2 * math.pi / base
    low, high, original = p["low_freq_factor"], p["high_freq_factor"], p["original_max_position_embeddings"]
    kept = ((original / wavelength - low) / (high - low)).clamp(0, 1)
    return kept * base + (1 - kept) * base / p["factor"]


def float64_forward(config, weights, ids):
    """Hidden states after the last norm (B, T, D), from a dict of float64 parameters under their Hugging Face names."""
    heads, kv_heads, eps = config.num_attention_heads, config.num_key_value_heads, config.rms_norm_eps
    head_dim = getattr(config, "head_dim", None) or config.hidden_size // heads
    angle = torch.arange(ids.shape[1])[:, None] * inverse_frequencies(config, head_dim)
    cos, sin = angle.cos(), angle.sin()

    def norm(x, name):
        return weights[name] * x * (x.pow(2).mean(-1, keepdim=True) + eps).rsqrt() if name in weights else x

    def linear(x, name):
        return F.linear(x, weights[f"{name}.weight"], weights.get(f"{name}.bias"))

    def rotate(x):
        a, b = x.chunk(2, -1)
        return torch.cat((a * cos - b * sin, b * cos + a * sin), -1)

    def split(x):  # (B, T, H * head_dim) -> (B, H, T, head_dim)
        return x.unflatten(-1, (-1, head_dim)).transpose(1, 2)

    future = torch.ones(ids.shape[1], ids.shape[1], dtype=torch.bool).triu(1)
    x = weights["model.embed_tokens.weight"][ids]
    for i in range(config.num_hidden_layers):
        at = f"model.layers.{i}"
        h = norm(x, f"{at}.input_layernorm.weight")
        q = rotate(norm(split(linear(h, f"{at}.self_attn.q_proj")), f"{at}.self_attn.q_norm.weight"))
        k = rotate(norm(split(linear(h, f"{at}.self_attn.k_proj")), f"{at}.self_attn.k_norm.weight"))
        v = split(linear(h, f"{at}.self_attn.v_proj"))
        k, v = (y.repeat_interleave(heads // kv_heads, 1) for y in (k, v))
        scores = (q @ k.transpose(-1, -2) / math.sqrt(head_dim)).masked_fill(future, -math.inf)
        x = x + linear((scores.softmax(-1) @ v).transpose(1, 2).flatten(2), f"{at}.self_attn.o_proj")
        h = norm(x, f"{at}.post_attention_layernorm.weight")
        x = x + linear(F.silu(linear(h, f"{at}.mlp.gate_proj")) * linear(h, f"{at}.mlp.up_proj"), f"{at}.mlp.down_proj")
    return norm(x, "model.norm.weight")
