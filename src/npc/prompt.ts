// What the model reads before a line: who the character is, what it knows and remembers, and as much of what was said as fits. Asks no model for a
// word.
import { SteerError } from '../errors.ts';
import type { LanguageModel } from '../generation/language-model.ts';
import { layOutAsked } from '../generation/steered-prompt.ts';
import type { Label } from '../steerlm/attributes.ts';
import type { Conversation, Turn } from '../steerlm/conversation.ts';
import type { Character } from './character.ts';
import { conversationFor, conversationOf, mergeTurns, type Parts } from './character-layout.ts';
import { factsCalledFor, recentText } from './fact-keys.ts';
import { fillMacros, type Speakers } from './macros.ts';
import { Known, sharedWords } from './recall.ts';
import type { SessionState } from './session-state.ts';

/** Exchanges that are forgotten at once: until the next ones are, prompts begin alike, and what was read of the last is not read again. */
const forgottenTogether = 3;

/** Sentences that a chat model is told again beside the player's words. */
const mostRecalled = 2;
/** Asked who it is, a small one makes up a name unless it stands there (bench: npc-real). In English, as most cards are. */
const asksWho = /\bwho(?: are|['’]re) (?:you|ya)\b|\byour name\b|\bare you called\b|\bintroduce yourself\b/i;

export type Encoder = Pick<LanguageModel, 'schema' | 'chat' | 'mixes' | 'layOut' | 'encode' | 'contextLength'>;

/** How many of each the model does not read before this line, though it might. */
export interface LeftOut {
  /** Of those that are called for. */
  facts: number;
  examples: number;
  exchanges: number;
  notes: number;
}

export interface Memory {
  /** As the model reads it. */
  asked: Conversation;
  /** What of it was known and said, for whoever reads it later. */
  conversation: Conversation;
  leftOut: LeftOut;
}

/**
 * The conversation a line answers, as much of it as fits with the label. Where the character does not fit with the last line alone, what would be
 * told a second time gives way, then facts, the last first, then examples, the first first. Where the conversation is too long, examples do, as what was really said shows the voice too, then
 * the oldest exchanges, then the oldest notes. Persona and last line are always there. Throws context_length_exceeded naming `text` where not even
 * these fit.
 */
export async function layOutMemory(
  model: Encoder,
  character: Character,
  state: SessionState,
  label: Label,
  speakers: Speakers,
): Promise<Memory> {
  const room = roomToRead(model, character);
  const parts = partsOf(character, state, speakers);
  const { memoryTokens = Number.POSITIVE_INFINITY } = character;
  const tokens = (some: Parts) => promptTokens(model, conversationFor(model, some, label), label);
  const starts = exchangesOf(parts.turns);
  // Exchanges that the state itself has forgotten, one a line in a long session.
  const before = Math.max(0, state.heard - parts.turns.filter(({ role }) => role === 'user').length);
  const saidTooMuch = async (turns: Turn[]) =>
    (await promptTokens(model, { system: '', turns: mergeTurns(turns) }, label)) > memoryTokens;
  let shown = parts;
  let forgotten = 0;
  let looked = false;
  for (;;) {
    const mayForget = forgotten < starts.length - 1;
    const tooMuch = mayForget && memoryTokens !== Number.POSITIVE_INFINITY && (await saidTooMuch(shown.turns));
    if (!tooMuch && (await tokens(shown)) <= room) break;
    if (!looked && !tooMuch) {
      // What stays of the character is settled first, whatever has been said, so that prompts of one session begin alike.
      const opening = { ...shown, notes: [], turns: parts.turns.slice(starts.at(-1)) };
      const fits = async (some: Parts) => (await tokens(some)) <= room;
      // It is told a second time.
      const recall = (await fits(opening)) ? opening.recall : () => [];
      const alone = await fitAlone({ ...opening, recall }, fits);
      if (!alone) throw tooLong(character.name, room);
      shown = { ...shown, recall, facts: alone.facts, examples: alone.examples };
      looked = true;
    } else if (!tooMuch && shown.examples.length > 0) shown = { ...shown, examples: shown.examples.slice(1) };
    else if (mayForget) {
      forgotten = Math.min(starts.length - 1, forgotten + forgottenTogether - ((before + forgotten) % forgottenTogether));
      shown = { ...shown, turns: parts.turns.slice(starts[forgotten]) };
    } else if (shown.notes.length > 0) shown = { ...shown, notes: shown.notes.slice(1) };
    else throw tooLong(character.name, room);
  }
  return {
    asked: conversationFor(model, shown, label),
    conversation: conversationOf(shown),
    leftOut: {
      facts: parts.facts.length - shown.facts.length,
      examples: parts.examples.length - shown.examples.length,
      exchanges: forgotten,
      notes: parts.notes.length - shown.notes.length,
    },
  };
}

/** Tokens of the context that a line leaves to be read. */
export function roomToRead(
  { contextLength }: Pick<Encoder, 'contextLength'>,
  { lineTokens }: Pick<Character, 'lineTokens'>,
): number {
  return contextLength - Math.min(lineTokens, contextLength / 2);
}

/** As many facts as fit, from the first, with all examples; where none does, as many examples, to the last. Undefined where not even the rest fits. */
async function fitAlone(parts: Parts, fits: (parts: Parts) => Promise<boolean>): Promise<Parts | undefined> {
  const facts = await mostThat(parts.facts.length, (count) => fits({ ...parts, facts: parts.facts.slice(0, count) }));
  if (facts !== undefined) return { ...parts, facts: parts.facts.slice(0, facts) };
  const bare = { ...parts, facts: [] };
  const lastOf = (count: number) => ({ ...bare, examples: parts.examples.slice(parts.examples.length - count) });
  const examples = await mostThat(parts.examples.length, (count) => fits(lastOf(count)));
  return examples === undefined ? undefined : lastOf(examples);
}

/** The highest number up to `most` that holds, where every lower one does; undefined where not even 0 does. */
async function mostThat(most: number, holds: (count: number) => Promise<boolean>): Promise<number | undefined> {
  let [low, high] = [-1, most];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (await holds(middle)) low = middle;
    else high = middle - 1;
  }
  return low < 0 ? undefined : low;
}

function partsOf(character: Character, state: SessionState, speakers: Speakers): Parts {
  const fill = (text: string) => fillMacros(text, speakers);
  const called = factsCalledFor(character.facts, recentText(state.turns), speakers);
  const persona = fill(character.persona).trim();
  const heard = mergeTurns(state.turns).at(-1);
  const told = called.map(({ content, keys }) => {
    const isNow = sharedWords(`${keys.join(' ')} ${content}`, heard?.content ?? '') > 0;
    return {
      content: fill(content).trim(),
      called: keys.length === 0 ? undefined : isNow ? ('now' as const) : ('lately' as const),
    };
  });
  const facts = told.filter(({ content }) => content !== '');
  const notes = state.notes.map((note) => fillNote(note, speakers).trim()).filter((note) => note !== '');
  const always = facts.flatMap((fact) => (fact.called === undefined ? fact.content : []));
  const known = new Known([persona, ...always, ...notes], character);
  const named = (words: string) => (asksWho.test(words) ? [`Your name is ${character.name}.`] : []);
  return {
    ...{ name: character.name, persona, facts, notes, turns: state.turns },
    recall: (words) => [...known.about(words, mostRecalled), ...named(words)],
    examples: character.examples.map((example) => {
      return toTurns(example).map((turn) => ({ ...turn, content: fill(turn.content) }));
    }),
  };
}

function fillNote({ text, data, playerName = '' }: SessionState['notes'][number], speakers: Speakers): string {
  return fillMacros(text, { ...speakers, user: playerName || speakers.user, data });
}

function toTurns({ player, npc }: Character['examples'][number]): Turn[] {
  const answer: Turn = { role: 'assistant', content: npc };
  return player === undefined ? [answer] : [{ role: 'user', content: player }, answer];
}

/** Where exchanges begin: at the first turn, and at each line of the player, answered or not. */
function exchangesOf(turns: readonly Turn[]): number[] {
  return turns.flatMap(({ role }, i) => (i === 0 || role === 'user' ? [i] : []));
}

type PromptModel = Pick<LanguageModel, 'schema' | 'chat' | 'layOut' | 'encode'>;

/** Infinite where the model's encoder refuses it as too long. */
export async function promptTokens(model: PromptModel, conversation: Conversation, label: Label): Promise<number> {
  return (await encodeUnlessTooLong(model, conversation, label))?.length ?? Number.POSITIVE_INFINITY;
}

/** Undefined where the model's encoder refuses it as too long. */
export async function encodeUnlessTooLong(
  model: PromptModel,
  conversation: Conversation,
  label: Label,
): Promise<number[] | undefined> {
  try {
    return model.encode(await layOutAsked(model, conversation, label));
  } catch (error) {
    if (error instanceof SteerError && error.code === 'context_length_exceeded') return undefined;
    throw error;
  }
}

function tooLong(name: string, room: number): SteerError {
  return new SteerError(
    'context_length_exceeded',
    `text: ${name} reads at most ${room} tokens at once, and the persona with this line alone is more. Shorten the line or the persona.`,
    { details: { param: 'text' } },
  );
}
