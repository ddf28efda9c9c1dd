// Whether a prompt leaves a reply room in the context of a model, and how it is made to: levels told in words take more than a label does.
import type { LanguageModel } from '../../generation/language-model.ts';
import type { AttributeSchema, Label } from '../../steerlm/attributes.ts';
import type { Conversation } from '../../steerlm/conversation.ts';
import { layOutPrompt } from '../../steerlm/prompt-layout.ts';

export type Reader = Pick<LanguageModel, 'encode' | 'contextLength'>;

export interface Asking {
  schema: AttributeSchema;
  label: Label;
  /** Most tokens of the reply. */
  maxTokens: number;
}

export function leavesRoom(reader: Reader, conversation: Conversation, { schema, label, maxTokens }: Asking): boolean {
  try {
    return reader.encode(layOutPrompt(schema, conversation, label)).length + maxTokens <= reader.contextLength;
  } catch {
    // Refused for its characters alone.
    return false;
  }
}

/** Without the oldest exchanges where there is no room; the last line of the user always stays. */
export function makeRoom(reader: Reader, conversation: Conversation, asking: Asking): Conversation {
  let { turns } = conversation;
  while (!leavesRoom(reader, { ...conversation, turns }, asking)) {
    const next = turns.findIndex(({ role }, place) => place > 0 && role === 'user');
    if (next < 0) break;
    turns = turns.slice(next);
  }
  return { ...conversation, turns };
}
