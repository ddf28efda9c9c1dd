"""What transformers makes of a GGUF file of others: foreign-gguf.py <task.json>, `folder`, `file`, `prompts` of token ids, `tokens` to write. Answered with the
likeliest tokens after each prompt, in float32.
"""

import json
import sys
from pathlib import Path

import torch
import transformers


def main():
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    task = json.loads(Path(sys.argv[1]).read_text())
    model = transformers.AutoModelForCausalLM.from_pretrained(task["folder"], gguf_file=task["file"], dtype=torch.float32).eval()
    replies = []
    for prompt in task["prompts"]:
        # Nothing ends a reply, as in the engine it is compared with.
        options = {"max_new_tokens": task["tokens"], "do_sample": False, "eos_token_id": None, "pad_token_id": 0}
        with torch.no_grad():
            replies.append(model.generate(torch.tensor([prompt]), **options)[0].tolist()[len(prompt) :])
    print(json.dumps(replies))


if __name__ == "__main__":
    main()
