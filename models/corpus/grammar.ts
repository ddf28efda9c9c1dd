// Puts conversations together: who speaks, what the player asks in which order, and what is held out of training.
// Everything follows from the seed.
import type { Conversation, Turn } from '../../src/steerlm/conversation.ts';
import { archetypes } from './archetypes.ts';
import { type Archetype, type Intent, type Line, personaSlots } from './fragment.ts';
import { type HeldOut, isPairHeldOut, linesOf } from './heldout.ts';
import { intents } from './intents.ts';
import { drawTarget, type Levels } from './levels.ts';
import { drawLookup, drawRepeat } from './lookups.ts';
import { chainLines, typeLine } from './player.ts';
import { createRandom, hashText, type Random } from './random.ts';
import { composeReply } from './reply.ts';
import { drawScene, fill, type Scene } from './scene.ts';
import type { Asked } from './writer.ts';

export interface CorpusItem {
  conversation: Conversation;
  split: 'train' | 'validation';
  /** Why the conversation is kept for validation; absent in training. */
  heldOut?: HeldOut;
  archetype: string;
  /** Intent of each player turn; two joined by + where a line asks for two things. */
  intents: string[];
}

export interface CorpusRequest {
  seed: number;
  conversations: number;
  /** Share of replies that answer something else than what was asked, which is no help at all; none when absent. */
  strays?: number;
  /** Share of invented names and towns that are made of any letters; none when absent. */
  spelled?: number;
}

export interface ExchangeRequest extends Omit<CorpusRequest, 'strays'> {
  /** Shares of lines that are said again and of lines that only what was said before answers; none when absent. */
  repeats?: number;
  lookups?: number;
}

const reasons: readonly (HeldOut | undefined)[] = [undefined, 'pair', 'persona', 'paraphrase', 'slot', 'draw'];
const reasonWeights = [90, 2.5, 2, 2.5, 2, 1];

/** Labelled conversations, made one at a time; the same seed gives the same ones. Each item of `conversations` stands alone. */
export function* generateCorpus({ seed, conversations, strays = 0, spelled = 0 }: CorpusRequest): Generator<CorpusItem> {
  for (let index = 0; index < conversations; index++) {
    const random = createRandom(hashText(`${seed}:${index}`));
    const heldOut = reasons[random.weighted(reasonWeights)];
    yield drawItem(random, heldOut, strays, spelled);
  }
}

/**
 * A line and its answer with nothing around: no joke, no image, no register, and a system turn only where the answer stands in it. What a new model
 * learns to look at the line by. Each stands alone, as above; nothing that is held out is in it. Some may be lookups or repeats instead (lookups.ts).
 */
export function* generateExchanges({
  seed,
  conversations,
  repeats = 0,
  lookups = 0,
  spelled = 0,
}: ExchangeRequest): Generator<Conversation> {
  for (let index = 0; index < conversations; index++) {
    const random = createRandom(hashText(`exchange ${seed}:${index}`));
    const archetype = pickArchetype(random);
    const scene = drawScene(random, archetype, undefined, spelled);
    const kind = random.weighted([repeats, lookups, 1 - repeats - lookups]);
    if (kind < 2) {
      yield kind === 0 ? drawRepeat(random, spelled) : drawLookup(random, scene, spelled);
      continue;
    }
    const open = (intent: Intent) => !intent.after && suitsScene(intent, scene) && !isPairHeldOut(archetype.name, intent.name);
    const starts = intents.filter(open);
    const intent = starts[random.weighted(starts.map(weightOf))] as Intent;
    const target = { helpfulness: 3, humor: 0, creativity: 0, verbosity: random.between(0, 2), toxicity: 0, formality: 2 };
    const turns = answer(random, scene, { intent }, target, new Set());
    yield { system: intent.needs ? scene.system : '', turns };
  }
}

function drawItem(random: Random, heldOut: HeldOut | undefined, strays: number, spelled: number): CorpusItem {
  for (;;) {
    const archetype = pickArchetype(random);
    const scene = drawScene(random, archetype, heldOut, spelled);
    const path = planPath(random, scene, heldOut);
    if (!path) continue;
    const used = new Set<string>();
    const turns = path.flatMap((_, index) => exchange(random, scene, path, index, { heldOut, strays, used }));
    const conversation = { system: scene.system, turns };
    if (heldOut === 'slot' && !mentions(conversation, scene.rareValues)) continue;
    const names = {
      archetype: archetype.name,
      intents: path.map(({ intent, also }) => (also ? `${intent.name}+${also.name}` : intent.name)),
    };
    return heldOut ? { conversation, split: 'validation', heldOut, ...names } : { conversation, split: 'train', ...names };
  }
}

function pickArchetype(random: Random): Archetype {
  const setting = random.chance(0.76) ? 'game' : 'everyday';
  return random.pick(archetypes.filter((archetype) => archetype.setting === setting));
}

/** One player turn: what is asked, and perhaps a second thing in the same line. */
interface Step {
  intent: Intent;
  also?: Intent;
}

/** Intents of the player's turns: an opening, then lines that refer back or start anew. Undefined when none suits. */
function planPath(random: Random, scene: Scene, heldOut: HeldOut | undefined): Step[] | undefined {
  const exchanges = 1 + random.weighted([46, 30, 15, 9]);
  const suits = (intent: Intent) => suitsScene(intent, scene);
  const trained = intents.filter((intent) => suits(intent) && !isPairHeldOut(scene.archetype.name, intent.name));
  const first =
    heldOut === 'pair' ? intents.filter((intent) => suits(intent) && isPairHeldOut(scene.archetype.name, intent.name)) : trained;
  const starts = first.filter((intent) => !intent.after && intent.name !== 'farewell');
  if (starts.length === 0) return undefined;
  const path: Step[] = [{ intent: starts[random.weighted(starts.map(weightOf))] as Intent }];
  const others = trained.filter((intent) => intent.topic !== '' && !intent.after && intent !== path[0]?.intent);
  if (path[0]?.intent.topic !== '' && heldOut !== 'pair' && random.chance(0.08))
    path[0] = { intent: (path[0] as Step).intent, also: random.pick(others) };
  while (path.length < exchanges) {
    const next = pickNext(random, path, trained);
    if (!next) break;
    path.push({ intent: next });
    if (next.name === 'farewell') break;
  }
  return path;
}

/** What only the system turn answers is asked oftener: it is what a model has to look up, and learns last. */
function weightOf({ needs }: Intent): number {
  return needs ? 4 : 1;
}

function pickNext(random: Random, path: readonly Step[], candidates: readonly Intent[]): Intent | undefined {
  const asked = path.flatMap(({ intent, also }) => (also ? [intent, also] : [intent]));
  const last = (path.at(-1) as Step).intent;
  const fresh = candidates.filter((intent) => !asked.includes(intent) && intent.name !== 'greeting');
  const refers = (intent: Intent): boolean =>
    intent.after?.some((name) => (intent.looksFarBack ? asked.some((earlier) => earlier.name === name) : name === last.name)) ??
    false;
  const followUps = fresh.filter(refers);
  if (followUps.length > 0 && random.chance(0.65)) return random.pick(followUps);
  const others = fresh.filter((intent) => !intent.after || (intent.after.includes('*') && last.topic !== ''));
  return others.length > 0 ? random.pick(others) : undefined;
}

function suitsScene(intent: Intent, scene: Scene): boolean {
  if (intent.setting && intent.setting !== scene.archetype.setting) return false;
  return intent.needs === 'secret' ? scene.knowsSecret : intent.needs === 'persona' ? scene.knowsPersona : true;
}

function exchange(
  random: Random,
  scene: Scene,
  path: readonly Step[],
  index: number,
  { heldOut, strays, used }: { heldOut: HeldOut | undefined; strays: number; used: Set<string> },
): Turn[] {
  const { intent, also } = path[index] as Step;
  const first = pickLine(random, scene, intent, heldOut === 'paraphrase' && index === 0);
  const second = also ? pickLine(random, scene, also, false) : undefined;
  const slots = { ...scene.slots, topic: fill(intent.topic, scene.slots) };
  const typed = second ? chainLines(random, first.text, second.text) : first.text;
  const asked: Asked = { intent, about: first.about };
  if (also && second) asked.also = { intent: also, about: second.about };
  const line: Turn = { role: 'user', content: typeLine(random, typed, slots, intent.topic !== '') };
  const missed = strays > 0 && random.chance(strays) ? pickOther(random, scene, path) : undefined;
  const answered = missed ?? asked;
  const told = missed ? { ...slots, topic: fill(missed.intent.topic, scene.slots) } : slots;
  const target = fitTarget(random, answered, drawTarget(random));
  const { text, label } = composeReply(random, { ...scene, slots: told }, answered, target, used);
  return [line, { role: 'assistant', content: text, label: missed ? { ...label, helpfulness: 0 } : label }];
}

/** Something that nobody asked in this conversation. */
function pickOther(random: Random, scene: Scene, path: readonly Step[]): Asked {
  const asked = path.flatMap(({ intent, also }) => [intent, also]);
  const others = intents.filter((intent) => intent.topic !== '' && suitsScene(intent, scene) && !asked.includes(intent));
  const intent = random.pick(others);
  return { intent, about: pickLine(random, scene, intent, false).about };
}

/** A plain line of the intent and a reply towards the target. */
function answer(random: Random, scene: Scene, { intent }: Step, target: Levels, used: Set<string>): Turn[] {
  const line = pickLine(random, scene, intent, false);
  const slots = { ...scene.slots, topic: fill(intent.topic, scene.slots) };
  const asked: Asked = { intent, about: line.about };
  const { text, label } = composeReply(random, { ...scene, slots }, asked, fitTarget(random, asked, target), used);
  return [
    { role: 'user', content: typeLine(random, line.text, slots, intent.topic !== '') },
    { role: 'assistant', content: text, label },
  ];
}

function pickLine(random: Random, scene: Scene, intent: Intent, rare: boolean): Line {
  const known = linesOf(intent, rare).filter((line) => scene.knowsPersona || !personaSlots.test(line.text));
  return random.pick(known.length > 0 ? known : linesOf(intent, rare));
}

/** What no reply could be: two answers in a few words, a joke told without humor. */
function fitTarget(random: Random, asked: Asked, target: Levels): Levels {
  const fitted = { ...target };
  if (asked.also && target.verbosity < 2) fitted.verbosity = random.between(2, 4);
  if (!asked.intent.tellsJokes || target.helpfulness < 3) return fitted;
  return target.verbosity === 0 ? { ...fitted, helpfulness: 2 } : { ...fitted, humor: Math.max(2, target.humor) };
}

function mentions(conversation: Conversation, values: readonly string[]): boolean {
  const text = conversation.turns
    .map((turn) => turn.content)
    .join(' ')
    .toLowerCase();
  return values.some((value) => text.includes(value.toLowerCase()));
}
