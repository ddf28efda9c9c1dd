"""onnxruntime-genai as a predictor: the graph of its builder without the output projection, a head in numpy. Prints one JSON line.

The package itself only writes tokens, so onnxruntime runs the graph. Reads what score.py reads, and `model`, a Hugging Face folder; the graph is
kept beside the task file.
"""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnxruntime

import score_task


def build(model, folder, precision):
    command = [sys.executable, "-m", "onnxruntime_genai.models.builder", "-i", model, "-o", str(folder), "-p", precision, "-e", "cpu"]
    options = ["--extra_options", "accuracy_level=4", "exclude_lm_head=true"]
    subprocess.run(command + ["-c", str(folder.with_suffix(".cache"))] + options, check=True, capture_output=True)


def main():
    arguments = score_task.arguments_of(__doc__)
    arguments.add_argument("--precision", choices=["int4", "int8"], default="int8")
    chosen = arguments.parse_args()
    task = score_task.task_of(chosen)
    folder = Path(chosen.input).parent / f"genai-hidden-{chosen.precision}"
    if not (folder / "model.onnx").exists():
        build(task["model"], folder, chosen.precision)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = chosen.threads, 1
    session = onnxruntime.InferenceSession(str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"])
    shape = task["shape"]
    head = np.random.default_rng(1).normal(size=(shape["hidden_size"], sum(shape["levels"]))).astype(np.float32)
    caches = [value.name for value in session.get_inputs() if value.name.startswith("past")]
    size = shape.get("head_dim") or shape["hidden_size"] // shape["num_attention_heads"]

    def score(rows):
        lengths = np.array([len(row) for row in rows])
        ids = np.zeros((len(rows), lengths.max()), dtype=np.int64)
        for i, row in enumerate(rows):
            ids[i, : len(row)] = row
        mask = (np.arange(lengths.max()) < lengths[:, None]).astype(np.int64)
        empty = np.zeros((len(rows), shape["num_key_value_heads"], 0, size), dtype=np.float32)
        given = {"input_ids": ids, "attention_mask": mask, **{name: empty for name in caches}}
        (states,) = session.run(["hidden_states"], given)
        scores = states[np.arange(len(rows)), lengths - 1] @ head
        return softmax(scores, shape["levels"])

    score_task.run(score, chosen, task["conversations"], {"onnxruntime": onnxruntime.__version__})


def softmax(scores, levels):
    parts = np.split(scores, np.cumsum(levels)[:-1], axis=1)
    powers = [np.exp(part - part.max(1, keepdims=True)) for part in parts]
    return np.concatenate([power / power.sum(1, keepdims=True) for power in powers], axis=1).tolist()


if __name__ == "__main__":
    main()
