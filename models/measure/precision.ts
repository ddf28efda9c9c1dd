// What fewer bits cost the shipped model: its held-out loss as its training measured it, and how closely replies follow the levels asked for, by the
// predictor, at fp32, int8 and int4.

import { engineDefaults } from '../../src/engine/engine.ts';
import type { HeldSequence } from '../../src/engine/onnx/bands.ts';
import { openRunner } from '../../src/engine/open-runner.ts';
import type { Runner } from '../../src/engine/runner.ts';
import { steeredSequence } from '../../src/finetuning/sequences.ts';
import { openLanguageModel } from '../../src/generation/steered-model.ts';
import { type Precision, precisions } from '../../src/model/loaded-network.ts';
import { readModel } from '../../src/model/model.ts';
import { type PrecisionCost, readModelCard, writeModelCard } from '../../src/model/model-folder.ts';
import type { Model } from '../../src/model/whole-model.ts';
import { openPredictor } from '../../src/predictor/open.ts';
import type { Predictor } from '../../src/predictor/predictor.ts';
import type { Conversation } from '../../src/steerlm/conversation.ts';
import type { Sequence } from '../../src/training/packing.ts';
import { generateCorpus } from '../corpus/grammar.ts';
import { heldOut, models, recipes } from '../recipes.ts';
import { asRequests, everyLevel, followed, heldOutPrompts, repliesTo } from './steerability.ts';

const folder = `models/${models.steered}`;
const { seed, conversations } = recipes.steered;
export const prompts = 24;

function heldOutConversations(): Conversation[] {
  const found: Conversation[] = [];
  for (const { conversation, split } of generateCorpus({ seed, conversations })) {
    if (split === 'validation') found.push(conversation);
    if (found.length === heldOut) break;
  }
  return found;
}

const together = 64;

/** Nats per trained token of whole held-out conversations under their labels, as the engine reads them: token after token, many side by side. */
async function heldOutLoss(model: Model, precision: Precision): Promise<{ loss: number; bytes: number }> {
  const options = { ...engineDefaults, threads: 1, precision, provider: 'cpu' as const, sequences: together };
  const { runner, weightBytes, dispose } = await openRunner(folder, options);
  const keep = { label: 0, attribute: 0, partial: 0 };
  const sequences = heldOutConversations()
    .map((conversation, index) =>
      steeredSequence(model.tokenizer, model.card.attributeSchema!, { kind: 'conversation', conversation }, keep, {
        seed,
        epoch: -1,
        index,
      }),
    )
    .filter(({ ids }) => ids.length <= model.shape.contextLength);
  let [total, weight] = [0, 0];
  for (let start = 0; start < sequences.length; start += together) {
    for await (const { sequence, place, scores } of forced(runner, sequences.slice(start, start + together))) {
      const own = sequence.weights[place]!;
      if (own === 0) continue;
      total += own * surprise(scores, sequence.ids[place]!);
      weight += own;
    }
  }
  await dispose();
  return { loss: total / weight, bytes: weightBytes };
}

/** Every place of the sequences but the first, with the scores (V) of what may stand there. */
async function* forced(runner: Runner, sequences: readonly Sequence[]) {
  const held = new Map<HeldSequence, Sequence>();
  for (const sequence of sequences) {
    const reading = runner.read(sequence.ids.slice(0, 1));
    await runner.advance(reading, 1);
    const slot: HeldSequence = { slot: undefined, computed: 1 };
    runner.hold(slot, reading);
    runner.drop(reading);
    held.set(slot, sequence);
    yield { sequence, place: 1, scores: reading.scores! };
  }
  while (held.size > 0) {
    for (const slot of held.keys()) {
      if (slot.computed + 1 < held.get(slot)!.ids.length) continue;
      runner.leave(slot);
      held.delete(slot);
    }
    for (const batch of runner.batches()) {
      const members = [...batch.members];
      const answers = await runner.run(
        batch,
        members.map((slot) => held.get(slot)!.ids[slot.computed]!),
      );
      for (const [i, slot] of members.entries()) yield { sequence: held.get(slot)!, place: slot.computed, scores: answers[i]! };
    }
  }
}

/** -ln of a token's probability. */
function surprise(scores: Float32Array, token: number): number {
  const highest = scores.reduce((most, score) => Math.max(most, score));
  return highest + Math.log(scores.reduce((sum, score) => sum + Math.exp(score - highest), 0)) - scores[token]!;
}

/** Rank correlation of the levels asked for with those the predictor sees, by attribute. */
async function steerability(precision: Precision, predictor: Predictor): Promise<Map<string, number>> {
  const model = await openLanguageModel(folder, { threads: 1, precision });
  const asked = everyLevel(heldOutPrompts(prompts), model.schema.attributes);
  const replies = await repliesTo(model, asRequests(asked));
  const found = await followed(predictor, asked, replies);
  await model.dispose();
  return new Map([...found].map(([name, { spearman }]) => [name, spearman]));
}

/** What each precision costs the shipped model. Figures to four digits, which is more than they are good for. */
export async function measurePrecisions(): Promise<Record<Precision, PrecisionCost>> {
  const model = await readModel(folder);
  const predictor = await openPredictor(`models/${models.predictor}`, { threads: 1 });
  const round = (figure: number) => Number(figure.toFixed(4));
  const costs: Partial<Record<Precision, PrecisionCost>> = {};
  for (const precision of precisions) {
    const { loss, bytes } = await heldOutLoss(model, precision);
    const followed = await steerability(precision, predictor);
    const figures = Object.fromEntries([...followed].map(([name, figure]) => [name, round(figure)]));
    costs[precision] = { weight_bytes: bytes, eval_loss: round(loss), steerability: figures };
  }
  await predictor.dispose();
  return costs as Record<Precision, PrecisionCost>;
}

/** Writes them on the model's card, beside what else was measured. */
export async function notePrecisions(precision: Record<Precision, PrecisionCost>): Promise<void> {
  const card = await readModelCard(folder);
  await writeModelCard(folder, { ...card, measured: { ...card.measured, precision } });
}
