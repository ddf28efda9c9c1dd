// A conversation in a model's own chat template. What a template refuses is told another way before it is refused: a system text stands before the
// first words of the user, turns of one speaker are one, and who speaks first is answered.
import { SteerError } from '../errors.ts';
import { type ChatTemplate, fillParts, type TemplateRole } from '../model/tokenizer/chat-template.ts';
import type { Conversation } from '../steerlm/conversation.ts';
import type { Piece } from '../steerlm/prompt-layout.ts';

interface Message {
  role: TemplateRole;
  content: string;
}

/** Stands where the user has to have spoken first and nothing is known of it. */
const opening = '…';

/** Pieces of the prompt that asks for the next reply. Throws invalid_request where the template has no way to tell the conversation. */
export async function layOutInTemplate(
  template: Pick<ChatTemplate, 'layOut'>,
  { system, turns }: Conversation,
): Promise<Piece[]> {
  const said = turns.map(({ role, content }) => ({ role, content }));
  const asItIs: Message[] = system.trim() === '' ? said : [{ role: 'system', content: system }, ...said];
  let refusal: unknown;
  for (const messages of [asItIs, alternating(asItIs), alternating(withoutSystem(system, said))]) {
    try {
      const parts = await template.layOut(messages.map(({ role }) => role));
      return fillParts(parts, messages).map((part) => ({ ...part, trained: false }));
    } catch (error) {
      // What the template makes of any messages is not asked for once more.
      if (!(error instanceof SteerError && error.details.param === 'messages')) throw error;
      refusal ??= error;
    }
  }
  throw refusal;
}

/** The user speaks first, and nobody twice in a row. */
export function alternating(messages: readonly Message[]): Message[] {
  const merged: Message[] = [];
  for (const message of messages) {
    const last = merged.at(-1);
    if (message.role === 'assistant' && (last === undefined || last.role === 'system'))
      merged.push({ role: 'user', content: opening });
    if (last?.role === message.role) last.content += `\n${message.content}`;
    else merged.push({ ...message });
  }
  return merged;
}

function withoutSystem(system: string, said: readonly Message[]): Message[] {
  if (system.trim() === '') return [...said];
  const [first, ...rest] = said;
  if (first?.role === 'user') return [{ role: 'user', content: `${system.trim()}\n\n${first.content}` }, ...rest];
  return [{ role: 'user', content: system.trim() }, ...said];
}
