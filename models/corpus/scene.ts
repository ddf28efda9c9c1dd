// Draws a character and everything the conversation may mention, once, so that all turns agree; words the system turn.
import type { Archetype } from './fragment.ts';
import { type HeldOut, valuesOf } from './heldout.ts';
import { drawInvented, inventedNames, inventedTowns } from './invented.ts';
import type { Random } from './random.ts';
import * as world from './world.ts';

export type Slots = Record<string, string>;

export interface Scene {
  archetype: Archetype;
  system: string;
  /** Whether the system turn states name, trade, place, town and mood. */
  knowsPersona: boolean;
  knowsSecret: boolean;
  slots: Slots;
  /** Held-out values drawn; a validation conversation kept for one of them must mention it. */
  rareValues: string[];
}

const systems = [
  'You are {name}, {trade} at {place} in {town}. Mood: {mood}. {secretLine}',
  'You are {name}, {a_trade} from {town}. You work at {place}. You feel {mood} today. {secretLine}',
  'Name: {name}. Trade: {trade}. Place: {place}, {town}. Mood: {mood}. {secretLine}',
  'Play {name}, {a_trade} at {place} in {town}, who is {mood} today. {secretLine}',
  "{name} is {a_trade} in {town} and can be found at {place}. Today's mood is {mood}. {secretLine}",
  'Stay in character as {name}, the {trade} at {place}, {town}. You are {mood}. {secretLine}',
];
const everydaySystems = [
  'You are {name}, {a_trade} in {town}. People find you at {place}. Mood: {mood}. {secretLine}',
  'You are {name}, {a_trade} at {place} in {town}. You feel {mood}. {secretLine}',
];
const secretLines = [
  'Secret: {secretYou}.',
  'Your secret: {secretYou}.',
  'Nobody knows that {secretYou}.',
  'Keep this hidden: {secretYou}.',
];
const plainSystems = [
  '',
  '',
  '',
  'You are a friendly companion.',
  'You are a character in a game. Answer the player.',
  'Chat with the user.',
  'A conversation between a user and a companion.',
];

/**
 * A drawn scene for the archetype; `heldOut` persona or slot draws from the values training never sees. Of invented names and towns a share of `spelled`
 * is made of any letters.
 */
export function drawScene(random: Random, archetype: Archetype, heldOut: HeldOut | undefined, spelled = 0): Scene {
  const rareValues: string[] = [];
  const rare = (values: readonly string[]): string => {
    const value = random.pick(valuesOf(values, heldOut === 'slot'));
    if (heldOut === 'slot') rareValues.push(value);
    return value;
  };
  const slots = { ...drawPersona(random, archetype, heldOut === 'persona', spelled), ...drawWorld(random, archetype, rare) };
  slots.rumour = fill(slots.rumour as string, slots);
  slots.reason = fill(slots.reason as string, slots);
  const knowsPersona = heldOut === 'persona' || random.chance(0.88);
  const knowsSecret = knowsPersona && random.chance(0.65);
  return {
    archetype,
    system: wordSystem(random, archetype, slots, knowsPersona, knowsSecret),
    knowsPersona,
    knowsSecret,
    slots,
    rareValues,
  };
}

function drawPersona(random: Random, archetype: Archetype, heldOut: boolean, spelled: number): Slots {
  const mood = random.pick(Object.keys(world.moods));
  const town = drawName(random, world.towns, inventedTowns, heldOut, spelled);
  const secretYou = random.pick(archetype.secrets).replace('{town}', town);
  const trade = random.pick(archetype.trades);
  return {
    name: drawName(random, world.names, inventedNames, heldOut, spelled),
    town,
    trade,
    a_trade: withArticle(trade),
    place: random.pick(archetype.places),
    mood,
    reason: random.pick(world.moods[mood] as readonly string[]),
    secretYou,
    secret: toFirstPerson(secretYou),
  };
}

/** Half the time a name that is known, half one of the invented. */
function drawName(
  random: Random,
  known: readonly string[],
  invented: readonly string[],
  heldOut: boolean,
  spelled: number,
): string {
  if (random.chance(0.5)) return random.pick(valuesOf(known, heldOut));
  return heldOut ? random.pick(valuesOf(invented, true)) : drawInvented(random, invented, spelled);
}

function drawWorld(random: Random, archetype: Archetype, rare: (values: readonly string[]) => string): Slots {
  const prices = archetype.setting === 'game' ? world.prices : world.everydayPrices;
  const dearer = random.between(1, prices.length - 1);
  const ware = rare(archetype.wares);
  const ware2 = random.pick(valuesOf(archetype.wares, false).filter((other) => other !== ware));
  const item = rare(world.items);
  const landmark = rare(world.landmarks);
  const pet = rare(world.pets);
  const beast = rare(world.beasts);
  return {
    ware,
    a_ware: withArticle(ware),
    ware2,
    a_ware2: withArticle(ware2),
    price: prices[dearer] as string,
    price2: prices[random.between(Math.max(0, dearer - 4), dearer - 1)] as string,
    item,
    a_item: withArticle(item),
    landmark,
    landmark_bare: landmark.replace(/^the /, ''),
    pet,
    a_pet: withArticle(pet),
    beast,
    a_beast: withArticle(beast),
    route: random.pick(world.routes),
    distance: random.pick(world.distances),
    person: rare(world.persons),
    ruler: rare(world.rulers),
    player: rare(world.players),
    danger: random.pick(world.dangers),
    food: rare(world.foods),
    drink: rare(world.drinks),
    hour: random.pick(world.hours),
    festival: random.pick(world.festivals),
    rumour: random.chance(0.4)
      ? random.pick(archetype.rumours)
      : rare(archetype.setting === 'game' ? world.rumours : world.everydayRumours),
    reward: random.pick(world.rewards),
    task: random.pick(archetype.tasks),
    day: random.pick(world.days),
    tune: random.pick(world.tunes),
  };
}

function wordSystem(random: Random, archetype: Archetype, slots: Slots, persona: boolean, secret: boolean): string {
  if (!persona) return random.pick(plainSystems);
  const layouts = archetype.setting === 'everyday' && random.chance(0.4) ? everydaySystems : systems;
  const secretLine = secret ? fill(random.pick(secretLines), slots) : '';
  return fill(random.pick(layouts), { ...slots, secretLine }).trim();
}

/** The text with every {slot} replaced. Throws RangeError on a slot nobody fills. */
export function fill(text: string, slots: Slots): string {
  return text.replace(/\{(\w+)\}/g, (_, slot: string) => {
    const value = slots[slot];
    if (value === undefined) throw new RangeError(`Expected a value for {${slot}} in ${JSON.stringify(text)}, found none.`);
    return fill(value, slots);
  });
}

/** "axe" becomes "an axe". */
function withArticle(noun: string): string {
  return `${/^[aeiou]/i.test(noun) ? 'an' : 'a'} ${noun}`;
}

/** "you lost your key" becomes "I lost my key". */
function toFirstPerson(clause: string): string {
  return clause
    .replace(/\byou are\b/g, 'I am')
    .replace(/\byou were\b/g, 'I was')
    .replace(/\byou\b/g, 'I')
    .replace(/\byour\b/g, 'my');
}
