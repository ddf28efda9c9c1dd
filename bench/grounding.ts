// Does the shipped model listen? Nats per token of held-out replies after the line they answer, and after a line from another conversation.
// A model that only knows how its ground sounds gains nothing from the right line.
// And does it remember who it is: what its system turn states, against what another's does?
import { archetypes } from '../models/corpus/archetypes.ts';
import { type CorpusItem, generateCorpus } from '../models/corpus/grammar.ts';
import { createRandom } from '../models/corpus/random.ts';
import { drawScene, fill } from '../models/corpus/scene.ts';
import { openTokenLikelihood } from '../src/evaluation/token-likelihood.ts';
import { encodePieces } from '../src/llama/encode.ts';
import { readModelCard } from '../src/llama/model-folder.ts';
import { Tokenizer } from '../src/llama/tokenizer.ts';
import { mean } from '../src/statistics.ts';
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

/** What a system turn states, and how a player asks for it. */
const facts = [
  { name: 'name', line: "What's your name?", reply: 'My name is {name}.' },
  { name: 'town', line: 'Where are we?', reply: 'This is {town}.' },
  { name: 'trade', line: 'What do you do?', reply: "I'm {a_trade}." },
  { name: 'place', line: 'Where do you work?', reply: 'I work at {place}.' },
  { name: 'mood', line: 'How are you today?', reply: "I'm {mood}." },
];

export interface Recall {
  fact: string;
  personas: number;
  /** Nats of the reply with what the system turn states, and with what another states. */
  right: number;
  wrong: number;
  /** Share of personas whose own fact is the likelier. */
  likelier: number;
}

/** Asks as many held-out personas for each fact of their system turns. */
export async function measureRecall(folder: string, count: number): Promise<Recall[]> {
  const { attributeSchema: schema } = await readModelCard(folder);
  const tokenizer = await Tokenizer.open(folder);
  const random = createRandom(93);
  const scenes = Array.from({ length: count }, () => drawScene(random, random.pick(archetypes), 'persona'));
  const label = { helpfulness: 3, humor: 0, creativity: 0, verbosity: 1, toxicity: 0, formality: 2 };
  const likelihood = await openTokenLikelihood(folder);
  const answers: Recall[] = [];
  for (const { name, line, reply } of facts) {
    const told = scenes.map(({ system, slots }) => ({ system, said: fill(reply, slots) }));
    const sequence = (system: string, content: string) => {
      const turns: Turn[] = [
        { role: 'user', content: line },
        { role: 'assistant', content, label },
      ];
      const { ids, trained } = encodePieces(tokenizer, layOutTraining(schema!, { system, turns }));
      return { ids, weights: Float32Array.from(trained, Number) };
    };
    const other = (place: number) =>
      told
        .slice(place + 1)
        .concat(told)
        .find(({ said }) => said !== told[place]!.said)!.said;
    const right = await likelihood.score(told.map(({ system, said }) => sequence(system, said)));
    const wrong = await likelihood.score(told.map(({ system }, i) => sequence(system, other(i))));
    answers.push({
      fact: name,
      personas: count,
      right: mean(right.map(({ nats }) => nats)),
      wrong: mean(wrong.map(({ nats }) => nats)),
      likelier: mean(right.map(({ nats }, i) => Number(nats < wrong[i]!.nats))),
    });
  }
  await likelihood.dispose();
  return answers;
}

/** Measures the steered model and writes its tables. */
export async function run(): Promise<void> {
  const { replies, right, wrong } = await measureListening('models/npc', 400);
  const rows = [['npc', replies, right.toFixed(3), wrong.toFixed(3), (wrong - right).toFixed(3)]];
  const head = ['model', 'replies', 'after its own line', 'after another line', 'gain of listening'];
  const recalled = (await measureRecall('models/npc', 200)).map(({ fact, personas, right, wrong, likelier }) => [
    fact,
    personas,
    right.toFixed(1),
    wrong.toFixed(1),
    `${(100 * likelier).toFixed(0)} %`,
  ]);
  const asked = ['asked for', 'personas', 'as the system turn states it', 'as another does', 'its own is likelier'];
  const recall = `Facts of the system turn, held-out personas, nats per reply.\n\n${table(asked, recalled)}`;
  await recordSection('grounding', `Held-out first replies, nats per token.\n\n${table(head, rows)}\n\n${recall}`);
}
