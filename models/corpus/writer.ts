// Picks the parts of one reply within a budget of words: what the levels ask for first, filling after.
// Points: a quip or tint is 1, a joke or image 2, a reply that is only a gag or vision 4.
import type { Fragment, Intent, Pool } from './fragment.ts';
import type { Levels } from './levels.ts';
import * as phrases from './phrases.ts';
import type { Random } from './random.ts';
import type { Scene } from './scene.ts';

export type Role =
  | 'opening'
  | 'rude'
  | 'core'
  | 'core2'
  | 'more'
  | 'image'
  | 'joke'
  | 'talk'
  | 'image2'
  | 'joke2'
  | 'step'
  | 'close';

export interface Part {
  role: Role;
  text: string;
  words: number;
  /** Weight of a joke or an image, or the level of rudeness. */
  points: number;
}

/** What the player's line asks for: the intent, and which kind of line of it. */
export interface Asked {
  intent: Intent;
  about: string | undefined;
  /** A second request in the same line, answered in the same reply. */
  also?: Asked;
}

/** One reply being written. */
export class Writer {
  readonly taken: string[] = [];
  coreLevel: number;
  private readonly parts: Part[] = [];
  private readonly fillers = { opening: 0, talk: 0, more: 0, life: 0, excuse: 0, close: 0, remark: 0 };
  private left: number;
  private readonly random: Random;
  private readonly scene: Scene;
  private readonly intent: Intent;
  private readonly about: string | undefined;
  private readonly also: Asked | undefined;
  private readonly target: Levels;
  private readonly used: Set<string>;

  constructor(random: Random, scene: Scene, asked: Asked, target: Levels, used: Set<string>, goal: number) {
    this.random = random;
    this.scene = scene;
    this.intent = asked.intent;
    this.about = asked.about;
    this.also = asked.also;
    this.target = target;
    this.used = used;
    this.coreLevel = Math.min(3, target.helpfulness);
    this.left = goal - (target.formality === 2 ? 0 : target.formality > 2 ? 2 : 1);
  }

  write(): Part[] {
    if (this.target.verbosity === 0 && this.writeFlash()) return this.parts;
    const flavours = this.planFlavours();
    const wishes = flavours.length + (this.target.helpfulness === 4 ? 1 : 0);
    if (this.target.verbosity === 0) for (const add of flavours.splice(0)) add(this.left - 1);
    this.add(
      'core',
      this.cores(),
      this.target.verbosity === 0 ? this.left : this.left - 3 * wishes,
      this.target.verbosity >= 2 ? 4 : 1,
    );
    if (this.also) this.add('core2', this.coresOf(this.also), Math.max(10, this.left - 3 * wishes), 3);
    if (this.target.helpfulness === 4)
      this.add('step', answersTo(this.intent.parts.step, this.about), this.left - 3 * flavours.length);
    for (const [index, add] of flavours.entries()) add(this.left - 3 * (flavours.length - 1 - index));
    if (this.target.verbosity > 0) this.fillUp();
    return this.parts;
  }

  /** One- and two-word asides are for the shortest replies. */
  private get flavourFloor(): number {
    return this.target.verbosity === 0 ? 1 : 3;
  }

  /** A very short reply that is nothing but a gag or a vision; it hardly answers. */
  private writeFlash(): boolean {
    if (this.target.helpfulness > 1 || this.target.toxicity > 0) return false;
    const wanted = this.target.humor === 4 ? 'joke' : this.target.creativity === 4 ? 'image' : null;
    if (!wanted) return false;
    this.coreLevel = 1;
    const own = wanted === 'joke' ? this.intent.parts.quip : this.intent.parts.tint;
    const any = wanted === 'joke' ? phrases.gags : phrases.visions;
    return this.add(wanted, this.random.chance(0.6) ? own : any, this.left, 1, 4);
  }

  private cores(): Pool {
    const own = this.coresOf({ intent: this.intent, about: this.about });
    if (this.intent.topic === '' || this.random.chance(0.7)) return own;
    if (this.coreLevel === 0) return phrases.aboutTopic.refuse;
    return this.coreLevel === 1 ? phrases.aboutTopic.deflect : own;
  }

  private coresOf({ intent, about }: Asked): Pool {
    const { refuse, deflect, half, answer } = intent.parts;
    return answersTo([refuse, deflect, half, answer][this.coreLevel] as Pool, about);
  }

  private planFlavours(): ((cap: number) => void)[] {
    const { intent, scene, target, random } = this;
    const jokes = plan(random, target.humor, target.verbosity).map((points, index) => (cap: number) => {
      const pools =
        points === 1
          ? [intent.parts.quip, scene.archetype.parts.quip, phrases.quips]
          : [intent.parts.joke, scene.archetype.parts.joke, phrases.jokes];
      this.add(index === 0 ? 'joke' : 'joke2', this.choose(pools), cap, this.flavourFloor, points) ||
        this.add('joke', phrases.quips, cap, this.flavourFloor, 1);
    });
    const images = plan(random, target.creativity, target.verbosity).map((points, index) => (cap: number) => {
      const pools =
        points === 1
          ? [intent.parts.tint, scene.archetype.parts.tint, phrases.tints]
          : [intent.parts.image, scene.archetype.parts.image, phrases.images];
      this.add(index === 0 ? 'image' : 'image2', this.choose(pools), cap, this.flavourFloor, points) ||
        this.add('image', phrases.tints, cap, this.flavourFloor, 1);
    });
    const rude =
      target.toxicity > 0
        ? [(cap: number) => void this.add('rude', phrases.rude[target.toxicity] as Pool, cap, 1, target.toxicity)]
        : [];
    return random.shuffle([...jokes, ...images, ...rude]);
  }

  /** What the player's line is about first, then the character, then what fits anywhere. */
  private choose(pools: readonly Pool[]): Pool {
    return pools[this.random.weighted([80, 15, 5])] as Pool;
  }

  private fillUp(): void {
    for (let tries = 0; tries < 16 && this.left >= 3; tries++) this.fillOnce();
  }

  private fillOnce(): void {
    const { intent, scene, target, random, fillers } = this;
    const courtesy = intent.topic === '';
    const cold = target.helpfulness <= 1;
    const kinds: [weight: number, role: Role, pool: Pool][] = [
      [fillers.opening > 0 ? 0 : 12, 'opening', openingsFor(random, scene, courtesy, cold)],
      [44, 'talk', intent.parts.talk],
      [target.helpfulness >= 3 ? 46 : 0, 'more', intent.parts.more],
      [fillers.life > 0 ? 0 : 8, 'talk', scene.archetype.parts.life],
      [cold && !courtesy && fillers.excuse < 2 ? 18 : 0, 'talk', phrases.excuses],
      [fillers.close > 0 ? 0 : 8, 'close', closesFor(random, scene, target)],
      [fillers.remark > 0 || (courtesy && intent.after) ? 0 : 4, 'talk', courtesy ? phrases.courtesies : phrases.remarks],
    ];
    const index = random.weighted(kinds.map(([weight]) => weight));
    const [, role, pool] = kinds[index] as [number, Role, Pool];
    const kind = (['opening', 'talk', 'more', 'life', 'excuse', 'close', 'remark'] as const)[index] as keyof typeof fillers;
    if (this.add(role, pool, this.left + 2)) fillers[kind]++;
  }

  /** Adds a fragment of `floor` to `cap` words nobody has used yet, or the shortest that fits; false when none does. */
  private add(role: Role, pool: Pool, cap: number, floor = 1, points = 0): boolean {
    const open = pool.filter((fragment) => this.mayUse(fragment) && fragment.words <= Math.max(cap, 1));
    const long = open.filter((fragment) => fragment.words >= floor);
    const choices = long.length > 0 || points > 0 ? long : open;
    const chosen =
      choices.length > 0
        ? this.random.pick(choices)
        : role === 'core'
          ? shortest(pool.filter((fragment) => this.isKnown(fragment)))
          : undefined;
    if (!chosen) return false;
    this.parts.push({ role, text: chosen.text, words: chosen.words, points });
    this.taken.push(chosen.text);
    this.left -= chosen.words;
    return true;
  }

  private mayUse(fragment: Fragment): boolean {
    return !this.used.has(fragment.text) && !this.taken.includes(fragment.text) && this.isKnown(fragment);
  }

  /** Facts of a persona the system turn does not state cannot be told. */
  private isKnown(fragment: Fragment): boolean {
    return (this.scene.knowsPersona || !fragment.needsPersona) && (this.intent.topic !== '' || !fragment.needsTopic);
  }
}

function openingsFor(random: Random, scene: Scene, courtesy: boolean, cold: boolean): Pool {
  if (random.chance(0.4)) return scene.archetype.parts.opening;
  if (courtesy) return phrases.courtesyOpenings;
  return cold ? phrases.coldOpenings : phrases.openings;
}

function closesFor(random: Random, scene: Scene, target: Levels): Pool {
  if (random.chance(0.5)) return scene.archetype.parts.close;
  return target.toxicity === 0 && target.helpfulness > 1 ? phrases.kindCloses : phrases.closes;
}

/** Fragments for that kind of line, or those for any where the pool has none for it. */
function answersTo(pool: Pool, about: string | undefined): Pool {
  const own = pool.filter((fragment) => fragment.about === about);
  return own.length > 0 ? own : pool.filter((fragment) => fragment.about === undefined);
}

function shortest(pool: Pool): Fragment | undefined {
  return pool.reduce<Fragment | undefined>(
    (best, fragment) => (best && best.words <= fragment.words ? best : fragment),
    undefined,
  );
}

/** Weights of the jokes or images that make up a level; in short replies one counts for more. */
function plan(random: Random, level: number, verbosity: number): number[] {
  const points = verbosity <= 1 && level >= 2 ? level - 1 : level;
  if (verbosity === 0) return points === 0 ? [] : [1];
  if (points <= 1) return points === 0 ? [] : [1];
  if (points === 2) return random.chance(0.75) ? [2] : [1, 1];
  if (points === 3) return [2, 1];
  return random.chance(0.7) ? [2, 2] : [2, 1, 1];
}
