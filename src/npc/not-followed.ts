// What of a character is kept and changes nothing, told to whoever made or imported it.
import type { Notice } from './card-book.ts';
import type { Character } from './character.ts';
import { faultsOfKeys, looksLikePattern } from './fact-keys.ts';
import { fillMacros } from './macros.ts';

/** Enough to see what is wrong with a card; a thousand entries may all be wrong alike. */
const mostNotices = 100;

/** What its card told already, then keys that call for nothing and macros that nobody here knows, by the field they stand in. */
export function notFollowed(character: Character, ofCard: readonly Notice[] = []): Notice[] {
  const keys = faultsOfKeys(character.facts).map(({ field, key, reason }) => {
    return { param: `facts.${field}`, message: `${key.slice(0, 64)} calls for nothing: ${reason}` };
  });
  const macros = textsOf(character).flatMap(([param, text]) => {
    const unknown = new Set<string>();
    fillMacros(text, { char: '', user: '', seed: 0 }, (macro) => unknown.add(macro.slice(0, 64)));
    return [...unknown].map((macro) => ({ param, message: `${macro} is no macro that is followed here, ${insteadOf(macro)}` }));
  });
  return [...ofCard, ...keys, ...macros].slice(0, mostNotices);
}

/** Marks of a condition or of another block, as in `{{#if x}}…{{else}}…{{/if}}`. */
const blockMark = /^\{\{\s*(?:[#/]|(?:if|else)\b)/i;

function insteadOf(macro: string): string {
  if (!blockMark.test(macro)) return 'so it is left out';
  return 'so it is left out and what stands between such marks is told always, both branches of a condition too';
}

/** Notes of rules are not among them: what they call macros are fields of events. */
function textsOf({ persona, greeting = '', examples, facts, actions, fallback }: Character): [param: string, text: string][] {
  return [
    ['persona', persona],
    ['greeting', greeting],
    ...examples.flatMap(({ player = '', npc }, i): [string, string][] => [
      [`examples.${i}.player`, player],
      [`examples.${i}.npc`, npc],
    ]),
    ...facts.flatMap(({ content, keys, also = [], useRegex }, i): [string, string][] => [
      [`facts.${i}.content`, content],
      ...Object.entries({ keys, also }).flatMap(([field, words]) => {
        const texts = words.map((word, j): [string, string] => [`facts.${i}.${field}.${j}`, word]);
        return useRegex ? texts.filter(([, word]) => !looksLikePattern(word)) : texts;
      }),
    ]),
    ...actions.map(({ when = '' }, i): [string, string] => [`actions.${i}.when`, when]),
    ...fallback.map((line, i): [string, string] => [`fallback.${i}`, line]),
  ];
}
