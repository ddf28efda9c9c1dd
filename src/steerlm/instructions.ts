// Attributes in words, for models that nobody trained on labels: they stand at the end of what the user said, where an instruct model heeds them most
// and what came before stays as it was read (bench: real-model).
import { own } from '../own.ts';
import { type Attribute, type AttributeSchema, type Label, nearestLevel } from './attributes.ts';
import type { Conversation } from './conversation.ts';

/** What is asked of a reply, a sentence or two for each attribute of the label; '' where nothing is. */
export function instructionText({ attributes }: AttributeSchema, label: Label): string {
  return attributes
    .flatMap((attribute) => {
      const value = own(label, attribute.name);
      return value === undefined ? [] : [instructionFor(attribute, nearestLevel(attribute, value))];
    })
    .filter((text) => text !== '')
    .join(' ');
}

/** The conversation with the words at the end of the user's last turn; in the system text where the user has not spoken last. */
export function withInstruction({ system, turns }: Conversation, words: string): Conversation {
  if (words === '') return { system, turns };
  const last = turns.at(-1);
  if (last?.role !== 'user') return { system: [system.trim(), words].filter((text) => text !== '').join('\n'), turns };
  return { system, turns: [...turns.slice(0, -1), { ...last, content: `${last.content.trimEnd()}\n\n${words}` }] };
}

function instructionFor({ name, levels, instructions }: Attribute, level: number): string {
  return instructions?.[level] ?? `${name.slice(0, 1).toUpperCase()}${name.slice(1)} of your reply: ${levels[level]}.`;
}
