// Whether a prompt leaves a reply room in the context of a model, and how it is made to: levels told in words take more than a label does.
import type { LanguageModel } from '../../generation/language-model.ts';
import { layOutAsked } from '../../generation/steered-prompt.ts';
import type { Label } from '../../steerlm/attributes.ts';
import type { Conversation } from '../../steerlm/conversation.ts';

export type Reader = Pick<LanguageModel, 'schema' | 'chat' | 'layOut' | 'encode' | 'contextLength'>;

export interface Asking {
  label: Label;
  /** Most tokens of the reply. */
  maxTokens: number;
}

export async function leavesRoom(reader: Reader, conversation: Conversation, { label, maxTokens }: Asking): Promise<boolean> {
  try {
    const pieces = await layOutAsked(reader, conversation, label);
    return reader.encode(pieces).length + maxTokens <= reader.contextLength;
  } catch {
    // Refused for its characters alone.
    return false;
  }
}

/** Without the oldest exchanges where there is no room; the last line of the user always stays. */
export async function makeRoom(reader: Reader, conversation: Conversation, asking: Asking): Promise<Conversation> {
  let { turns } = conversation;
  while (!(await leavesRoom(reader, { ...conversation, turns }, asking))) {
    const next = turns.findIndex(({ role }, place) => place > 0 && role === 'user');
    if (next < 0) break;
    turns = turns.slice(next);
  }
  return { ...conversation, turns };
}
