// Does the shipped model listen? Nats per token of held-out replies after the line they answer, and after a line from another conversation.
// A model that only knows how its ground sounds gains nothing from the right line.
import { generateCorpus } from '../models/corpus/grammar.ts';
import { int64 } from '../src/llama/batches.ts';
import { encodePieces } from '../src/llama/encode.ts';
import { causalBias, forwardTrunk, logits, plainNetwork } from '../src/llama/forward.ts';
import { type Model, readModel } from '../src/llama/model.ts';
import { parameterShapes } from '../src/llama/shape.ts';
import { type AttributeSchema, type Conversation, layOutTraining } from '../src/steerlm.ts';
import { emitOnnx } from '../src/tensor/onnx.ts';
import * as t from '../src/tensor/primitives.ts';
import { Session } from '../src/tensor/session.ts';
import { recordSection, table } from './results.ts';

async function openScores({ shape, values }: Model): Promise<Session> {
  const constants = new Map([...parameterShapes(shape)].map(([name, dims]) => [name, t.constant(values.get(name)!, dims)]));
  const network = plainNetwork((name) => constants.get(name)!, shape);
  const positions = t.input('positions', 'int64', ['B', 'T']);
  const tokens = { ids: t.input('ids', 'int64', ['B', 'T']), positions, bias: causalBias(positions) };
  return Session.open(emitOnnx({ scores: t.logSoftmax(logits(shape, network, forwardTrunk(shape, network, tokens).hidden)) }));
}

/** Sum of −ln p over the trained tokens of a conversation, and how many there are. */
async function replyNll(
  session: Session,
  model: Model,
  schema: AttributeSchema,
  conversation: Conversation,
): Promise<[number, number]> {
  const { ids, trained } = encodePieces(model.tokenizer, layOutTraining(schema, conversation));
  const T = ids.length;
  const positions = Array.from({ length: T }, (_, i) => i);
  const { scores } = await session.run({ ids: int64(ids, [1, T]), positions: int64(positions, [1, T]) });
  const V = model.shape.vocabSize;
  let total = 0;
  for (let i = 1; i < T; i++) if (trained[i]) total -= scores!.data[(i - 1) * V + ids[i]!] as number;
  return [total, trained.filter(Boolean).length];
}

export interface Listening {
  replies: number;
  /** Nats per token after the line a reply answers, and after another. */
  right: number;
  wrong: number;
}

/** Reads the first replies of `count` held-out conversations with the model in `folder`. */
export async function measureListening(folder: string, count: number): Promise<Listening> {
  const model = await readModel(folder);
  const schema = model.card.attributeSchema!;
  const session = await openScores(model);
  const held = [...generateCorpus({ seed: 91, conversations: 12 * count })]
    .filter(({ split }) => split === 'validation')
    .slice(0, count);
  const sums = { right: 0, wrong: 0, tokens: 0 };
  for (const [i, { conversation }] of held.entries()) {
    const [line, reply] = conversation.turns as [Conversation['turns'][number], Conversation['turns'][number]];
    const other = held[(i + 37) % held.length]!.conversation.turns[0]!;
    const [right, tokens] = await replyNll(session, model, schema, { ...conversation, turns: [line, reply] });
    const [wrong] = await replyNll(session, model, schema, { ...conversation, turns: [other, reply] });
    sums.right += right;
    sums.wrong += wrong;
    sums.tokens += tokens;
  }
  await session.dispose();
  return { replies: held.length, right: sums.right / sums.tokens, wrong: sums.wrong / sums.tokens };
}

/** Measures the steered model and writes its row. */
export async function run(): Promise<void> {
  const { replies, right, wrong } = await measureListening('models/npc', 400);
  const rows = [['npc', replies, right.toFixed(3), wrong.toFixed(3), (wrong - right).toFixed(3)]];
  const head = ['model', 'replies', 'after its own line', 'after another line', 'gain of listening'];
  await recordSection('grounding', `Held-out first replies, nats per token.\n\n${table(head, rows)}`);
}
