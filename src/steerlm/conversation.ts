// Conversations as every stage sees them.
import type { Label } from './attributes.ts';

export type Role = 'user' | 'assistant';

export interface Turn {
  role: Role;
  content: string;
  /** Label of an assistant turn; absent or empty means unlabelled. */
  label?: Label;
}

export interface Conversation {
  system: string;
  turns: Turn[];
}
