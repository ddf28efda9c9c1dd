// How a character feels at a moment: its baseline and everything that moves it, told so that it adds up. Pure arithmetic, no clock of its own.
import { own } from '../own.ts';
import { type AttributeSchema, type Label, maxLevel } from '../steerlm/attributes.ts';
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
 * rounding: values move in steps.
 */
export type ContributionSource = Effect['source'] | 'preference' | 'relationship' | 'limit' | 'rounding';

export interface Contribution {
  source: ContributionSource;
  event?: string;
  /** Levels when it began, and what is left of them now. */
  amount: number;
  remaining: number;
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
    const baseline = Object.hasOwn(character.attributes, name) ? character.attributes[name] : attribute.default;
    if (baseline === null || baseline === undefined) continue;
    const most = maxLevel(attribute);
    const sum = new Sum(baseline);
    sum.add({ source: 'preference', amount: own(moved.preferences, name) ?? 0 });
    sum.add({ source: 'relationship', amount: (own(character.relationship, name) ?? 0) * moved.relationship });
    sum.hold(most);
    const effects = moved.effects.filter(({ changes }) => own(changes, name) !== undefined);
    for (const priority of [...new Set(effects.map((effect) => effect.priority))].sort((a, b) => a - b)) {
      addLayer(
        sum,
        effects.filter((effect) => effect.priority === priority),
        name,
        nowS,
      );
      sum.hold(most);
    }
    sum.round(step);
    const requested = sum.value;
    sum.hold(Math.min(attribute.cap, own(character.caps, name) ?? most));
    moods[name] = { value: sum.value, requested, baseline, contributions: sum.contributions };
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
  const kinds = new Map<string, Effect[]>();
  for (const effect of effects) {
    const kind = `${effect.source} ${effect.event ?? ''}`;
    kinds.set(kind, [...(kinds.get(kind) ?? []), effect]);
  }
  for (const same of kinds.values()) {
    let together = 0;
    for (const effect of same) {
      const amount = effect.changes[attribute]!;
      const remaining = left(effect, amount, nowS);
      together += remaining;
      sum.add({ source: effect.source, event: effect.event, amount }, remaining);
    }
    const clamp = Math.min(...same.map((effect) => effect.clamp ?? Number.POSITIVE_INFINITY));
    const over = Math.sign(together) * Math.min(Math.abs(together), clamp) - together;
    sum.add({ source: 'limit', event: same[0]!.event, amount: over });
  }
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
  readonly contributions: Contribution[] = [];

  constructor(baseline: number) {
    this.value = baseline;
  }

  /** Nothing is told of what adds nothing. */
  add(part: { source: ContributionSource; event?: string | undefined; amount: number }, remaining = part.amount): void {
    if (remaining === 0) return;
    const { source, event, amount } = part;
    this.contributions.push({ source, ...(event === undefined ? {} : { event }), amount, remaining });
    this.value += remaining;
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
