// What the player types: a paraphrase led up to, cased and misspelt the way people do.
import { playerLeads, playerLinks } from './phrases.ts';
import type { Random } from './random.ts';
import { fill, type Slots } from './scene.ts';

/** A line as a player might type it, slots filled: sometimes with a lead, in lower case, unpunctuated, or with a typing slip. */
export function typeLine(random: Random, line: string, slots: Slots, mayLead: boolean): string {
  const led = mayLead ? addLead(line, random.pick(playerLeads)) : line;
  let typed = capitalise(fill(led, slots));
  if (random.chance(0.12)) typed = typed.toLowerCase();
  if (random.chance(0.1)) typed = typed.replace(/[.!]$/, '');
  if (random.chance(0.06)) typed = slip(random, typed);
  if (random.chance(0.02)) typed = typed.replace(/[.?]$/, (mark) => (mark === '?' ? '??' : '...'));
  return typed;
}

/** Two requests in one line, slots open. */
export function chainLines(random: Random, first: string, second: string): string {
  const link = random.pick(playerLinks);
  const keep = /^(?:I\b|I'|\{)/.test(second);
  return first + link + (keep ? second : second.charAt(0).toLowerCase() + second.slice(1));
}

function addLead(line: string, lead: string): string {
  if (lead === '' || /^(?:hello|hi|hey|good|excuse|please|tell me|listen)/i.test(line)) return line;
  const keep = /[!.] $/.test(lead) || /^(?:I\b|I'|\{)/.test(line);
  return lead + (keep ? line : line.charAt(0).toLowerCase() + line.slice(1));
}

/** Two neighbouring letters swapped, or one dropped, inside one longer word. */
function slip(random: Random, text: string): string {
  const words = text.split(' ');
  const long = words.flatMap((word, index) => (/^[a-z]{5,}/.test(word) ? [index] : []));
  if (long.length === 0) return text;
  const index = random.pick(long);
  const word = words[index] as string;
  const at = random.between(1, 3);
  words[index] = random.chance(0.5)
    ? word.slice(0, at) + word.charAt(at + 1) + word.charAt(at) + word.slice(at + 2)
    : word.slice(0, at) + word.slice(at + 1);
  return words.join(' ');
}

export function capitalise(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
