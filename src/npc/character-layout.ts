// How a character is told to a model. One that was trained in this program's layout reads everything it knows in the system turn. One that is asked in a
// chat template of its own reads there what stays, and beside the player's words what these call for, where it stays as long as they do: each prompt goes
// on from the one before it, and a small model uses what it is told there (bench: npc-real).
import type { LanguageModel } from '../generation/language-model.ts';
import { methodOf } from '../generation/steered-prompt.ts';
import type { Label } from '../steerlm/attributes.ts';
import type { Conversation, Turn } from '../steerlm/conversation.ts';
import { instructionText } from '../steerlm/instructions.ts';
import type { Character } from './character.ts';
import { type AttributeMood, labelOf } from './mood.ts';

/** The parts a prompt is made of, macros filled in. */
export interface Parts {
  name: string;
  persona: string;
  facts: KnownFact[];
  /** Sentences of all these that some words of the player are about. */
  recall(words: string): string[];
  /** Turns of each. */
  examples: Turn[][];
  notes: string[];
  /** As they were said, those of one speaker not merged yet: each can be forgotten by itself. */
  turns: Turn[];
}

export interface KnownFact {
  content: string;
  /** Told because of what was said lately, and perhaps not the next time; now: because of the player's last words. */
  called?: 'now' | 'lately' | undefined;
}

/** The conversation as it is remembered: who the character is and all it knows first, then what was said. */
export function conversationOf({ persona, facts, notes, examples, turns }: Parts): Conversation {
  const known = facts.map(({ content }) => content);
  return { system: [persona, ...known, ...notes].join('\n'), turns: [...examples.flat(), ...mergeTurns(turns)] };
}

/** The same as the model reads it under a label. */
export function conversationFor(model: Pick<LanguageModel, 'chat' | 'schema'>, parts: Parts, label: Label): Conversation {
  if (model.chat !== 'template') return conversationOf(parts);
  const { name, persona, facts, recall } = parts;
  const always = facts.filter(({ called }) => called === undefined);
  const told = (when: KnownFact['called']) => facts.filter(({ called }) => called === when).map(({ content }) => content);
  const { system, turns } = conversationOf({ ...parts, persona: introduce(name, persona), facts: always });
  const length = lengthFor(model, label);
  const asked = (turn: Turn, before: string[] = [], after: string[] = []): Turn => {
    // What stands last is what a small model speaks of.
    const around = [before, [turn.content, length], [...recall(turn.content), ...after]];
    return { ...turn, content: around.map(joined).filter(isThere).join('\n\n') };
  };
  const examples = parts.examples.flat().length;
  const { length: all } = turns;
  const shown = turns.map((turn, i) => {
    if (turn.role !== 'user' || i < examples) return turn;
    return i === all - 1 ? asked(turn, told('lately'), told('now')) : asked(turn);
  });
  return { system, turns: shown };
}

const isThere = (text: string) => text !== '';
const joined = (texts: string[]) => texts.filter(isThere).join(' ');

/** Cards that speak of the character, and not to it, would leave the model to be whoever it was trained to be. */
function introduce(name: string, persona: string): string {
  return /^you are\b/i.test(persona) ? persona : `You are ${name}. ${persona}`.trimEnd();
}

/**
 * The label of a line in this mood. Words and models that cannot mix know whole levels alone; in words nothing is said of what neither the author nor
 * anything that happened speaks of.
 */
export function lineLabel(
  model: Pick<LanguageModel, 'chat' | 'schema' | 'mixes'>,
  { attributes }: Pick<Character, 'attributes'>,
  moods: Record<string, AttributeMood>,
): Label {
  const inWords = methodOf(model) === 'instruction';
  if (model.mixes && !inWords) return labelOf(moods);
  const spoken = ([name, { contributions }]: [string, AttributeMood]) =>
    !inWords || Object.hasOwn(attributes, name) || contributions.length > 0;
  const said = Object.fromEntries(Object.entries(moods).filter(spoken));
  return Object.fromEntries(Object.entries(labelOf(said)).map(([name, value]) => [name, Math.round(value)]));
}

/** How long a line is to be, where no attribute says it: unasked, a chat model writes until its tokens are spent. */
function lengthFor(model: Pick<LanguageModel, 'chat' | 'schema'>, label: Label): string {
  return /\b(sentence|paragraph)s?\b/i.test(moodText(model, label)) ? '' : 'Answer in one or two short sentences.';
}

function moodText(model: Pick<LanguageModel, 'chat' | 'schema'>, label: Label): string {
  return methodOf(model) === 'instruction' ? instructionText(model.schema, label) : '';
}

/** All that a chat model is asked of a line in words, which a small one may say aloud. */
export function askedOf(model: Pick<LanguageModel, 'chat' | 'schema'>, label: Label): string {
  return model.chat === 'template' ? `${moodText(model, label)} ${lengthFor(model, label)}`.trim() : moodText(model, label);
}

/** Two lines of one speaker, where one was never answered, are one turn. */
export function mergeTurns(turns: readonly Turn[]): Turn[] {
  const merged: Turn[] = [];
  for (const turn of turns) {
    const last = merged.at(-1);
    if (last?.role === turn.role) merged[merged.length - 1] = { ...last, content: `${last.content}\n${turn.content}` };
    else merged.push(turn);
  }
  return merged;
}
