"""A real model as transformers reads it: real.py <task.json>, a folder (of a .gguf, or in Hugging Face's form), `conversations` (messages each),
`prompts` (token ids each) and `newTokens`; answered with the ids of the conversations in the model's template, and the greedy tokens that
follow each prompt at float32, without what ends a reply."""

import json
import sys
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

task = json.loads(Path(sys.argv[1]).read_text())
folder = Path(task["folder"])
file = next(iter(sorted(folder.glob("*.gguf"))), None)
source = {} if file is None else {"gguf_file": file.name}
tokenizer = AutoTokenizer.from_pretrained(folder, **source)
if file is not None:
    # The conversion loses the splitting of digits that the file names.
    from gguf import GGUFReader
    from tokenizers import pre_tokenizers

    named = GGUFReader(file).fields.get("tokenizer.ggml.pre")
    if named is not None and named.contents() == "smollm":
        cut = [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)]
        tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Sequence(cut)
model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, **source).eval()

order = {"add_generation_prompt": True, "enable_thinking": False, "tokenize": False}
texts = [tokenizer.apply_chat_template(messages, **order) for messages in task["conversations"]]
ids = [tokenizer(text, add_special_tokens=False)["input_ids"] for text in texts]
ends = {tokenizer.eos_token_id} | set(tokenizer.convert_tokens_to_ids(["<|im_end|>", "<|eot_id|>", "<end_of_turn>"]))
greedy = []
with torch.inference_mode():
    for prompt in task["prompts"]:
        made = model.generate(torch.tensor([prompt]), max_new_tokens=task["newTokens"], do_sample=False, eos_token_id=[end for end in ends if end is not None])
        new = made[0, len(prompt) :].tolist()
        greedy.append(new[:-1] if new and new[-1] in ends else new)
print(json.dumps({"ids": ids, "greedy": greedy}))
