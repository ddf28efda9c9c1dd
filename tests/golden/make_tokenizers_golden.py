"""Writes tokenizers-{gpt2,llama3,qwen2,smollm,llama2}.json beside this file: tokenizers of the kinds those models have, trained by Hugging
Face `tokenizers` on a small text, and the ids it gives for tokenizers-texts.json; the oracle of tests/model/tokenizer/foreign-tokenizers.test.ts.
Run by hand with bench/peers/requirements.txt installed: `python tests/golden/make_tokenizers_golden.py`. Same versions, same bytes."""

import json
import pathlib

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

HERE = pathlib.Path(__file__).parent

# Scripts, one line each: what the tokenizers are trained on, twice over with the prose.
SCRIPTS = [
    "The innkeeper's lanterns don't burn after midnight, and we'll say it's the wind.",  # Latin
    "Żółć, naïve façade, Straße, İstanbul'da ığdır, Ærøskøbing, tiếng Việt có dấu.",  # Latin with marks
    "Ο φανός του πανδοχείου σβήνει τα μεσάνυχτα.",  # Greek
    "Фонарь у трактира гаснет в полночь, ёлка і ґанок.",  # Cyrillic
    "Լապտերը մարում է կեսգիշերին։",  # Armenian
    "ფარანი შუაღამისას ქრება.",  # Georgian
    "הפנס כבה בחצות, שָׁלוֹם לכם.",  # Hebrew with points
    "المصباح ينطفئ عند منتصف الليل، مَرْحَبًا ٠١٢٣٤٥٦٧٨٩.",  # Arabic with marks and digits
    "ܫܠܡܐ ܥܡܟ",  # Syriac
    "ދިވެހި ބަސް",  # Thaana
    "सराय की लालटेन आधी रात को बुझ जाती है। १२३",  # Devanagari
    "পান্থশালার বাতি মধ্যরাতে নিভে যায়।",  # Bengali
    "ਸਰਾਂ ਦੀ ਲਾਲਟੈਣ ਅੱਧੀ ਰਾਤ",  # Gurmukhi
    "ધર્મશાળાનું ફાનસ",  # Gujarati
    "விடுதியின் விளக்கு நள்ளிரவில் அணைகிறது.",  # Tamil
    "సత్రంలో దీపం అర్ధరాత్రి ఆరిపోతుంది.",  # Telugu
    "ಛತ್ರದ ದೀಪ ನಂದುತ್ತದೆ.",  # Kannada
    "സത്രത്തിലെ വിളക്ക് അണയുന്നു.",  # Malayalam
    "තානායමේ ලාම්පුව",  # Sinhala
    "โคมไฟดับตอนเที่ยงคืน ๑๒๓",  # Thai
    "ໂຄມໄຟດັບ",  # Lao
    "མགྲོན་ཁང་གི་སྒྲོན་མེ།",  # Tibetan
    "တည်းခိုခန်းက မီးအိမ်",  # Burmese
    "ចង្កៀងរលត់នៅកណ្តាលអធ្រាត្រ",  # Khmer
    "የእንግዳ ማረፊያው ፋኖስ",  # Ethiopic
    "ᎣᏏᏲ ᏧᎾᎵᎢ",  # Cherokee
    "ᐊᐃᓐᖓᐃ",  # Canadian syllabics
    "ᠮᠣᠩᠭᠣᠯ ᠪᠢᠴᠢᠭ",  # Mongolian
    "客栈的灯笼半夜熄灭了。價格是一百二十三元!",  # Han
    "宿屋の提灯は真夜中に消える。カタカナ、ひらがな、ﾊﾝｶｸ。",  # Japanese
    "여관의 등불은 자정에 꺼진다. 한글",  # Hangul
    "ㄅㄆㄇㄈ",  # Bopomofo
    "ⵜⴰⵎⴰⵣⵉⵖⵜ",  # Tifinagh
    "𐌲𐌿𐍄𐌹𐍃𐌺 𓀀𓁹 𝔉𝔯𝔞𝔨𝔱𝔲𝔯 𝟙𝟚𝟛",  # beyond the first plane
]
# What tells tokenizers apart that differ in a detail.
EDGES = [
    "",
    " ",
    "   ",
    "\n",
    "\r\n",
    "\t",
    " leading and trailing ",
    "   three before, two after  ",
    "tab\tseparated\t\tcells\t",
    "line one\r\nline two\r\n\r\nline four\n\n\nline seven\r",
    "  \n  indented\n\t\tdeeper\n \n",
    "IT'S, it's, It'S; WE'LL, they'RE, I'm, you'd, 'tis, 's",
    "1 12 123 1234 12345 1,234,567.89 0x1F ½ ² Ⅷ ٣٤ ๕๖๗๘",
    "don't!!!\nreally?!...\r\n(yes) [no] {maybe} #tag @name a_b-c/d\\e|f~g`h^i",
    "snake_case camelCase HTTPServer v1.2.3-rc.4 e=mc² a+b=c",
    "\u00e9 e\u0301 \u1e69 s\u0323\u0307 s\u0307\u0323 \uac00 \u1100\u1161 \u212b \u00c5 \ufb01 \u2460",
    "Z\u0300\u0301\u0302\u0303\u0304a\u0308\u0327l\u0334g\u0335o\u0336",
    "\U0001f600\U0001f600 \U0001f680! \u2764\ufe0f \u2764 \u263a\ufe0e",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466 \U0001f9d1\U0001f3fd\u200d\U0001f680 \U0001f3f3\ufe0f\u200d\U0001f308",
    "\U0001f1eb\U0001f1f7\U0001f1f3\U0001f1f5 1\ufe0f\u20e3 \U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    "\x00\x01\x02\x07\x08\x0b\x0c\x0e\x1b[31m\x1c\x1d\x1e\x1f\x7f\x80\x84\x85\x86\x9f",
    "a\x85b \x85 c\x0bd\x0ce \x85!!! \ufeff!!! \x85\x85banana \x1c!!! \u180e!!!",
    "\u00a0no\u00a0break\u2007figure\u2009thin\u200azero\u200bwidth\u202fnarrow\u205fmath\u3000wide\u1680ogham",
    "\ufeffmark \ufeff inside\u2028line\u2029paragraph",
    "\u200e\u200fLTR \u202aembedding\u202c \u2066isolate\u2069 soft\u00adhyphen \u180evowel",
    "\ue000\uf8ff private \ufffd\ufffe\uffff last \U0010ffff",
    "<s>not a token</s> <unk> <|begin_of_text|> <|im_start|>user <extra_id_1> <0x0A> [INST]",
    "\u2581underline \u2581\u2581 \u2581",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa bananabananabanana",
    "unreachable lantern",
    "__proto__ constructor toString hasOwnProperty",
]
PROSE = [
    "The miller's daughter carried the lantern down to the river, and the river carried the light away.",
    "They'll say we've lost it; I'd say it's found. You're late, I'm early, and that's that!",
    "In 1987 there were 12 mills, in 1997 only 7, and by 2007 none at all.",
    "   Indented    lines\n\n\tand tabs\tkeep\r\ntheir    shape.   \n",
    "Smile \U0001f600\U0001f600 and fly \U0001f680! \U0001f469\u200d\U0001f680 banana bananas ananas aaaa!!!\n",
    "a \ufeffb \ufeffc \x85d \x85e !!! !!!",
]
WORDS = r"[^\r\n\p{L}\p{N}]?\p{L}+"
REST = r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
CUT_LLAMA3 = rf"(?i:'s|'t|'re|'ve|'m|'ll|'d)|{WORDS}|\p{{N}}{{1,3}}|{REST}"
CUT_QWEN2 = rf"(?i:'s|'t|'re|'ve|'m|'ll|'d)|{WORDS}|\p{{N}}|{REST}"


def cut_by(pattern):
    split = pre_tokenizers.Split(Regex(pattern), behavior="isolated", invert=False)
    return pre_tokenizers.Sequence([split, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])


def byte_level(cut, added, normalizer=None):
    tokenizer = Tokenizer(models.BPE())
    if normalizer is not None:
        tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = cut
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(vocab_size=520, special_tokens=added, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(PROSE * 2 + SCRIPTS, trainer)
    return tokenizer


def llama3():
    trained = json.loads(byte_level(cut_by(CUT_LLAMA3), ["<|begin_of_text|>", "<|end_of_text|>"]).to_str())
    # Llama 3 takes a word that is in the vocabulary whole, even where no merges lead there.
    trained["model"]["ignore_merges"] = True
    trained["model"]["vocab"]["unreachable"] = len(trained["model"]["vocab"])
    return trained


def qwen2():
    return json.loads(byte_level(cut_by(CUT_QWEN2), ["<|endoftext|>", "<|im_start|>"], normalizers.NFC()).to_str())


def smollm():
    cut = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)])
    return json.loads(byte_level(cut, ["<|endoftext|>"]).to_str())


def llama2():
    """As Llama 2: the whole text one word, spaces written ▁ with one more in front, bytes where a character is not in the vocabulary."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    added = ["<unk>", "<s>", "</s>", *[f"<0x{byte:02X}>" for byte in range(256)]]
    trainer = trainers.BpeTrainer(vocab_size=700, special_tokens=added, limit_alphabet=260, show_progress=False)
    # Words are cut for the training alone, as SentencePiece does it.
    words = [word for text in PROSE[:-1] * 2 + SCRIPTS for word in text.replace(" ", " ▁").split(" ")]
    tokenizer.train_from_iterator(words, trainer)
    trained = json.loads(tokenizer.to_str())
    trained["added_tokens"] = trained["added_tokens"][:3]
    return trained


def gpt2():
    return json.loads(byte_level(pre_tokenizers.ByteLevel(add_prefix_space=False), ["<|endoftext|>"]).to_str())


def write(name, value):
    written = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    (HERE / f"tokenizers-{name}.json").write_text(written + "\n")
    print(name, len(written.encode()))


def main():
    texts = SCRIPTS + EDGES
    write("texts", texts)
    for make in (gpt2, llama3, qwen2, smollm, llama2):
        trained = make()
        trained["model"]["merges"] = [" ".join(merge) for merge in trained["model"]["merges"]]
        # Text is to be read without added tokens.
        plain = Tokenizer.from_str(json.dumps(trained | {"added_tokens": []}))
        ids = [plain.encode(text, add_special_tokens=False).ids for text in texts]
        decoded = [plain.decode(each, skip_special_tokens=False) for each in ids]
        altered = {i: back for i, (text, back) in enumerate(zip(texts, decoded)) if back != text}
        write(make.__name__, {"tokenizer": trained, "ids": ids, "altered": altered})


if __name__ == "__main__":
    main()
