// Composes one reply towards wanted levels, and labels what came out.
import type { Levels } from './levels.ts';
import { countWords, formalityOf, verbosityOf } from './measure.ts';
import type { Random } from './random.ts';
import type { Scene } from './scene.ts';
import { arrange, finish } from './wording.ts';
import { type Asked, type Part, type Role, Writer } from './writer.ts';

/** Words aimed at by verbosity level: the inner part of each level's range. */
const goals: readonly (readonly [number, number])[] = [
  [2, 5],
  [7, 13],
  [17, 26],
  [31, 44],
  [52, 70],
];

export interface Reply {
  text: string;
  label: Levels;
}

/** The best of a few replies to the intent in the scene, each labelled by what it holds; `used` fragments are avoided. */
export function composeReply(random: Random, scene: Scene, asked: Asked, target: Levels, used: Set<string>): Reply {
  let best: Draft | undefined;
  for (let attempt = 0; attempt < 6; attempt++) {
    const draft = draftReply(random, scene, asked, target, used);
    if (draft && (!best || draft.distance < best.distance)) best = draft;
    if (best?.distance === 0) break;
  }
  if (!best) return composeReply(random, scene, asked, { ...target, formality: 2 }, new Set());
  for (const text of best.fragments) used.add(text);
  return best.reply;
}

interface Draft {
  reply: Reply;
  fragments: string[];
  distance: number;
}

function draftReply(random: Random, scene: Scene, asked: Asked, target: Levels, used: Set<string>): Draft | undefined {
  const [low, high] = goals[target.verbosity] as readonly [number, number];
  const flavoured = target.humor + target.creativity + target.toxicity > 0;
  const goal = target.verbosity === 0 && flavoured ? high : random.between(low, high);
  const writer = new Writer(random, scene, asked, target, used, goal);
  const parts = arrange(random, writer.write());
  const text = finish(random, scene, parts, target);
  if (formalityOf(text) !== target.formality) return undefined;
  const missed = asked.also !== undefined && !parts.some((part) => part.role === 'core2');
  const label = labelOf(parts, text, missed ? Math.min(2, writer.coreLevel) : writer.coreLevel, target.formality);
  const distance = Object.keys(target).reduce(
    (sum, name) => sum + Math.abs((label[name] as number) - (target[name] as number)),
    0,
  );
  return { reply: { text, label }, fragments: writer.taken, distance };
}

/** Levels of a reply: points of jokes and images, one more where they fill 40 % of the words and one where they fill 80 %. */
function labelOf(parts: readonly Part[], text: string, coreLevel: number, formality: number): Levels {
  const words = countWords(text);
  const flavour = (roles: readonly Role[]): number => {
    const own = parts.filter((part) => roles.includes(part.role));
    const points = own.reduce((sum, part) => sum + part.points, 0);
    const share = own.reduce((sum, part) => sum + part.words, 0) / words;
    return points === 0 ? 0 : Math.min(4, points + (share >= 0.4 ? 1 : 0) + (share >= 0.8 ? 1 : 0));
  };
  const helped = parts.some((part) => part.role === 'step');
  return {
    helpfulness: helped && coreLevel === 3 ? 4 : coreLevel,
    humor: flavour(['joke', 'joke2']),
    creativity: flavour(['image', 'image2']),
    verbosity: verbosityOf(words),
    toxicity: Math.max(0, ...parts.filter((part) => part.role === 'rude').map((part) => part.points)),
    formality,
  };
}
