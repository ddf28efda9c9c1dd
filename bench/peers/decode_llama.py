"""llama.cpp through the C interface that llama-cpp-python carries: batches are filled here, one llama_decode a step. model is a GGUF file."""

import ctypes
import time

import llama_cpp
import numpy as np

import decode_task

BATCH = 512


def open_engine(chosen, streams, slots):
    llama_cpp.llama_log_set(quiet, None)
    llama_cpp.llama_backend_init()
    model = llama_cpp.llama_model_load_from_file(chosen.model.encode(), llama_cpp.llama_model_default_params())
    options = llama_cpp.llama_context_default_params()
    options.n_ctx = streams * (slots + 1)
    options.n_batch = options.n_ubatch = BATCH
    options.n_seq_max = streams
    options.n_threads = options.n_threads_batch = chosen.threads
    options.no_perf = True
    context = llama_cpp.llama_init_from_model(model, options)
    memory = llama_cpp.llama_get_memory(context)
    size = llama_cpp.llama_vocab_n_tokens(llama_cpp.llama_model_get_vocab(model))
    batch = llama_cpp.llama_batch_init(BATCH, 0, 1)

    def decode(rows):
        """rows: (token, place, sequence, whether its scores are wanted). Gives the likeliest next token of those, in order."""
        for i, (token, place, sequence, wanted) in enumerate(rows):
            batch.token[i], batch.pos[i], batch.n_seq_id[i] = token, place, 1
            batch.seq_id[i][0], batch.logits[i] = sequence, wanted
        batch.n_tokens = len(rows)
        if llama_cpp.llama_decode(context, batch) != 0:
            raise RuntimeError("llama_decode refused the batch")
        wanted = sum(row[3] for row in rows)
        if wanted == 0:
            return []
        scores = np.ctypeslib.as_array(llama_cpp.llama_get_logits(context), shape=(wanted, size))
        return scores.argmax(1).tolist()

    def write(prompts, tokens):
        llama_cpp.llama_memory_clear(memory, True)
        rows = [(token, i, s, i == len(prompt) - 1) for s, prompt in enumerate(prompts) for i, token in enumerate(prompt)]
        newest = []
        for start in range(0, len(rows), BATCH):
            newest += decode(rows[start : start + BATCH])
        replies = [[token] for token in newest]
        ends = [time.perf_counter()]
        for step in range(tokens - 1):
            newest = decode([(newest[s], len(prompt) + step, s, True) for s, prompt in enumerate(prompts)])
            for reply, token in zip(replies, newest):
                reply.append(token)
            ends.append(time.perf_counter())
        return replies, ends

    return write


@llama_cpp.llama_log_callback
def quiet(level, text, data):
    pass


def instructions():
    """Those of the processor that this build uses."""
    return llama_cpp.llama_print_system_info().decode().strip()


if __name__ == "__main__":
    decode_task.run(open_engine, instructions)
