"""Writes sampling.json beside this file: scores as the logits processors of transformers change them, the chances of each token after its
warpers, and log-probabilities by torch; the oracle of tests/generation/{sampler,drawing}.test.ts. Presence and frequency penalties, which
transformers lacks, are the formula of the OpenAI API reference. Run by hand with bench/peers/requirements.txt installed:
`python tests/golden/make_sampling_golden.py`. Same versions, same bytes."""

import json
from pathlib import Path

import torch
import transformers
from transformers.generation import logits_process as steps

V = 40
STOP_TOKENS = [5, 11]
BANNED = [0, 1, 2, 17]

# prompt, reply, and what is asked for; absent means neutral
CASES = {
    "plain": {},
    "temperature": {"temperature": 0.6},
    "top_k": {"top_k": 7},
    "top_p": {"top_p": 0.8},
    "min_p": {"min_p": 0.15},
    "all cuts, top_p the narrowest": {"temperature": 1.3, "top_k": 20, "top_p": 0.6, "min_p": 0.02},
    "all cuts, min_p the narrowest": {"temperature": 1.5, "top_k": 25, "top_p": 0.95, "min_p": 0.3},
    "all cuts, top_k the narrowest": {"temperature": 1.5, "top_k": 4, "top_p": 0.95, "min_p": 0.02},
    "top_p before min_p": {"temperature": 1.8, "top_p": 0.7, "min_p": 0.12},
    "bias": {"bias": [[7, 3.5], [30, -100.0], [12, 1.25]]},
    "repetition": {"prompt": [3, 9, 9, 20, 31, 38], "reply": [4, 20, 22], "repetition_penalty": 1.7},
    "repetition rewarded": {"prompt": [3, 9, 20], "reply": [22], "repetition_penalty": 0.6},
    "presence": {"reply": [6, 6, 8, 33, 6], "presence_penalty": 1.1},
    "frequency": {"reply": [6, 6, 8, 33, 6], "frequency_penalty": 0.8},
    "bias comes before repetition": {"prompt": [7, 12], "bias": [[7, 6.0], [12, -6.0]], "repetition_penalty": 2.0},
    "minimum not reached": {"reply": [6, 8], "min_tokens": 3, "bias": [[5, 4.0]]},
    "minimum reached": {"reply": [6, 8, 9], "min_tokens": 3, "bias": [[5, 4.0]]},
    "everything": {
        "prompt": [3, 9, 20, 31, 38, 5],
        "reply": [6, 20, 6, 22, 8, 6],
        "bias": [[7, 2.0], [20, 3.0], [22, -1.0]],
        "repetition_penalty": 1.3,
        "presence_penalty": 0.4,
        "frequency_penalty": 0.5,
        "min_tokens": 9,
        "temperature": 1.4,
        "top_k": 18,
        "top_p": 0.9,
        "min_p": 0.05,
    },
}


def penalise(scores, reply, presence, frequency):
    counts = torch.zeros(V).index_add_(0, torch.tensor(reply, dtype=torch.long), torch.ones(len(reply)))
    return scores - counts * frequency - (counts > 0).float() * presence


def run(case, scores):
    prompt, reply = case.get("prompt", [14]), case.get("reply", [])
    ids = torch.tensor([prompt + reply])
    raw = steps.SuppressTokensLogitsProcessor(BANNED)(ids, scores[None])
    barred = raw
    if "min_tokens" in case:
        barred = steps.MinNewTokensLengthLogitsProcessor(len(prompt), case["min_tokens"], STOP_TOKENS)(ids, barred)
    penalised = raw
    if "bias" in case:
        penalised = steps.SequenceBiasLogitsProcessor({(id,): bias for id, bias in case["bias"]})(ids, penalised)
    if "repetition_penalty" in case:
        penalised = steps.RepetitionPenaltyLogitsProcessor(case["repetition_penalty"])(ids, penalised)
    penalised = penalise(penalised, reply, case.get("presence_penalty", 0.0), case.get("frequency_penalty", 0.0))
    warped = penalised
    if "min_tokens" in case:
        warped = steps.MinNewTokensLengthLogitsProcessor(len(prompt), case["min_tokens"], STOP_TOKENS)(ids, warped)
    if "temperature" in case:
        warped = steps.TemperatureLogitsWarper(case["temperature"])(ids, warped)
    if "top_k" in case:
        warped = steps.TopKLogitsWarper(case["top_k"])(ids, warped)
    if "top_p" in case:
        warped = steps.TopPLogitsWarper(case["top_p"])(ids, warped)
    if "min_p" in case:
        warped = steps.MinPLogitsWarper(case["min_p"])(ids, warped)
    top = torch.log_softmax(barred[0], -1).topk(5)
    return {
        **case,
        "scores": [round(score, 6) for score in scores.tolist()],
        "penalised": [None if id in BANNED else round(score, 6) for id, score in enumerate(penalised[0].tolist())],
        "chances": [round(chance, 8) for chance in warped[0].softmax(-1).tolist()],
        "top_logprobs": [[id, round(logprob, 6)] for id, logprob in zip(top.indices.tolist(), top.values.tolist())],
    }


generator = torch.Generator().manual_seed(20)
golden = {
    "made_by": f"make_sampling_golden.py, torch {torch.__version__.split('+')[0]}, transformers {transformers.__version__}",
    "stop_tokens": STOP_TOKENS,
    "banned": BANNED,
    "cases": {},
}
for name, case in CASES.items():
    scores = (2 * torch.randn(V, generator=generator)).mul(1e4).round().div(1e4)
    golden["cases"][name] = run(case, scores)
lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(case)}" for name, case in golden.pop("cases").items())
head = json.dumps(golden)[1:-1]
Path(__file__).with_name("sampling.json").write_text(f'{{{head}, "cases": {{\n{lines}\n}}}}\n')
