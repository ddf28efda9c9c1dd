"""onnxruntime-genai: all replies in one batch. model is a Hugging Face folder, built beside the task files by the package's own builder."""

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import onnxruntime_genai

import decode_task

MOST = 32


def build(model, folder, precision):
    options = [] if precision == "fp32" else ["--extra_options", "accuracy_level=4"]
    command = [sys.executable, "-m", "onnxruntime_genai.models.builder", "-i", model, "-o", str(folder), "-p", precision, "-e", "cpu"]
    subprocess.run(command + ["-c", str(folder.with_suffix(".cache"))] + options, check=True, capture_output=True)


def open_engine(chosen, streams, slots):
    built = Path(chosen.task).parent / f"genai-{chosen.precision}"
    if not built.exists():
        build(chosen.model, built, chosen.precision)
    path = built / "genai_config.json"
    config = json.loads(path.read_text())
    options = config["model"]["decoder"]["session_options"]
    options["intra_op_num_threads"], options["inter_op_num_threads"] = chosen.threads, 1
    # An end that is never likeliest: no reply stops early, and no likely token is barred.
    config["model"]["eos_token_id"] = 0
    path.write_text(json.dumps(config))
    model = onnxruntime_genai.Model(str(built))

    def write(prompts, tokens):
        # The package takes no larger batch; more prompts are written one batch after the other.
        parts = [write_batch(prompts[start : start + MOST], tokens) for start in range(0, len(prompts), MOST)]
        return [reply for replies, _ in parts for reply in replies], parts[0][1]

    def write_batch(prompts, tokens):
        length = len(prompts[0])
        settings = onnxruntime_genai.GeneratorParams(model)
        settings.set_search_options(batch_size=len(prompts), max_length=length + tokens, do_sample=False)
        generator = onnxruntime_genai.Generator(model, settings)
        generator.append_tokens(np.array(prompts, dtype=np.int32))
        ends = []
        for _ in range(tokens):
            generator.generate_next_token()
            ends.append(time.perf_counter())
        return [generator.get_sequence(i)[length:].tolist() for i in range(len(prompts))], ends

    return write


if __name__ == "__main__":
    decode_task.run(open_engine)
