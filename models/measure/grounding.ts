// Does the shipped model listen? Nats per token of held-out replies after the line they answer, and after a line from another conversation.
// A model that only knows how its ground sounds gains nothing from the right line.
// And does it remember who it is: what its system turn states, against what another's does?

import { openTokenLikelihood } from '../../src/evaluation/likelihood/token-likelihood.ts';
import type { LanguageModel } from '../../src/generation/language-model.ts';
import { readModelCard } from '../../src/model/model-folder.ts';
import { encodePieces } from '../../src/model/tokenizer/encode-prompt.ts';
import { Tokenizer } from '../../src/model/tokenizer/tokenizer.ts';
import { mean } from '../../src/statistics.ts';
import type { Conversation, Turn } from '../../src/steerlm/conversation.ts';
import { layOutTraining } from '../../src/steerlm/prompt-layout.ts';
import { archetypes } from '../corpus/archetypes.ts';
import { type CorpusItem, generateCorpus } from '../corpus/grammar.ts';
import { createRandom } from '../corpus/random.ts';
import { drawScene, fill } from '../corpus/scene.ts';
import { repliesTo } from './steerability.ts';

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

/** A held-out persona asked for one fact of its system turn. */
interface Question {
  conversation: Conversation;
  /** The plainest reply, and the word or words of it that the system turn states. */
  reply: string;
  stated: string;
}

/** As many held-out personas asked for each fact. */
function drawQuestions(count: number): Map<string, Question[]> {
  const random = createRandom(93);
  const scenes = Array.from({ length: count }, () => drawScene(random, random.pick(archetypes), 'persona'));
  return new Map(
    facts.map(({ name, line, reply }) => [
      name,
      scenes.map(({ system, slots }) => ({
        conversation: { system, turns: [{ role: 'user', content: line }] },
        reply: fill(reply, slots),
        stated: fill(`{${name}}`, slots),
      })),
    ]),
  );
}

/** Share of replies, drawn as served with every attribute at its default, that say what the system turn states; by fact. */
export async function measureSaid(model: LanguageModel, count: number): Promise<Map<string, number>> {
  const said = new Map<string, number>();
  for (const [fact, questions] of drawQuestions(count)) {
    const replies = await repliesTo(
      model,
      questions.map(({ conversation }) => [conversation, {}]),
    );
    said.set(fact, mean(questions.map(({ stated }, i) => Number(replies[i]!.toLowerCase().includes(stated.toLowerCase())))));
  }
  return said;
}

/** How likely what the system turn states is as a reply, against what another's states. */
export async function measureRecall(folder: string, count: number): Promise<Recall[]> {
  const { attributeSchema: schema } = await readModelCard(folder);
  const tokenizer = await Tokenizer.open(folder);
  const label = { helpfulness: 3, humor: 0, creativity: 0, verbosity: 1, toxicity: 0, formality: 2 };
  const likelihood = await openTokenLikelihood(folder);
  const answers: Recall[] = [];
  for (const [fact, questions] of drawQuestions(count)) {
    const sequence = ({ system, turns }: Conversation, content: string) => {
      const answered: Turn[] = [...turns, { role: 'assistant', content, label }];
      const { ids, trained } = encodePieces(tokenizer, layOutTraining(schema!, { system, turns: answered }));
      return { ids, weights: Float32Array.from(trained, Number) };
    };
    const other = (place: number) =>
      questions
        .slice(place + 1)
        .concat(questions)
        .find(({ reply }) => reply !== questions[place]!.reply)!.reply;
    const right = await likelihood.score(questions.map(({ conversation, reply }) => sequence(conversation, reply)));
    const wrong = await likelihood.score(questions.map(({ conversation }, i) => sequence(conversation, other(i))));
    answers.push({
      fact,
      personas: count,
      right: mean(right.map(({ nats }) => nats)),
      wrong: mean(wrong.map(({ nats }) => nats)),
      likelier: mean(right.map(({ nats }, i) => Number(nats < wrong[i]!.nats))),
    });
  }
  await likelihood.dispose();
  return answers;
}
