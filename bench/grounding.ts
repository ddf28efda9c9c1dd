// Does the shipped model listen? Nats per token of held-out replies after the line they answer, and after a line from another conversation.
// A model that only knows how its ground sounds gains nothing from the right line.
import { type CorpusItem, generateCorpus } from '../models/corpus/grammar.ts';
import { openTokenLikelihood } from '../src/evaluation/token-likelihood.ts';
import { encodePieces } from '../src/llama/encode.ts';
import { readModelCard } from '../src/llama/model-folder.ts';
import { Tokenizer } from '../src/llama/tokenizer.ts';
import { layOutTraining, type Turn } from '../src/steerlm.ts';
import { recordSection, table } from './results.ts';

export interface Listening {
  replies: number;
  /** Nats per token after the line a reply answers, and after another. */
  right: number;
  wrong: number;
}

/** Reads the first replies of `count` held-out conversations with the model in `folder`. */
export async function measureListening(folder: string, count: number): Promise<Listening> {
  const { attributeSchema: schema } = await readModelCard(folder);
  const tokenizer = await Tokenizer.open(folder);
  const held = [...generateCorpus({ seed: 91, conversations: 12 * count })]
    .filter(({ split }) => split === 'validation')
    .slice(0, count);
  const after = (turn: Turn, { conversation }: CorpusItem) => {
    const turns = [turn, conversation.turns[1]!];
    const { ids, trained } = encodePieces(tokenizer, layOutTraining(schema!, { ...conversation, turns }));
    return { ids, weights: Float32Array.from(trained, Number) };
  };
  const likelihood = await openTokenLikelihood(folder);
  const nllOf = async (turnFor: (place: number) => Turn): Promise<number> => {
    const found = await likelihood.score(held.map((item, i) => after(turnFor(i), item)));
    return found.reduce((sum, { nats }) => sum + nats, 0) / found.reduce((sum, { tokens }) => sum + tokens, 0);
  };
  const line = (place: number) => held[place % held.length]!.conversation.turns[0]!;
  const [right, wrong] = [await nllOf(line), await nllOf((i) => line(i + 37))];
  await likelihood.dispose();
  return { replies: held.length, right, wrong };
}

/** Measures the steered model and writes its row. */
export async function run(): Promise<void> {
  const { replies, right, wrong } = await measureListening('models/npc', 400);
  const rows = [['npc', replies, right.toFixed(3), wrong.toFixed(3), (wrong - right).toFixed(3)]];
  const head = ['model', 'replies', 'after its own line', 'after another line', 'gain of listening'];
  await recordSection('grounding', `Held-out first replies, nats per token.\n\n${table(head, rows)}`);
}
