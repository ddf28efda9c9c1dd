"""Writes a Llama or Qwen2 folder of Hugging Face as GGUF: make_gguf.py <folder> <out.gguf> [--type f32|f16|bf16|q8_0|q4_0]

Norms stay f32, all matrices take the type asked for, as llama.cpp's own quantiser has it for these types.
"""

import argparse
import json
from pathlib import Path

import gguf
import numpy as np
from safetensors.numpy import load_file

FILE_TYPES = {"f32": 0, "f16": 1, "q4_0": 2, "q8_0": 7, "bf16": 32}


def interleaved(weight, heads):
    """Rows of a query or key projection in GGUF's order: rotary pairs side by side, where Hugging Face has them half a head apart."""
    return weight.reshape(heads, 2, -1, weight.shape[1]).swapaxes(1, 2).reshape(weight.shape)


def add_tokenizer(writer, folder, vocab_size):
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    tokens = [f"[unused{i}]" for i in range(vocab_size)]
    types = [gguf.TokenType.UNUSED] * vocab_size
    for token, i in tokenizer["model"]["vocab"].items():
        tokens[i], types[i] = token, gguf.TokenType.NORMAL
    for added in tokenizer["added_tokens"]:
        tokens[added["id"]], types[added["id"]] = added["content"], gguf.TokenType.CONTROL
    merges = [merge if isinstance(merge, str) else " ".join(merge) for merge in tokenizer["model"]["merges"]]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(tokens)
    writer.add_token_types(types)
    writer.add_token_merges(merges)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(1)
    writer.add_add_bos_token(False)


def add_shape(writer, config):
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_rope_freq_base(config["rope_theta"])
    head = config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"]
    writer.add_rope_dimension_count(head)
    writer.add_key_length(head)
    writer.add_value_length(head)
    writer.add_vocab_size(config["vocab_size"])


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("out")
    arguments.add_argument("--type", choices=FILE_TYPES, default="f32")
    chosen = arguments.parse_args()
    config = json.loads((chosen.folder / "config.json").read_text())
    weights = load_file(chosen.folder / "model.safetensors")
    kind_of_model = config["model_type"]
    if kind_of_model not in ("llama", "qwen2"):
        raise SystemExit(f"config.json: model_type {kind_of_model} is neither llama nor qwen2")
    # Qwen2 keeps the rotary pairs where Hugging Face has them.
    rotary = interleaved if kind_of_model == "llama" else lambda weight, heads: weight
    writer = gguf.GGUFWriter(chosen.out, kind_of_model)
    add_shape(writer, config)
    writer.add_file_type(FILE_TYPES[chosen.type])
    add_tokenizer(writer, chosen.folder, config["vocab_size"])
    kind = gguf.GGMLQuantizationType[chosen.type.upper()]

    def add(name, weight):
        weight = np.ascontiguousarray(weight, dtype=np.float32)
        if weight.ndim == 1 or chosen.type == "f32":
            writer.add_tensor(name, weight)
        else:
            writer.add_tensor(name, gguf.quants.quantize(weight, kind), raw_dtype=kind)

    embeddings = weights["model.embed_tokens.weight"]
    add("token_embd.weight", embeddings)
    add("output_norm.weight", weights["model.norm.weight"])
    # Where there is none, llama.cpp takes the table.
    if "lm_head.weight" in weights:
        add("output.weight", weights["lm_head.weight"])
    for layer in range(config["num_hidden_layers"]):
        part = lambda name: weights[f"model.layers.{layer}.{name}.weight"]
        block = f"blk.{layer}."
        add(f"{block}attn_norm.weight", part("input_layernorm"))
        add(f"{block}ffn_norm.weight", part("post_attention_layernorm"))
        add(f"{block}attn_q.weight", rotary(part("self_attn.q_proj"), config["num_attention_heads"]))
        add(f"{block}attn_k.weight", rotary(part("self_attn.k_proj"), config["num_key_value_heads"]))
        add(f"{block}attn_v.weight", part("self_attn.v_proj"))
        add(f"{block}attn_output.weight", part("self_attn.o_proj"))
        for name in ("q", "k", "v"):
            bias = weights.get(f"model.layers.{layer}.self_attn.{name}_proj.bias")
            if bias is not None:
                add(f"{block}attn_{name}.bias", bias)
        for name in ("gate", "up", "down"):
            add(f"{block}ffn_{name}.weight", part(f"mlp.{name}_proj"))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


if __name__ == "__main__":
    main()
