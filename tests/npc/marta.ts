// A character for tests.
import type { Character } from '../../src/npc/character.ts';

/** Marta, an innkeeper, with other fields where some are given. */
export function character(fields: Partial<Character> = {}): Character {
  return {
    name: 'Marta',
    persona: 'You are Marta, an innkeeper at the Gilded Goose in Fallowmere. Mood: cheerful.',
    ...{ examples: [], facts: [], attributes: {}, caps: {}, rules: [], relationship: {}, actions: [], fallback: [] },
    lineTokens: 64,
    ...fields,
  };
}
