"""Writes chat-templates.json beside this file: chat templates of the kinds models bring, what transformers' `apply_chat_template` makes of
conversations in them, and the ids; the oracle of tests/model/tokenizer/chat-template.test.ts. The tokenizers are those of tokenizers-*.json with
the control tokens of the kind. Run by hand with bench/peers/requirements.txt installed: `python tests/golden/make_chat_templates_golden.py`."""

import json
import pathlib

from tokenizers import Tokenizer
from transformers import PreTrainedTokenizerFast

HERE = pathlib.Path(__file__).parent

CHATML = """{% for message in messages -%}
{%- if loop.first and message['role'] != 'system' -%}
{{ '<|im_start|>system\\nYou answer questions.<|im_end|>\\n' }}
{%- endif -%}
{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}
{%- endfor -%}
{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"""

THINKING = """{%- macro turn(role, content) -%}
{{- '<|im_start|>' ~ role ~ '\\n' ~ content ~ '<|im_end|>\\n' -}}
{%- endmacro -%}
{%- if tools -%}
    {{- raise_exception('This kind is asked without tools.') -}}
{%- endif -%}
{%- set ns = namespace(last_question=-1) -%}
{%- for message in messages[::-1] -%}
    {%- set place = (messages | length - 1) - loop.index0 -%}
    {%- if ns.last_question < 0 and message.role == 'user' and message.content is string -%}
        {%- set ns.last_question = place -%}
    {%- endif -%}
{%- endfor -%}
{%- for message in messages -%}
    {%- if message.role == 'assistant' -%}
        {%- set said = message.content -%}
        {%- if '</think>' in said -%}
            {%- set said = said.split('</think>')[-1].lstrip('\\n') -%}
        {%- endif -%}
        {%- if loop.index0 > ns.last_question -%}
            {{- turn('assistant', '<think>\\n\\n</think>\\n\\n' ~ said) -}}
        {%- else -%}
            {{- turn('assistant', said) -}}
        {%- endif -%}
    {%- elif message.role in ['system', 'user'] -%}
        {{- turn(message.role, message.content) -}}
    {%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}
    {{- '<|im_start|>assistant\\n' -}}
    {%- if enable_thinking is defined and enable_thinking is false -%}
        {{- '<think>\\n\\n</think>\\n\\n' -}}
    {%- endif -%}
{%- endif -%}"""

LLAMA3 = """{{- bos_token }}
{%- if tools is not none and tools is defined %}
    {{- raise_exception('no tools') }}
{%- endif %}
{%- if messages[0]['role'] == 'system' %}
    {%- set system_message = messages[0]['content'] | trim %}
    {%- set messages = messages[1:] %}
{%- else %}
    {%- set system_message = '' %}
{%- endif %}
{{- "<|start_header_id|>system<|end_header_id|>\\n\\n" }}
{{- "Knowledge ends in: the past\\n\\n" }}
{{- system_message }}
{{- "<|eot_id|>" }}
{%- for message in messages %}
    {%- if not (message.role == 'ipython' or message.role == 'tool' or 'tool_calls' in message) %}
        {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n' + message['content'] | trim + '<|eot_id|>' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}
{%- endif %}
"""

GEMMA = """{{ bos_token }}
{%- if messages[0]['role'] == 'system' -%}
    {%- if messages[0]['content'] is string -%}
        {%- set prefix = messages[0]['content'] + '\\n\\n' -%}
    {%- else -%}
        {%- set prefix = messages[0]['content'][0]['text'] + '\\n\\n' -%}
    {%- endif -%}
    {%- set rest = messages[1:] -%}
{%- else -%}
    {%- set prefix = '' -%}
    {%- set rest = messages -%}
{%- endif -%}
{%- for message in rest -%}
    {%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) -%}
        {{ raise_exception('Roles must alternate user/assistant/user/assistant') }}
    {%- endif -%}
    {%- set role = 'model' if message['role'] == 'assistant' else message['role'] -%}
    {{ '<start_of_turn>' + role + '\\n' + (prefix if loop.first else '') }}
    {%- if message['content'] is string -%}
        {{ message['content'] | trim }}
    {%- elif message['content'] is iterable -%}
        {%- for item in message['content'] -%}{{ item['text'] | trim }}{%- endfor -%}
    {%- endif -%}
    {{ '<end_of_turn>\\n' }}
{%- endfor -%}
{%- if add_generation_prompt -%}
    {{ '<start_of_turn>model\\n' }}
{%- endif -%}
"""

GRANITE = """{%- if documents %}{{ raise_exception('no documents') }}{%- endif %}
{%- if messages[0]['role'] == 'system' %}
    {%- set system_message = messages[0]['content'] %}
    {%- set loop_messages = messages[1:] %}
{%- else %}
    {%- set system_message = 'You are a careful assistant.' %}
    {%- set loop_messages = messages %}
{%- endif %}
{{- '<|start_of_role|>system<|end_of_role|>' + system_message + '<|end_of_text|>\\n' }}
{%- for message in loop_messages %}
{{- '<|start_of_role|>' + message['role'] + '<|end_of_role|>' + message['content'] + '<|end_of_text|>\\n' }}
{%- if loop.last and add_generation_prompt %}
{{- '<|start_of_role|>assistant' }}
{%- if controls %}{{- ' ' + controls | tojson }}{%- endif %}
{{- '<|end_of_role|>' }}
{%- endif %}
{%- endfor %}"""

# The marks are tokens; the system text stands in the last turn of the user.
MISTRAL = """{%- if messages[0]["role"] == "system" %}
    {%- set system_message = messages[0]["content"] %}
    {%- set loop_messages = messages[1:] %}
{%- else %}
    {%- set loop_messages = messages %}
{%- endif %}
{{- bos_token }}
{%- for message in loop_messages %}
    {%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}
        {{- raise_exception('After the optional system message, roles must alternate user/assistant/user/assistant/...') }}
    {%- endif %}
    {%- if message["role"] == "user" %}
        {%- if loop.last and system_message is defined %}
            {{- "[INST] " + system_message + "\\n\\n" + message["content"] + "[/INST]" }}
        {%- else %}
            {{- "[INST] " + message["content"] + "[/INST]" }}
        {%- endif %}
    {%- elif message["role"] == "assistant" %}
        {{- " " + message["content"] + eos_token }}
    {%- else %}
        {{- raise_exception("Only user and assistant roles are supported, with the exception of an initial optional system message!") }}
    {%- endif %}
{%- endfor %}
"""

# The marks are text like any other.
INST = """{{ bos_token }}{% for message in messages %}{% if message['role'] == 'system' %}{{ raise_exception('Only user and assistant roles are supported!') }}\
{% elif message['role'] == 'user' %}{{ '[INST] ' + message['content'] | trim + ' [/INST]' }}{% else %}{{ ' ' + message['content'] | trim + ' ' + eos_token }}{% endif %}{% endfor %}"""

# White space after a mark belongs to the mark.
PHI = """{% for message in messages %}{% if message['role'] == 'system' and message['content'] %}{{ '<|system|>\\n' + message['content'] + '<|end|>\\n' }}\
{% elif message['role'] == 'user' %}{{ '<|user|>\\n' + message['content'] + '<|end|>\\n' }}\
{% elif message['role'] == 'assistant' %}{{ '<|assistant|>\\n' + message['content'] + '<|end|>\\n' }}{% endif %}{% endfor %}\
{% if add_generation_prompt %}{{ '<|assistant|>\\n' }}{% else %}{{ eos_token }}{% endif %}"""

METASPACE = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": False}

# By kind: tokenizer, template, control tokens, others that stand outside of texts, named tokens, changes of the tokenizer, end of a reply.
KINDS = {
    "chatml": ("smollm", CHATML, ["<|im_start|>", "<|im_end|>"], [], {"bos_token": "<|im_start|>", "eos_token": "<|im_end|>"}, {}, "<|im_end|>"),
    "thinking": ("qwen2", THINKING, ["<|im_end|>"], ["<think>", "</think>"], {"eos_token": "<|im_end|>"}, {}, "<|im_end|>"),
    "llama3": (
        "llama3", LLAMA3, ["<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"], [],
        {"bos_token": "<|begin_of_text|>", "eos_token": "<|eot_id|>"}, {}, "<|eot_id|>",
    ),
    "gemma": ("llama2", GEMMA, ["<start_of_turn>", "<end_of_turn>"], [], {"bos_token": "<s>", "eos_token": "</s>"}, {"normalizer": None, "pre_tokenizer": METASPACE | {"prepend_scheme": "never"}}, "<end_of_turn>"),
    "granite": ("gpt2", GRANITE, ["<|start_of_role|>", "<|end_of_role|>", "<|end_of_text|>"], [], {"eos_token": "<|end_of_text|>"}, {}, "<|end_of_text|>"),
    "mistral": ("llama2", MISTRAL, ["[INST]", "[/INST]"], [], {"bos_token": "<s>", "eos_token": "</s>"}, {"normalizer": None, "pre_tokenizer": METASPACE}, "</s>"),
    "inst": ("llama2", INST, [], [], {"bos_token": "<s>", "eos_token": "</s>"}, {}, "</s>"),
    "phi": ("llama2", PHI, ["<|system|>", "<|user|>", "<|assistant|>", "<|end|>"], [], {"bos_token": "<s>", "eos_token": "<|end|>"}, {}, "<|end|>"),
}
STRIPPING = {"phi"}


def said(*contents, system=None):
    roles = ("user", "assistant")
    turns = [{"role": roles[i % 2], "content": content} for i, content in enumerate(contents)]
    return ([] if system is None else [{"role": "system", "content": system}]) + turns


CONVERSATIONS = [
    said("What is the capital of France?"),
    said("Hello!", "Hi. What can I do?", "Tell me of 12 mills, it's late."),
    said("Who are you?", system="You are Marta, the innkeeper's daughter."),
    said("  two before, one after ", "\n\nlines\n", "\ttabs\t", system=" kept or not \n"),
    said("客栈的灯笼半夜熄灭了。 😀", "Żółć, naïve façade.", "e\u0301 \u00e9 ﬁ ②"),
    said("line one\r\nline two\n\n\n", "Answer: {{ 7 * 7 }} {% raw %} ${x}", "%s {0} \\n"),
    said("", "nothing", "."),
    said("one", "two", "three", "four", "five", "six", "seven", system="Count."),
]


def tokenizer_json(base, special, plain, changes, strips):
    made = json.loads((HERE / f"tokenizers-{base}.json").read_text())["tokenizer"] | changes
    known = {token["content"] for token in made["added_tokens"]}
    next_id = max(list(made["model"]["vocab"].values()) + [token["id"] for token in made["added_tokens"]]) + 1
    added = []
    for content in special + plain:
        if content in known:
            continue
        flags = {"single_word": False, "lstrip": False, "rstrip": strips, "normalized": False}
        added.append({"id": next_id + len(added), "content": content, "special": content in special} | flags)
    made["added_tokens"] = made["added_tokens"] + added
    return made, added


def main():
    written = []
    for kind, (base, template, special, plain, named, changes, end) in KINDS.items():
        made, added = tokenizer_json(base, special, plain, changes, kind in STRIPPING)
        reader = PreTrainedTokenizerFast(tokenizer_object=Tokenizer.from_str(json.dumps(made)), **named)
        cases = []
        for messages in CONVERSATIONS:
            order = {"chat_template": template, "add_generation_prompt": True, "enable_thinking": False}
            try:
                text = reader.apply_chat_template(messages, tokenize=False, **order)
            except Exception as error:
                cases.append({"messages": messages, "refused": str(error)})
                continue
            ids = reader.apply_chat_template(messages, tokenize=True, return_dict=False, **order)
            cases.append({"messages": messages, "text": text, "ids": ids})
        written.append(
            {"kind": kind, "tokenizer": base, "changes": changes, "added": added, "template": template, "named": named, "end": end, "cases": cases}
        )
    (HERE / "chat-templates.json").write_text(json.dumps(written, ensure_ascii=False, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
