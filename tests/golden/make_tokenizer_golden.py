"""Writes tokenizer.json beside this file: merges and encodings of Hugging Face `tokenizers` on a small text, the oracle of
tests/model/tokenizer/tokenizer-training.test.ts. Run by hand: python3 make_tokenizer_golden.py (needs the package `tokenizers`)."""

import json
import pathlib

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

CORPUS = [
    "The miller's daughter carried the lantern down to the river, and the river carried the light away.",
    "\"Who goes there?\" the guard called. \"Only a miller's daughter, and only a lantern,\" she answered.",
    "They'll say we've lost it; I'd say it's found. You're late, I'm early, and that's that!",
    "In 1987 there were 12 mills, in 1997 only 7, and by 2007 none at all.",
    "aaaa aaaaaaa banana bananas ananas aaaa",
    "   Indented    lines\n\n\tand tabs\tkeep\r\ntheir    shape.   \n",
    "Straße, naïve café, Ærø, Čeština, Ελλάδα, Москва, 你好,世界。你好,朋友。",
    "Smile \U0001f600\U0001f600 and fly \U0001f680! \U0001f469‍\U0001f680 \U0001f469‍\U0001f680",
    "The guard lit the lantern; the lantern lit the guard. The river said nothing, as rivers do.",
]
ADDED = ["<extra_id_0>", "<extra_id_1>", "<extra_id_2>", "<|endoftext|>"]
SAMPLES = [
    "",
    " ",
    "The river carried the lantern.",
    "  two spaces, then\ttabs\t\tand\n\nnewlines\r\n ",
    "They're 1997's bananas, aren't they?",
    "你好,世界!",
    "\U0001f469‍\U0001f680 e\u0301 \u00a0 \u3000x",
    "<extra_id_1>User <|endoftext|>",
    "\x00\x01\x7f",
]

tokenizer = Tokenizer(models.BPE())
tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
trainer = trainers.BpeTrainer(
    vocab_size=420,
    min_frequency=2,
    special_tokens=ADDED,
    initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    show_progress=False,
)
tokenizer.train_from_iterator(CORPUS, trainer)
trained = json.loads(tokenizer.to_str())

# Text is to be read without added tokens.
plain = Tokenizer.from_str(json.dumps(trained | {"added_tokens": []}))
plain.decoder = decoders.ByteLevel()

golden = {
    "corpus": CORPUS,
    "vocab_size": 420,
    "added_tokens": ADDED,
    "size": tokenizer.get_vocab_size(),
    "merges": trained["model"]["merges"],
    "encodings": [{"text": text, "ids": plain.encode(text).ids} for text in SAMPLES],
}
path = pathlib.Path(__file__).parent / "tokenizer.json"
path.write_text(json.dumps(golden, indent=1, ensure_ascii=True) + "\n")
