"""ctranslate2: all replies in one batch, told when all are written. model is a Hugging Face folder, converted beside the task files."""

import json
from pathlib import Path

import ctranslate2
from ctranslate2.converters import TransformersConverter

import decode_task

TYPES = {"fp32": "float32", "int8": "int8"}


def convert(model, folder, kind):
    TransformersConverter(model).convert(str(folder), quantization=kind)
    # The tokenizer of our models names no beginning and no end; ctranslate2 wants both to be tokens.
    config, vocabulary = folder / "config.json", json.loads((folder / "vocabulary.json").read_text())
    config.write_text(json.dumps({**json.loads(config.read_text()), "bos_token": vocabulary[0], "eos_token": vocabulary[0]}))


def open_engine(chosen, streams, slots):
    kind = TYPES[chosen.precision]
    folder = Path(chosen.task).parent / f"ctranslate2-{kind}"
    if not folder.exists():
        convert(chosen.model, folder, kind)
    tokens_of = json.loads((folder / "vocabulary.json").read_text())
    engine = ctranslate2.Generator(str(folder), device="cpu", compute_type=kind, inter_threads=1, intra_threads=chosen.threads)

    def write(prompts, tokens):
        results = engine.generate_batch(
            [[tokens_of[i] for i in prompt] for prompt in prompts],
            # An end that is never likeliest: no reply stops early, and no likely token is barred.
            end_token=tokens_of[0],
            max_length=tokens,
            min_length=tokens,
            include_prompt_in_result=False,
        )
        return [result.sequences_ids[0] for result in results], None

    return write


if __name__ == "__main__":
    decode_task.run(open_engine)
