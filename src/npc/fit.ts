// Whether a character leaves room to talk to it: how many tokens its parts take of the context, what gives way from the start, and whether the rest fits.
import { setImmediate as pause } from 'node:timers/promises';
import { SteerError } from '../errors.ts';
import type { Character } from './character.ts';
import { conversationFor, lineLabel } from './character-layout.ts';
import { matchAhead, recentText } from './fact-keys.ts';
import { fillMacros, type Speakers } from './macros.ts';
import { moodOf } from './mood.ts';
import { type Encoder, type LeftOut, layOutMemory, promptTokens, roomToRead } from './prompt.ts';
import { beginState, type SessionState } from './session-state.ts';

/** Tokens that what the player says has to have, or there is nothing to be said: a dozen words. */
const leastHeard = 24;

/** Tokens of a character's parts; of facts and examples all together. */
export interface CharacterTokens {
  context: number;
  /** Kept for a line. */
  line: number;
  persona: number;
  greeting: number;
  /** Always told. */
  facts: number;
  /** Told when they are called for. */
  keyedFacts: number;
  examples: number;
  /** What the model does not read even before the first line. */
  leftOut: Pick<LeftOut, 'facts' | 'examples'>;
  /** A session can be had. */
  fits: boolean;
}

/** Counts a character's parts, with others of the thread let in between. */
export async function measureCharacter(model: Encoder, character: Character, speakers: Speakers): Promise<CharacterTokens> {
  const count = async (texts: readonly string[]) => {
    let sum = 0;
    for (const text of texts) {
      for (const slice of slicesOf(fillMacros(text, speakers), model.contextLength))
        sum += model.encode([{ text: slice, trained: false }]).length;
      await pause();
    }
    return sum;
  };
  const contents = (keyed: boolean) =>
    character.facts.filter(({ keys }) => keys.length > 0 === keyed).map(({ content }) => content);
  const fits = await fitsAtAll(model, character, speakers);
  const opening = openingOf(character, speakers);
  await matchAhead(character.facts, recentText(opening.turns), speakers);
  const { facts = 0, examples = 0 } = fits
    ? (await layOutMemory(model, character, opening, labelAt(model, character, opening), speakers)).leftOut
    : {};
  return {
    context: model.contextLength,
    line: model.contextLength - roomToRead(model, character),
    persona: await count([character.persona]),
    greeting: await count(character.greeting === undefined ? [] : [character.greeting]),
    facts: await count(contents(false)),
    keyedFacts: await count(contents(true)),
    examples: await count(character.examples.flatMap(({ player = '', npc }) => [player, npc])),
    leftOut: { facts, examples },
    fits,
  };
}

/** Refuses a character whose persona leaves no room for what is said. Throws context_length_exceeded naming `persona`. */
export async function checkFits(model: Encoder, character: Character, speakers: Speakers): Promise<void> {
  if (await fitsAtAll(model, character, speakers)) return;
  throw new SteerError(
    'context_length_exceeded',
    `persona: who ${character.name} is, a line of ${character.lineTokens} tokens and ${leastHeard} tokens for the player's words do not fit the ` +
      `${model.contextLength} tokens that the model reads and writes together. Shorten the persona, or ask for fewer line_tokens.`,
    { details: { param: 'persona' } },
  );
}

/** Everything else gives way; a persona does not. */
async function fitsAtAll(model: Encoder, character: Character, speakers: Speakers): Promise<boolean> {
  const opening = openingOf(character, speakers);
  const label = labelAt(model, character, opening);
  const { name } = character;
  const persona = fillMacros(character.persona, speakers).trim();
  const bare = { name, persona, facts: [], recall: () => [], examples: [], notes: [], turns: opening.turns.slice(-1) };
  const tokens = await promptTokens(model, conversationFor(model, bare, label), label);
  return tokens + leastHeard <= roomToRead(model, character);
}

/** A session in which the player begins to speak. */
function openingOf({ greeting }: Character, speakers: Speakers): SessionState {
  const greeted = greeting === undefined ? [] : [{ role: 'assistant' as const, content: fillMacros(greeting, speakers) }];
  const turns = [...greeted, { role: 'user' as const, content: '?' }];
  return { ...beginState({ relationship: 0, preferences: {} }), turns };
}

function labelAt(model: Encoder, character: Character, state: SessionState) {
  return lineLabel(model, character, moodOf(model.schema, character, state, 0));
}

/** Pieces that no encoder refuses as too long for the context. */
function slicesOf(text: string, characters: number): string[] {
  return Array.from({ length: Math.ceil(text.length / characters) }, (_, i) => text.slice(i * characters, (i + 1) * characters));
}
