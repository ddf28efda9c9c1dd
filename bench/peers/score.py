"""How fast does PyTorch score conversations with a predictor on this CPU? Prints one JSON line.

The peer of bench/score: reads `{"shape": {...}, "conversations": [[ids...], ...]}`, shape under the names of config.json and
`levels` (a list) beside them; random weights, float32, no gradients. Batches are bucketed by length and padded on the right.
"""

import argparse
import json
import statistics
import sys
import time

import torch
from torch import nn

from train_step import Trunk


class Predictor(nn.Module):
    """Trunk and one linear head over the levels of all attributes, read at the last real token."""

    def __init__(self, shape):
        super().__init__()
        self.trunk = Trunk(shape)
        self.levels = shape.get("levels", [5, 5, 5, 5, 5])
        self.head = nn.Linear(shape["hidden_size"], sum(self.levels))

    def forward(self, ids, lengths):  # (B, T), (B)
        # Causal attention never looks at the padding to the right of the token that is read, so it needs no further mask.
        last = self.trunk(ids)[torch.arange(len(ids)), lengths - 1]
        return [part.softmax(-1) for part in self.head(last).split(self.levels, -1)]


def bucketed(conversations, batch):
    """Padded batches of conversations of like length: (ids, lengths, places in the input)."""
    order = sorted(range(len(conversations)), key=lambda i: len(conversations[i]))
    for start in range(0, len(order), batch):
        places = order[start : start + batch]
        rows = [torch.tensor(conversations[i]) for i in places]
        lengths = torch.tensor([len(row) for row in rows])
        yield nn.utils.rnn.pad_sequence(rows, batch_first=True), lengths, places


def score_all(model, conversations, batch):
    results = [None] * len(conversations)
    for ids, lengths, places in bucketed(conversations, batch):
        parts = [part.tolist() for part in model(ids, lengths)]
        for row, place in enumerate(places):
            results[place] = [part[row] for part in parts]
    return results


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("input", nargs="?", default="-", help="JSON file, or - for standard input")
    arguments.add_argument("--threads", type=int, default=2)
    arguments.add_argument("--seconds", type=float, default=4, help="time given to each batch size, at least one whole pass")
    arguments.add_argument("--batches", type=int, nargs="+", default=[4, 8, 16, 32, 64], help="sizes to try; the best one counts")
    chosen = arguments.parse_args()
    torch.set_num_threads(chosen.threads)
    torch.manual_seed(1)
    with sys.stdin if chosen.input == "-" else open(chosen.input) as file:
        task = json.load(file)
    conversations = task["conversations"]
    tokens = sum(len(ids) for ids in conversations)
    model = Predictor(task["shape"]).eval()
    by_batch = {}
    with torch.inference_mode():
        for batch in chosen.batches:
            score_all(model, conversations[: 2 * batch], batch)
            times, end = [], time.perf_counter() + chosen.seconds
            while not times or time.perf_counter() < end:
                start = time.perf_counter()
                score_all(model, conversations, batch)
                times.append(time.perf_counter() - start)
            by_batch[batch] = statistics.median(times)
    batch = min(by_batch, key=by_batch.get)
    report = {
        "conversations_per_s": round(len(conversations) / by_batch[batch], 2),
        "tokens_per_s": round(tokens / by_batch[batch], 1),
        "batch": batch,
        "conversations_per_s_by_batch": {size: round(len(conversations) / median, 2) for size, median in by_batch.items()},
        "conversations": len(conversations),
        "params": sum(p.numel() for p in model.parameters()),
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
    }
    print(json.dumps(report))


if __name__ == "__main__":
    main()
