"""What llama.cpp and transformers find likeliest under a control vector: vectors.py <task.json>, `peer`, `folder`, `file`, `vector`, `windows` of token
ids, `weights` (null for no vector), `logits`: a file to put the scores of the first window into, for transformers. The vector is added to every
token. Answered with the likeliest token after each token of each window, by weight.
"""

import json
import sys
from pathlib import Path

import numpy as np
from gguf import GGUFReader


def rows_of(path, layers):
    """Row i is direction.i; row 0, which the format has not, is 0."""
    tensors = {tensor.name: tensor.data for tensor in GGUFReader(path).tensors}
    width = next(iter(tensors.values())).shape[0]
    return np.stack([tensors.get(f"direction.{i}", np.zeros(width)) for i in range(layers)]).astype(np.float32)


def by_llama(task):
    import ctypes

    import llama_cpp
    from llama import open_model

    longest = max(len(window) for window in task["windows"])
    model, context = open_model(str(Path(task["folder"]) / task["file"]), longest)
    size = llama_cpp.llama_vocab_n_tokens(llama_cpp.llama_model_get_vocab(model))
    layers, width = llama_cpp.llama_model_n_layer(model), llama_cpp.llama_model_n_embd(model)

    def likeliest(window):
        llama_cpp.llama_memory_clear(llama_cpp.llama_get_memory(context), True)
        batch = llama_cpp.llama_batch_init(len(window), 0, 1)
        batch.n_tokens = len(window)
        for i, token in enumerate(window):
            batch.token[i], batch.pos[i], batch.n_seq_id[i], batch.seq_id[i][0], batch.logits[i] = token, i, 1, 0, 1
        if llama_cpp.llama_decode(context, batch) != 0:
            raise SystemExit("llama_decode refused the batch")
        scores = [np.ctypeslib.as_array(llama_cpp.llama_get_logits_ith(context, i), shape=(size,)) for i in range(len(window))]
        found = [int(each.argmax()) for each in scores]
        llama_cpp.llama_batch_free(batch)
        return found

    answers = []
    for weight in task["weights"]:
        # Its buffer begins with layer 1.
        rows = np.ascontiguousarray(rows_of(task["vector"], layers)[1:] * np.float32(weight or 0))
        data = rows.ctypes.data_as(ctypes.POINTER(ctypes.c_float))
        if llama_cpp.llama_set_adapter_cvec(context, data, rows.size, width, 1, layers) != 0:
            raise SystemExit("llama.cpp does not take the vector")
        answers.append([likeliest(window) for window in task["windows"]])
    return answers


def by_transformers(task):
    import torch
    import transformers

    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    model = transformers.AutoModelForCausalLM.from_pretrained(task["folder"], gguf_file=task["file"], dtype=torch.float32).eval()
    rows = torch.from_numpy(rows_of(task["vector"], model.config.num_hidden_layers))
    scale = [0.0]

    def hook(row):
        return lambda _module, _inputs, output: (output[0] + scale[0] * row, *output[1:]) if isinstance(output, tuple) else output + scale[0] * row

    for layer, row in zip(model.model.layers, rows):
        layer.register_forward_hook(hook(row))
    answers, kept = [], []
    for weight in task["weights"]:
        scale[0] = weight or 0.0
        with torch.no_grad():
            scores = [model(torch.tensor([window])).logits[0] for window in task["windows"]]
        answers.append([each.argmax(-1).tolist() for each in scores])
        kept.append(scores[0].numpy())
    np.stack(kept).astype(np.float32).tofile(task["logits"])
    return answers


def main():
    task = json.loads(Path(sys.argv[1]).read_text())
    print(json.dumps(by_llama(task) if task["peer"] == "llama_cpp" else by_transformers(task)))


if __name__ == "__main__":
    main()
