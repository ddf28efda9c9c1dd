// Lines that only what was said before can answer: what the system turn states of a character, or a name the player just used. Nearly every answer
// is a name nobody has, so that nothing but looking it up helps.
import type { Conversation } from '../../src/steerlm/conversation.ts';
import { split } from './fragment.ts';
import { linesOf } from './heldout.ts';
import { intents } from './intents.ts';
import { drawInvented, inventedNames, inventedTowns } from './invented.ts';
import { countWords, verbosityOf } from './measure.ts';
import { capitalise, typeLine } from './player.ts';
import type { Random } from './random.ts';
import { fill, type Scene, type Slots } from './scene.ts';

/** Questions and their plain answers; each answer fits each question of its group. */
interface Lookup {
  lines: readonly string[];
  answers: readonly string[];
}

const lookup = (lines: string, answers: string): Lookup => ({ lines: split(lines), answers: split(answers) });

/** Answered by the system turn. */
const ofPersona: readonly Lookup[] = [
  lookup(
    "What is your name?|What's your name?|Your name?|Who are you?|And you are?|Tell me your name.|What do they call you?|Who am I talking to?",
    '{name}.|{name}.|I am {name}.|My name is {name}.|They call me {name}.|{name} is my name.|You are talking to {name}.',
  ),
  lookup(
    'Where are we?|Which town is this?|What is this town called?|Where do you live?|Where are you from?|What town is it?',
    '{town}.|{town}.|This is {town}.|I live in {town}.|{town} is my home.|We are in {town}.',
  ),
  lookup(
    'What do you do?|What is your trade?|What are you?|Your work?|What is your job?',
    '{a_trade}.|I am {a_trade}.|My trade? {a_trade}.',
  ),
  lookup(
    'Where do you work?|Where can I find you?|What is your place?|Where do you spend the day?',
    '{place}.|At {place}.|You find me at {place}.|Come to {place}.',
  ),
  lookup(
    'How are you?|How do you feel?|What mood are you in?|What is your mood?|How is your mood today?',
    '{mood}.|I am {mood}.|I feel {mood}.|Today I am {mood}.',
  ),
];

/** Answered by the line itself. */
const ofLine: readonly Lookup[] = [
  lookup(
    "I am {a}. Who am I?|My name is {a}. What's my name?|Call me {a}. What do you call me?|They call me {a}. Do you know my name?",
    '{a}.|You are {a}.|Your name is {a}.',
  ),
  lookup('Say {a} {b}.|Repeat after me: {a} {b}.|Say it with me: {a} {b}.', '{a} {b}.'),
  lookup(
    'I met {a} in {b}. Whom did I meet?|I saw {a} near {b}. Whom did I see?|{a} waits in {b}. Who waits?',
    '{a}.|It was {a}.',
  ),
  lookup('I met {a} in {b}. Where was it?|{a} lives in {b}. Where does {a} live?|{a} went to {b}. Where is {a}?', '{b}.|In {b}.'),
  lookup('{a}, {b}, {c}. What comes after {a}?|First {a}, then {b}, then {c}. What follows {a}?', '{b}.|After {a} comes {b}.'),
  lookup('{a}, {b}, {c}. What comes after {b}?|First {a}, then {b}, then {c}. What follows {b}?', '{c}.|After {b} comes {c}.'),
];

/** A line and its answer, to be found in the system turn where the scene states a persona, and in the line otherwise; for `spelled` see drawScene. */
export function drawLookup(random: Random, scene: Scene, spelled = 0): Conversation {
  const asksPersona = scene.knowsPersona && random.chance(0.7);
  const { lines, answers } = random.pick(asksPersona ? ofPersona : ofLine);
  const slots: Slots = { ...scene.slots, ...drawNames(random, spelled) };
  const line = random.pick(lines);
  const answer = capitalise(fill(random.pick(answers), slots));
  const verbosity = verbosityOf(countWords(answer));
  const label = { helpfulness: 3, humor: 0, creativity: 0, verbosity, toxicity: 0, formality: 2 };
  return {
    system: asksPersona || random.chance(0.2) ? scene.system : '',
    turns: [
      // A name is typed as it is meant.
      { role: 'user', content: asksPersona ? typeLine(random, line, slots, false) : capitalise(fill(line, slots)) },
      { role: 'assistant', content: answer, label },
    ],
  };
}

function drawNames(random: Random, spelled: number): Slots {
  const [a, c] = [drawInvented(random, inventedNames, spelled), drawInvented(random, inventedNames, spelled)];
  return { a, b: drawInvented(random, inventedTowns, spelled), c };
}

/** Every word of what players say. */
const words = [
  ...new Set(intents.flatMap((intent) => linesOf(intent, false).flatMap(({ text }) => text.match(/\b[A-Za-z]+\b(?!\})/g) ?? []))),
];

/** A line of words in no order, and the same again. */
export function drawRepeat(random: Random, spelled = 0): Conversation {
  const said = Array.from({ length: random.between(2, 16) }, () =>
    random.chance(0.5) ? random.pick(words) : drawInvented(random, nameLists[random.between(0, 1)]!, spelled),
  ).join(' ');
  return {
    system: '',
    turns: [
      { role: 'user', content: said },
      { role: 'assistant', content: said },
    ],
  };
}

const nameLists = [inventedNames, inventedTowns];
