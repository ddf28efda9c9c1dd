// What fewer bits cost the shipped model: its held-out loss as its training measured it, and how closely replies follow the levels asked for, by the
// predictor, at fp32, int8 and int4.
import { generateCorpus } from '../models/corpus/grammar.ts';
import { openPredictor } from '../src/attributes/open-predictor.ts';
import type { Predictor } from '../src/attributes/predictor.ts';
import { steeredSequence } from '../src/finetuning/sequences.ts';
import type { LanguageModel } from '../src/generation/language-model.ts';
import { openLanguageModel } from '../src/generation/steered-model.ts';
import { packedBatches } from '../src/llama/batches.ts';
import { loadNetwork, type Precision, precisions } from '../src/llama/loaded-network.ts';
import { type Model, readModel } from '../src/llama/model.ts';
import { nextTokenObjective } from '../src/llama/objective.ts';
import { applyAttributes, type Conversation, layOutPrompt, trimReply } from '../src/steerlm.ts';
import { emitOnnx } from '../src/tensor/onnx.ts';
import { Session } from '../src/tensor/session.ts';
import { recordSection, table } from './results.ts';
import { everyLevel, followed, heldOutPrompts } from './steerability.ts';

const folder = 'models/npc';
/** As in models/build.ts, whose card carries the fp32 figure. */
const [seed, heldOut, B, T] = [4, 400, 8, 256];
const prompts = 24;

function heldOutConversations(): Conversation[] {
  const found: Conversation[] = [];
  for (const { conversation, split } of generateCorpus({ seed, conversations: 75_000 })) {
    if (split === 'validation') found.push(conversation);
    if (found.length === heldOut) break;
  }
  return found;
}

/** Nats per trained token of whole held-out conversations under their labels. */
async function heldOutLoss(model: Model, precision: Precision): Promise<{ loss: number; bytes: number }> {
  const { shape, network, weightBytes, ...loaded } = await loadNetwork(model, precision);
  const objective = nextTokenObjective(shape, network, B, T);
  const session = await Session.open(emitOnnx({ loss: objective.loss }), { folder: loaded.folder }).finally(loaded.dispose);
  const keep = { label: 0, attribute: 0 };
  const sequences = heldOutConversations().map((conversation, index) =>
    steeredSequence(model.tokenizer, model.card.attributeSchema!, { kind: 'conversation', conversation }, keep, {
      seed,
      epoch: -1,
      index,
    }),
  );
  const batches = packedBatches(() => sequences, { B, T, seed: 0, shuffle: false });
  let [total, weight] = [0, 0];
  for (let i = 0; i < batches.size(-1); i++) {
    const batch = batches.fetch(-1, i);
    const feeds = { ...batch.feeds, inverse_weight: { data: Float32Array.of(1), shape: [] } };
    total += (await session.run(feeds)).loss!.data[0] as number;
    weight += batch.weight;
  }
  await session.dispose();
  return { loss: total / weight, bytes: weightBytes };
}

async function replyTo(model: LanguageModel, conversation: Conversation, attributes: Record<string, number>): Promise<string> {
  const prompt = model.encode(layOutPrompt(model.schema, conversation, applyAttributes(model.schema, attributes)));
  const request = { prompt, maxTokens: 160, temperature: 0.7, topP: 0.95, topK: 0, stop: [], seed: 3, n: 1 };
  for await (const event of model.complete(request, new AbortController().signal)) {
    if (event.kind !== 'end') continue;
    return trimReply(event.text);
  }
  throw new Error('no reply');
}

/** Rank correlation of the levels asked for with those the predictor sees, by attribute. */
async function steerability(precision: Precision, predictor: Predictor): Promise<Map<string, number>> {
  const model = await openLanguageModel(folder, { threads: 1, precision });
  const asked = everyLevel(heldOutPrompts(prompts), model.schema.attributes);
  const replies = await Promise.all(asked.map((each) => replyTo(model, each.conversation, { [each.attribute]: each.value })));
  const found = await followed(predictor, asked, replies);
  await model.dispose();
  return new Map([...found].map(([name, { spearman }]) => [name, spearman]));
}

/** Measures every precision and writes a row each. */
export async function run(): Promise<void> {
  const model = await readModel(folder);
  const predictor = await openPredictor('models/npc-predictor', { threads: 1 });
  const names = model.card.attributeSchema!.attributes.map(({ name }) => name);
  const rows: string[][] = [];
  for (const precision of precisions) {
    const { loss, bytes } = await heldOutLoss(model, precision);
    const followed = await steerability(precision, predictor);
    const figures = names.map((name) => followed.get(name)!);
    const mean = figures.reduce((a, b) => a + b, 0) / figures.length;
    rows.push([
      precision,
      (bytes / 2 ** 20).toFixed(2),
      loss.toFixed(4),
      ...[...figures, mean].map((figure) => figure.toFixed(3)),
    ]);
  }
  await predictor.dispose();
  const head = ['precision', 'weights, MiB', 'held-out loss', ...names, 'mean'];
  await recordSection(
    'precision',
    `Loss in nats per trained token of ${heldOut} held-out conversations, as on the model's card. Steering: Spearman of the level asked for and the level the predictor sees, ${prompts} held-out prompts at every level, one attribute at a time, temperature 0.7.\n\n${table(head, rows)}`,
  );
}
