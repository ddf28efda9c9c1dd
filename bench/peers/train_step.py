"""How fast is one training step of a Llama-shaped model in PyTorch on this CPU? Prints one JSON line.

The peer of bench/train-step: float32, forward, backward, clip at 1.0, AdamW.
glibc hands large buffers back to the system after every use; MALLOC_MMAP_THRESHOLD_=4294967296 MALLOC_TRIM_THRESHOLD_=8589934592
in the environment keeps them and gains about a tenth: report that run beside the plain one, as with --compile.
"""

import argparse
import json
import statistics
import time

import torch
import torch.nn.functional as F
from torch import nn

SHAPE = {
    "vocab_size": 4096,
    "hidden_size": 256,
    "intermediate_size": 688,
    "num_hidden_layers": 6,
    "num_attention_heads": 8,
    "num_key_value_heads": 8,
}


class Block(nn.Module):
    def __init__(self, shape):
        super().__init__()
        width, inner = shape["hidden_size"], shape["intermediate_size"]
        self.heads = shape["num_attention_heads"]
        self.kv_heads = shape.get("num_key_value_heads") or self.heads
        self.head_dim = shape.get("head_dim") or width // self.heads
        self.eps = shape.get("rms_norm_eps", 1e-5)
        self.attention_norm = nn.Parameter(torch.ones(width))
        self.mlp_norm = nn.Parameter(torch.ones(width))
        self.q = nn.Linear(width, self.heads * self.head_dim, bias=False)
        self.k = nn.Linear(width, self.kv_heads * self.head_dim, bias=False)
        self.v = nn.Linear(width, self.kv_heads * self.head_dim, bias=False)
        self.out = nn.Linear(self.heads * self.head_dim, width, bias=False)
        self.gate = nn.Linear(width, inner, bias=False)
        self.up = nn.Linear(width, inner, bias=False)
        self.down = nn.Linear(inner, width, bias=False)

    def forward(self, x, cos, sin):  # (B, T, D)
        h = F.rms_norm(x, x.shape[-1:], self.attention_norm, self.eps)
        q, k, v = (self.split_heads(projection(h)) for projection in (self.q, self.k, self.v))
        q, k = rotate(q, cos, sin), rotate(k, cos, sin)
        attended = F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=self.kv_heads != self.heads)
        x = x + self.out(attended.transpose(1, 2).flatten(2))
        h = F.rms_norm(x, x.shape[-1:], self.mlp_norm, self.eps)
        return x + self.down(F.silu(self.gate(h)) * self.up(h))

    def split_heads(self, x):  # (B, T, H * head_dim) -> (B, H, T, head_dim)
        return x.unflatten(-1, (-1, self.head_dim)).transpose(1, 2)


def rotate(x, cos, sin):
    first, second = x.chunk(2, dim=-1)
    return torch.cat((first * cos - second * sin, second * cos + first * sin), dim=-1)


class Trunk(nn.Module):
    """Token ids (B, T) to normalised hidden states (B, T, D)."""

    def __init__(self, shape):
        super().__init__()
        self.shape = shape
        self.embed = nn.Embedding(shape["vocab_size"], shape["hidden_size"])
        self.blocks = nn.ModuleList(Block(shape) for _ in range(shape["num_hidden_layers"]))
        self.norm = nn.Parameter(torch.ones(shape["hidden_size"]))
        for parameter in self.parameters():
            if parameter.ndim == 2:
                nn.init.normal_(parameter, std=0.02)
        self.tables = {}

    def rope(self, length):
        if length not in self.tables:
            half = self.blocks[0].head_dim // 2
            frequency = self.shape.get("rope_theta", 10000.0) ** (-torch.arange(half) / half)
            angle = torch.arange(length)[:, None] * frequency
            self.tables[length] = (angle.cos().to(self.norm.dtype), angle.sin().to(self.norm.dtype))
        return self.tables[length]

    def forward(self, ids):
        cos, sin = self.rope(ids.shape[1])
        x = self.embed(ids)
        for block in self.blocks:
            x = block(x, cos, sin)
        return F.rms_norm(x, (x.shape[-1],), self.norm, self.blocks[0].eps)


class OwnModel(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.trunk = Trunk(shape)

    def forward(self, ids, targets):
        logits = F.linear(self.trunk(ids), self.trunk.embed.weight)
        return F.cross_entropy(logits.flatten(0, 1), targets.flatten())


class TransformersModel(nn.Module):
    def __init__(self, shape):
        super().__init__()
        from transformers import LlamaConfig, LlamaForCausalLM

        config = LlamaConfig(**shape, tie_word_embeddings=True, max_position_embeddings=2048, attn_implementation="sdpa")
        self.model = LlamaForCausalLM(config)

    def forward(self, ids, targets):
        logits = self.model(ids, use_cache=False).logits
        return F.cross_entropy(logits.flatten(0, 1), targets.flatten())


def sgemm_gflops(size=2048, seconds=1.0):
    a, b = torch.randn(size, size), torch.randn(size, size)
    out = torch.empty(size, size)
    best, end = float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        torch.mm(a, b, out=out)
        best = min(best, time.perf_counter() - start)
    return 2 * size**3 / best / 1e9


def optimizer_of(model, kind):
    parameters = list(model.parameters())
    groups = [
        {"params": [p for p in parameters if p.ndim >= 2], "weight_decay": 0.1},
        {"params": [p for p in parameters if p.ndim < 2], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=1e-3, betas=(0.9, 0.95), eps=1e-8, fused=kind == "fused", foreach=kind == "foreach")


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--threads", type=int, default=2)
    arguments.add_argument("--seconds", type=float, default=20)
    arguments.add_argument("--batch", type=int, default=16)
    arguments.add_argument("--length", type=int, default=128)
    arguments.add_argument("--model", choices=["own", "transformers"], default="own")
    arguments.add_argument("--optimizer", choices=["fused", "foreach"], default="fused")
    arguments.add_argument("--compile", action="store_true", help="torch.compile the forward and backward")
    chosen = arguments.parse_args()
    torch.set_num_threads(chosen.threads)
    torch.manual_seed(1)
    model = OwnModel(SHAPE) if chosen.model == "own" else TransformersModel(SHAPE)
    optimizer = optimizer_of(model, chosen.optimizer)
    forward = torch.compile(model) if chosen.compile else model
    text = torch.randint(SHAPE["vocab_size"], (chosen.batch, chosen.length + 1))
    ids, targets = text[:, :-1].contiguous(), text[:, 1:].contiguous()
    peak = sgemm_gflops()

    def step():
        loss = forward(ids, targets)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        return loss.item()

    first = step()
    for _ in range(2):
        step()
    times, end = [], time.perf_counter() + chosen.seconds
    while time.perf_counter() < end or len(times) < 3:
        start = time.perf_counter()
        last = step()
        times.append(time.perf_counter() - start)
    median = statistics.median(times)
    parameters = sum(p.numel() for p in model.parameters())
    tokens = chosen.batch * chosen.length
    report = {
        "tokens_per_s": round(tokens / median, 1),
        "step_ms_median": round(median * 1e3, 2),
        "params": parameters,
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "sgemm_gflops": round(max(peak, sgemm_gflops()), 1),
        "gflops": round(6 * parameters * tokens / median / 1e9, 1),
        "steps": len(times),
        "model": chosen.model,
        "optimizer": chosen.optimizer,
        "compiled": chosen.compile,
        "loss_first": round(first, 4),
        "loss_last": round(last, 4),
    }
    print(json.dumps(report))


if __name__ == "__main__":
    main()
