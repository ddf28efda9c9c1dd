"""What the Python peers of bench/decode, bench/scale and bench/real-speed share: reads a task (bench/decode-task.ts), has an engine write its cells, prints one JSON line."""

import argparse
import json
import resource
import statistics
import time


def run(open_engine, about=lambda: ""):
    """open_engine(arguments, streams, slots) gives write(prompts, tokens) -> (replies, seconds at which each step ended or None).

    about() says what is worth knowing of the engine as it was built.
    """
    arguments = argparse.ArgumentParser()
    arguments.add_argument("task")
    arguments.add_argument("model")
    arguments.add_argument("--precision", default="fp32")
    arguments.add_argument("--threads", type=int, default=1)
    chosen = arguments.parse_args()
    with open(chosen.task) as file:
        cells = json.load(file)
    streams = max(len(cell["warm"]) for cell in cells)
    slots = max(len(cell["warm"][0]) + cell["tokens"] for cell in cells)
    start = time.perf_counter()
    write = open_engine(chosen, streams, slots)
    load = time.perf_counter() - start
    answers = [answer(write, cell) for cell in cells]
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"load": load, "memory": most, "about": about(), "answers": answers}))


def answer(write, cell):
    tokens = cell["tokens"]
    replies, _ = write(cell["warm"], tokens)
    first, whole, gaps = [], [], []
    for prompts in cell["times"]:
        first.append(timed(write, prompts["first"], 1)[0])
        if tokens == 1:
            continue
        seconds, ends = timed(write, prompts["whole"], tokens)
        whole.append(seconds)
        if ends:
            gaps += [1000 * (later - sooner) for sooner, later in zip(ends, ends[1:])]
    found = {"replies": replies, "first": statistics.median(first), "whole": statistics.median(whole) if whole else 0}
    if gaps:
        ranked = statistics.quantiles(gaps, n=100, method="inclusive")
        found["gaps"] = {"p50": ranked[49], "p99": ranked[98]}
    return found


def timed(write, prompts, tokens):
    start = time.perf_counter()
    _, ends = write(prompts, tokens)
    return time.perf_counter() - start, ends
