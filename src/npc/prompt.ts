// What the model reads before a line: who the character is, what it knows and remembers, and as much of what was said as fits. Asks no model for a
// word. Macros of character cards, {{char}} and {{user}}, are filled in here and nowhere else.
import { SteerError } from '../errors.ts';
import type { LanguageModel } from '../generation/language-model.ts';
import type { Label } from '../steerlm/attributes.ts';
import type { Conversation, Turn } from '../steerlm/conversation.ts';
import { layOutPrompt } from '../steerlm/prompt-layout.ts';
import type { Character, Fact } from './character.ts';
import { beginState, type SessionState } from './session-state.ts';

/** Exchanges that are forgotten at once: until the next ones are, prompts begin alike, and what was read of the last is not read again. */
const forgottenTogether = 3;
/** Turns in which a fact's keys are looked for. */
const recentTurns = 4;

export interface Speakers {
  char: string;
  user: string;
}

/** Text with the names of both in place of their macros, in any case; `<BOT>` and `<USER>` of old cards too. */
export function fillNames(text: string, { char, user }: Speakers): string {
  return text.replace(/\{\{\s*char\s*\}\}|<BOT>/gi, () => char).replace(/\{\{\s*user\s*\}\}|<USER>/gi, () => user);
}

/**
 * The conversation a line answers, as much of it as fits with the label: examples give way first, as what was really said shows the voice too, then the
 * oldest exchanges, then the oldest notes. The last line is always there. Throws context_length_exceeded naming `text` where even the last line alone does not fit.
 */
export function layOutMemory(
  model: Pick<LanguageModel, 'schema' | 'encode' | 'contextLength'>,
  character: Character,
  state: SessionState,
  label: Label,
  speakers: Speakers,
): Conversation {
  const room = model.contextLength - Math.min(character.lineTokens, model.contextLength / 2);
  const turns = mergeTurns(state.turns);
  const examples = character.examples.flatMap(toTurns).map(named(speakers));
  const tokens = (conversation: Conversation) => promptTokens(model, conversation, label);
  let { notes } = state;
  let shown = examples;
  const starts = exchangesOf(turns);
  let forgotten = 0;
  for (;;) {
    const kept = turns.slice(starts[forgotten]);
    const system = fillNames(layOutSystem(character, notes, turns), speakers);
    const conversation = { system, turns: [...shown, ...kept] };
    const mayForget = forgotten < starts.length - 1;
    const saidTooMuch = mayForget && tokensSaid(kept, tokens) > (character.memoryTokens ?? Number.POSITIVE_INFINITY);
    if (!saidTooMuch && tokens(conversation) <= room) return conversation;
    if (!saidTooMuch && shown.length > 0) shown = shown.slice(exchangesOf(shown)[1] ?? shown.length);
    else if (mayForget) forgotten = Math.min(starts.length - 1, forgotten + forgottenTogether);
    else if (notes.length > 0) notes = notes.slice(1);
    else throw tooLong(character.name, room);
  }
}

/** Refuses a character that leaves no room for what is said. Throws context_length_exceeded naming `persona`. */
export function checkFits(
  model: Pick<LanguageModel, 'schema' | 'encode' | 'contextLength'>,
  character: Character,
  speakers: Speakers,
): void {
  const state = { ...beginState({ relationship: 0, preferences: {} }), turns: [{ role: 'user' as const, content: '?' }] };
  try {
    layOutMemory(model, character, state, {}, speakers);
  } catch (cause) {
    if (!(cause instanceof SteerError) || cause.code !== 'context_length_exceeded') throw cause;
    throw new SteerError(
      'context_length_exceeded',
      `persona: who ${character.name} is, with the facts that are always told, and a line of ${character.lineTokens} tokens do not fit the ` +
        `${model.contextLength} tokens that the model reads and writes together. Shorten them, or ask for fewer line_tokens.`,
      { cause, details: { param: 'persona' } },
    );
  }
}

function layOutSystem({ persona, facts }: Character, notes: readonly string[], turns: readonly Turn[]): string {
  const known = facts.filter((fact) => isCalledFor(fact, turns)).map(({ content }) => content);
  return [persona, ...known, ...notes].map((part) => part.trim()).join('\n');
}

function isCalledFor({ keys, also = [] }: Fact, turns: readonly Turn[]): boolean {
  if (keys.length === 0) return true;
  const recent = turns
    .slice(-recentTurns)
    .map(({ content }) => content.toLowerCase())
    .join('\n');
  const holdsOne = (words: readonly string[]) => words.some((word) => recent.includes(word.toLowerCase()));
  return holdsOne(keys) && (also.length === 0 || holdsOne(also));
}

/** Two lines of one speaker, where one was never answered, are one turn. */
function mergeTurns(turns: readonly Turn[]): Turn[] {
  const merged: Turn[] = [];
  for (const turn of turns) {
    const last = merged.at(-1);
    if (last?.role === turn.role) merged[merged.length - 1] = { ...last, content: `${last.content}\n${turn.content}` };
    else merged.push(turn);
  }
  return merged;
}

function toTurns({ player, npc }: Character['examples'][number]): Turn[] {
  const answer: Turn = { role: 'assistant', content: npc };
  return player === undefined ? [answer] : [{ role: 'user', content: player }, answer];
}

const named = (speakers: Speakers) => (turn: Turn) => ({ ...turn, content: fillNames(turn.content, speakers) });

/** Where exchanges begin: at the first turn, and at each line of the player. */
function exchangesOf(turns: readonly Turn[]): number[] {
  return turns.flatMap(({ role }, i) => (i === 0 || role === 'user' ? [i] : []));
}

/** Infinite where the model's encoder refuses it as too long. */
function promptTokens(model: Pick<LanguageModel, 'schema' | 'encode'>, conversation: Conversation, label: Label): number {
  try {
    return model.encode(layOutPrompt(model.schema, conversation, label)).length;
  } catch (error) {
    if (error instanceof SteerError && error.code === 'context_length_exceeded') return Number.POSITIVE_INFINITY;
    throw error;
  }
}

function tokensSaid(turns: Turn[], tokens: (conversation: Conversation) => number): number {
  return tokens({ system: '', turns });
}

function tooLong(name: string, room: number): SteerError {
  return new SteerError(
    'context_length_exceeded',
    `text: ${name} reads at most ${room} tokens at once, and the persona with this line alone is more. Shorten the line, the persona or the facts.`,
    { details: { param: 'text' } },
  );
}
