// Conversations as every stage sees them.
import type { Label } from './attributes.ts';

export type Role = 'user' | 'assistant';

export interface Turn {
  role: Role;
  content: string;
  /** Label of an assistant turn; absent or empty means unlabelled. */
  label?: Label;
  /** False for a reply that is context alone: it is read and may be rated, but no model learns to write it. */
  trained?: false;
}

export interface Conversation {
  system: string;
  turns: Turn[];
}

/** What a message says whose content may be in parts: they stand side by side with nothing between them, as in OpenAI's protocol and in chat templates. */
export function textOf(content: string | readonly { text: string }[]): string {
  return typeof content === 'string' ? content : content.map(({ text }) => text).join('');
}
