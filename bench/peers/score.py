"""How fast does PyTorch score conversations with a predictor on this CPU? Prints one JSON line.

The peer of bench/score and bench/real-speed: reads `{"shape": {...}, "conversations": [[ids...], ...]}`, shape under the names of config.json and
`levels` (a list) beside them; random weights, no gradients. Batches are bucketed by length and padded on the right.
"""

import torch
from torch import nn

import score_task
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


def main():
    arguments = score_task.arguments_of(__doc__)
    arguments.add_argument("--dtype", choices=["float32", "bfloat16"], default="float32")
    chosen = arguments.parse_args()
    torch.set_num_threads(chosen.threads)
    torch.manual_seed(1)
    task = score_task.task_of(chosen)
    model = Predictor(task["shape"]).to(getattr(torch, chosen.dtype)).eval()

    def score(rows):
        ids = nn.utils.rnn.pad_sequence([torch.tensor(row) for row in rows], batch_first=True)
        parts = [part.tolist() for part in model(ids, torch.tensor([len(row) for row in rows]))]
        return [[part[i] for part in parts] for i in range(len(rows))]

    with torch.inference_mode():
        params = sum(p.numel() for p in model.parameters())
        score_task.run(score, chosen, task["conversations"], {"params": params, "torch": torch.__version__})


if __name__ == "__main__":
    main()
