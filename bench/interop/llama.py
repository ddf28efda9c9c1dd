"""What llama.cpp makes of a GGUF file: llama.py <task.json>, `model`, `prompts` of token ids, `tokens` to write, `texts` to read. Answered with
the likeliest tokens after each prompt and the ids of each text.
"""

import json
import sys
from pathlib import Path

import llama_cpp
import numpy as np


@llama_cpp.llama_log_callback
def quiet(level, text, data):
    pass


def open_model(path, context_length):
    llama_cpp.llama_log_set(quiet, None)
    llama_cpp.llama_backend_init()
    model = llama_cpp.llama_model_load_from_file(path.encode(), llama_cpp.llama_model_default_params())
    if not model:
        raise SystemExit(f"llama.cpp does not load {path}")
    options = llama_cpp.llama_context_default_params()
    options.n_ctx = options.n_batch = options.n_ubatch = context_length
    options.n_threads = options.n_threads_batch = 2
    # Keys and values in full, as in the engine it is compared with.
    options.type_k = options.type_v = 0
    options.flash_attn_type = 0
    return model, llama_cpp.llama_init_from_model(model, options)


def continue_prompt(context, size, prompt, tokens):
    llama_cpp.llama_memory_clear(llama_cpp.llama_get_memory(context), True)
    fed, reply = prompt, []
    for _ in range(tokens):
        ids = (llama_cpp.llama_token * len(fed))(*fed)
        if llama_cpp.llama_decode(context, llama_cpp.llama_batch_get_one(ids, len(fed))) != 0:
            raise SystemExit("llama_decode refused the batch")
        scores = np.ctypeslib.as_array(llama_cpp.llama_get_logits_ith(context, -1), shape=(size,))
        fed = [int(scores.argmax())]
        reply += fed
    return reply


def read_text(vocabulary, text):
    spelt = text.encode()
    room = (llama_cpp.llama_token * (len(spelt) + 8))()
    # Neither a beginning of sequence nor control tokens.
    count = llama_cpp.llama_tokenize(vocabulary, spelt, len(spelt), room, len(room), False, False)
    return list(room[:count])


def main():
    task = json.loads(Path(sys.argv[1]).read_text())
    model, context = open_model(task["model"], 512)
    vocabulary = llama_cpp.llama_model_get_vocab(model)
    size = llama_cpp.llama_vocab_n_tokens(vocabulary)
    replies = [continue_prompt(context, size, prompt, task["tokens"]) for prompt in task["prompts"]]
    print(json.dumps({"replies": replies, "ids": [read_text(vocabulary, text) for text in task["texts"]]}))


if __name__ == "__main__":
    main()
