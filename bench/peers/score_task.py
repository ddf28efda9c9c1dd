"""What the peers of bench/score and of bench/real-speed's scoring share: reads conversations, tries batch sizes, prints one JSON line."""

import argparse
import json
import statistics
import sys
import time


def arguments_of(description):
    arguments = argparse.ArgumentParser(description=description)
    arguments.add_argument("input", nargs="?", default="-", help="JSON file, or - for standard input")
    arguments.add_argument("--threads", type=int, default=2)
    arguments.add_argument("--seconds", type=float, default=4, help="time given to each batch size, at least one whole pass")
    arguments.add_argument("--batches", type=int, nargs="+", default=[4, 8, 16, 32, 64], help="sizes to try; the best one counts")
    return arguments


def task_of(chosen):
    with sys.stdin if chosen.input == "-" else open(chosen.input) as file:
        return json.load(file)


def bucketed(conversations, batch):
    """Conversations of like length: (rows of ids, places in the input)."""
    order = sorted(range(len(conversations)), key=lambda i: len(conversations[i]))
    for start in range(0, len(order), batch):
        places = order[start : start + batch]
        yield [conversations[i] for i in places], places


def run(score, chosen, conversations, told):
    """score(rows) gives a list for each row; `told` is put into the report."""

    def score_all(some, batch):
        results = [None] * len(some)
        for rows, places in bucketed(some, batch):
            for place, found in zip(places, score(rows)):
                results[place] = found
        return results

    by_batch = {}
    for batch in chosen.batches:
        score_all(conversations[: 2 * batch], batch)
        times, end = [], time.perf_counter() + chosen.seconds
        while not times or time.perf_counter() < end:
            start = time.perf_counter()
            score_all(conversations, batch)
            times.append(time.perf_counter() - start)
        by_batch[batch] = statistics.median(times)
    batch = min(by_batch, key=by_batch.get)
    tokens = sum(len(ids) for ids in conversations)
    report = {
        "conversations_per_s": round(len(conversations) / by_batch[batch], 2),
        "tokens_per_s": round(tokens / by_batch[batch], 1),
        "batch": batch,
        "conversations_per_s_by_batch": {size: round(len(conversations) / median, 2) for size, median in by_batch.items()},
        "conversations": len(conversations),
        "threads": chosen.threads,
    }
    print(json.dumps({**report, **told}))
