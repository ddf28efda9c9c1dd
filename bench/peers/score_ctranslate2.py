"""ctranslate2 beside a predictor: it tells no hidden states, so what is timed is the nearest it does, one token written after each conversation.

Prints one JSON line. Reads what score.py reads, and `model`, a Hugging Face folder, converted beside the task file.
"""

import json
from pathlib import Path

import ctranslate2

import score_task
from decode_ctranslate2 import convert


def main():
    chosen = score_task.arguments_of(__doc__).parse_args()
    task = score_task.task_of(chosen)
    folder = Path(chosen.input).parent / "ctranslate2-int8"
    if not folder.exists():
        convert(task["model"], folder, "int8")
    tokens_of = json.loads((folder / "vocabulary.json").read_text())
    engine = ctranslate2.Generator(str(folder), device="cpu", compute_type="int8", inter_threads=1, intra_threads=chosen.threads)

    def score(rows):
        named = [[tokens_of[i] for i in row] for row in rows]
        written = engine.generate_batch(named, max_length=1, include_prompt_in_result=False)
        return [result.sequences_ids[0] for result in written]

    score_task.run(score, chosen, task["conversations"], {"ctranslate2": ctranslate2.__version__})


if __name__ == "__main__":
    main()
