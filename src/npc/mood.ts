// How a character feels at a moment: its baseline and everything that moves it, told so that it adds up. Pure arithmetic, no clock of its own.
import { own } from '../own.ts';
import { type AttributeSchema, type Label, maxLevel, restingLevel } from '../steerlm/attributes.ts';
import type { Character } from './character.ts';

/** What something that happened does to attributes, from then on. */
export interface Effect {
  /** rule: a game event; scene: set by the game by hand. */
  source: 'rule' | 'scene';
  /** Type of the event, or what the game calls the scene. */
  event?: string | undefined;
  changes: Label;
  atS: number;
  halfLifeS?: number | undefined;
  /** Gone after that. */
  untilS?: number | undefined;
  priority: number;
  /** Levels that all effects of this source and event together may come to. */
  clamp?: number | undefined;
  /** How often it happened, where it neither fades nor ends; absent means once. */
  count?: number | undefined;
}

/** Everything that moves a character away from its baseline. */
export interface Moved {
  effects: readonly Effect[];
  /** -1 to 1. */
  relationship: number;
  /** Levels that the player is known to like more of. */
  preferences: Label;
}

/**
 * preference: what the player was found to like; relationship: between the two; limit: what the end of a scale, a clamp of a rule or a cap takes away;
 * rounding: values move in steps; others: those in the middle of a list that is too long to tell.
 */
export type ContributionSource = Effect['source'] | 'preference' | 'relationship' | 'limit' | 'rounding' | 'others';

export interface Contribution {
  source: ContributionSource;
  event?: string;
  /** Levels when it began, and what is left of them now. */
  amount: number;
  remaining: number;
  /** How many are told as one; absent means that it is one. */
  count?: number;
}

export interface AttributeMood {
  /** What the next line is written under: the baseline and what remains of every contribution, added in order. */
  value: number;
  /** The same before a cap takes anything. */
  requested: number;
  baseline: number;
  contributions: Contribution[];
}

/** Values move in quarters of a level: a line asks for few mixtures, and a moment sooner or later rarely asks for another. */
const step = 0.25;
/** Levels under which what is left of an effect is gone. */
const least = 0.02;
/** Contributions to one attribute that are told; of more the first and the last are, and what lies between as one. */
const mostTold = 64;

/** The mood by attribute, of all that the character does not leave open. */
export function moodOf(
  schema: AttributeSchema,
  character: Pick<Character, 'attributes' | 'caps' | 'relationship'>,
  moved: Moved,
  nowS: number,
): Record<string, AttributeMood> {
  const moods: Record<string, AttributeMood> = {};
  for (const attribute of schema.attributes) {
    const { name } = attribute;
    const baseline = Object.hasOwn(character.attributes, name) ? character.attributes[name] : restingLevel(attribute);
    if (baseline === null || baseline === undefined) continue;
    const most = maxLevel(attribute);
    const sum = new Sum(baseline);
    sum.add({ source: 'preference', amount: own(moved.preferences, name) ?? 0 });
    sum.add({ source: 'relationship', amount: (own(character.relationship, name) ?? 0) * moved.relationship });
    sum.hold(most);
    const effects = moved.effects.filter(({ changes }) => own(changes, name) !== undefined);
    for (const [, layer] of [...grouped(effects, ({ priority }) => priority)].sort(([a], [b]) => a - b)) {
      addLayer(sum, layer, name, nowS);
      sum.hold(most);
    }
    sum.round(step);
    const requested = sum.value;
    sum.hold(Math.min(attribute.cap, own(character.caps, name) ?? most));
    moods[name] = { value: sum.value, requested, baseline, contributions: sum.told() };
  }
  return moods;
}

/** What the next line is written under. */
export function labelOf(moods: Record<string, AttributeMood>): Label {
  return Object.fromEntries(Object.entries(moods).map(([name, { value }]) => [name, value]));
}

/** The same before caps. */
export function requestOf(moods: Record<string, AttributeMood>): Label {
  return Object.fromEntries(Object.entries(moods).map(([name, { requested }]) => [name, requested]));
}

/** Effects of one priority: each, then what the clamp of a rule takes off them together. */
function addLayer(sum: Sum, effects: readonly Effect[], attribute: string, nowS: number): void {
  for (const same of grouped(effects, ({ source, event = '' }) => `${source} ${event}`).values()) {
    let together = 0;
    let clamp = Number.POSITIVE_INFINITY;
    for (const effect of same) {
      const { source, event, count = 1 } = effect;
      const amount = effect.changes[attribute]!;
      const remaining = left(effect, amount, nowS);
      // One after the other: a product would differ in the last digit, and the mood with it where it lies between two steps.
      for (let i = 0; i < count; i++) together += remaining;
      sum.add({ source, event, amount }, remaining, count);
      clamp = Math.min(clamp, effect.clamp ?? clamp);
    }
    const over = Math.sign(together) * Math.min(Math.abs(together), clamp) - together;
    sum.add({ source: 'limit', event: same[0]!.event, amount: over });
  }
}

function grouped<Key>(effects: readonly Effect[], keyOf: (effect: Effect) => Key): Map<Key, Effect[]> {
  const groups = new Map<Key, Effect[]>();
  for (const effect of effects) {
    const key = keyOf(effect);
    const group = groups.get(key);
    if (group) group.push(effect);
    else groups.set(key, [effect]);
  }
  return groups;
}

function left({ atS, halfLifeS, untilS }: Effect, amount: number, nowS: number): number {
  if (untilS !== undefined && nowS >= untilS) return 0;
  const remaining = halfLifeS === undefined ? amount : amount * 2 ** (-Math.max(0, nowS - atS) / halfLifeS);
  return Math.abs(remaining) < least ? 0 : remaining;
}

/** Whether anything is left of an effect. */
export function isLeft(effect: Effect, nowS: number): boolean {
  return Object.values(effect.changes).some((amount) => left(effect, amount, nowS) !== 0);
}

class Sum {
  value: number;
  readonly #parts: Contribution[] = [];

  constructor(baseline: number) {
    this.value = baseline;
  }

  /** Nothing is told of what adds nothing. */
  add(
    part: { source: ContributionSource; event?: string | undefined; amount: number },
    remaining = part.amount,
    count = 1,
  ): void {
    if (remaining === 0) return;
    const { source, event, amount } = part;
    let [added, together] = [0, 0];
    for (let i = 0; i < count; i++) {
      this.value += remaining;
      added += remaining;
      together += amount;
    }
    const told = { source, ...(event === undefined ? {} : { event }), amount: together, remaining: added };
    this.#parts.push(count === 1 ? told : { ...told, count });
  }

  /** What was added, in its order. */
  told(): Contribution[] {
    const parts = this.#parts;
    if (parts.length <= mostTold) return parts;
    const others: Contribution & { count: number } = { source: 'others', amount: 0, remaining: 0, count: 0 };
    for (const { amount, remaining, count = 1 } of parts.slice(mostTold / 2, 1 - mostTold / 2)) {
      others.amount += amount;
      others.remaining += remaining;
      others.count += count;
    }
    return [...parts.slice(0, mostTold / 2), others, ...parts.slice(1 - mostTold / 2)];
  }

  hold(most: number): void {
    this.#moveTo(Math.min(most, Math.max(0, this.value)), 'limit');
  }

  round(size: number): void {
    this.#moveTo(Math.round(this.value / size) * size, 'rounding');
  }

  #moveTo(value: number, source: ContributionSource): void {
    this.add({ source, amount: value - this.value });
    // Sums of binary fractions may miss it by the last digit.
    this.value = value;
  }
}
