// The prompts a reply is mixed from, for a conversation under a label and a dial.

import type { Branch } from '../engine/request.ts';
import type { Label } from '../steerlm/attributes.ts';
import type { Conversation } from '../steerlm/conversation.ts';
import { type Against, dial } from '../steerlm/guidance.ts';
import { layOutPrompt } from '../steerlm/prompt-layout.ts';
import type { LanguageModel } from './language-model.ts';

/** One prompt for a label of whole levels at strength 1; more where a value lies between levels or the dial is turned. */
export function toBranches(
  model: Pick<LanguageModel, 'schema' | 'encode'>,
  conversation: Conversation,
  label: Label,
  setting: { strength: number; against: Against },
): Branch[] {
  return dial(model.schema, label, setting).map(({ label: said, weight }) => {
    return { prompt: model.encode(layOutPrompt(model.schema, conversation, said)), weight };
  });
}
