"""What transformers makes of a folder's chat template: chat.py <task.json>, a folder and `conversations`, each what apply_chat_template is
given; answered with the token ids of each prompt, and with its text.
"""

import json
import sys
from pathlib import Path

from transformers import AutoTokenizer

task = json.loads(Path(sys.argv[1]).read_text())
tokenizer = AutoTokenizer.from_pretrained(task["folder"])
answer = []
for conversation in task["conversations"]:
    text = tokenizer.apply_chat_template(**conversation, add_generation_prompt=True, tokenize=False)
    answer.append({"text": text, "ids": tokenizer(text, add_special_tokens=False)["input_ids"]})
print(json.dumps(answer))
