// Puts the parts of a reply in order and into words: connectors, register, slots, capitals.
import type { Levels } from './levels.ts';
import { countWords, formalityOf } from './measure.ts';
import * as phrases from './phrases.ts';
import type { Random } from './random.ts';
import { addAddress, addOpener, pickMarker, rewriteRegister } from './registers.ts';
import { fill, type Scene } from './scene.ts';
import type { Part, Role } from './writer.ts';

/** Orders a reply can follow, so that order is no signature. */
const orders: readonly (readonly Role[])[] = [
  ['opening', 'core', 'core2', 'step', 'more', 'image', 'joke', 'rude', 'talk', 'image2', 'joke2', 'close'],
  ['rude', 'opening', 'core', 'core2', 'more', 'joke', 'talk', 'image', 'joke2', 'image2', 'step', 'close'],
  ['opening', 'image', 'core', 'core2', 'step', 'more', 'talk', 'joke', 'image2', 'joke2', 'rude', 'close'],
  ['opening', 'joke', 'core', 'core2', 'more', 'step', 'image', 'talk', 'rude', 'image2', 'joke2', 'close'],
  ['opening', 'core', 'core2', 'joke', 'more', 'talk', 'step', 'image', 'rude', 'joke2', 'image2', 'close'],
  ['opening', 'core', 'core2', 'more', 'talk', 'image', 'image2', 'joke', 'joke2', 'step', 'close', 'rude'],
  ['opening', 'talk', 'core', 'core2', 'step', 'image', 'more', 'joke', 'image2', 'joke2', 'rude', 'close'],
];

/** The parts in one of several orders. */
export function arrange(random: Random, parts: readonly Part[]): Part[] {
  const order = random.pick(orders);
  return parts.toSorted((a, b) => order.indexOf(a.role) - order.indexOf(b.role));
}

/** Sentences an opener or connector can lead into: plain statements. */
const statement =
  /^(?:I|I'm|I've|I'd|I'll|It|It's|The|There|There's|You|You're|We|My|That's|They|Most|People|Some|This|Nobody|Everyone|Everything|Half)\s/;

/** Words the arranged parts: connectors, the register's marker, slots, register, capitals. */
export function finish(random: Random, scene: Scene, parts: Part[], target: Levels): string {
  const texts = markRegister(random, scene, parts, target);
  for (const [index, part] of parts.entries()) {
    const text = texts[index] as string;
    const connects = index > 0 && (part.role === 'talk' || part.role === 'more') && text === part.text && statement.test(text);
    if (target.verbosity >= 2 && connects && random.chance(0.3)) texts[index] = addOpener(text, random.pick(phrases.connectors));
    else if (target.verbosity >= 2 && part.role === 'joke' && part.points === 2 && random.chance(0.2))
      texts[index] = random.pick(phrases.laughs) + text;
    part.words = countWords(fill(part.text, scene.slots));
  }
  return capitaliseSentences(rewriteRegister(fill(texts.join(' '), scene.slots), target.formality));
}

/** The texts with the register's words of address or openers put in, where its own words do not show it already. */
function markRegister(random: Random, scene: Scene, parts: readonly Part[], target: Levels): string[] {
  const texts = parts.map((part) => part.text);
  if (target.formality === 2) return texts;
  if (target.formality <= 1 && random.chance(0.5)) {
    const plain = rewriteRegister(fill(texts.join(' '), scene.slots), target.formality);
    if (formalityOf(plain) === target.formality) return texts;
  }
  const roles: readonly Role[] = ['core', 'talk', 'more', 'step', 'close'];
  const places = random.shuffle(
    parts.flatMap((part, index) => (roles.includes(part.role) && !part.text.includes('{player}') ? [index] : [])),
  );
  if (places.length === 0) places.push(parts.length - 1);
  let opened = target.verbosity === 0 || random.chance(0.4);
  const said = new Set<string>();
  for (const index of places.slice(0, target.verbosity >= 3 ? 2 : 1)) {
    const text = texts[index] as string;
    const marker = pickMarker(random, target.formality, opened || !statement.test(text) ? 'address' : 'opener', said);
    texts[index] = marker.kind === 'address' ? addAddress(text, marker.text) : addOpener(text, marker.text);
    if (marker.kind === 'opener') opened = true;
  }
  return texts;
}

function capitaliseSentences(text: string): string {
  return text.replace(/(^|[.!?]\s+)('?[a-z])/g, (_, before: string, letter: string) => before + letter.toUpperCase());
}
