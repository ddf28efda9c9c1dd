// The conversation a remembered completion answered, read back from the body of its request.
import { z } from 'zod';
import { type Conversation, type Turn, textOf } from '../steerlm/conversation.ts';

const Content = z.union([z.string(), z.array(z.object({ text: z.string() }))]);
const ChatRequest = z.object({
  messages: z.array(z.object({ role: z.enum(['system', 'developer', 'user', 'assistant']), content: Content })),
});

/** What was said before the reply, labels left out; null for a raw prompt, which has no turns. */
export function conversationOf(request: Record<string, unknown>): Conversation | null {
  const { success, data } = ChatRequest.safeParse(request);
  if (!success) return null;
  const system: string[] = [];
  const turns: Turn[] = [];
  for (const { role, content } of data.messages) {
    const text = textOf(content);
    if (role === 'system' || role === 'developer') system.push(text);
    else turns.push({ role, content: text });
  }
  return { system: system.join('\n\n'), turns };
}

/** Equal for two completions exactly when they answered the same conversation or raw prompt. */
export function promptIdentity(request: Record<string, unknown>): string {
  const conversation = conversationOf(request);
  if (!conversation) return JSON.stringify(['prompt', request.prompt]);
  return JSON.stringify([conversation.system, conversation.turns.map(({ role, content }) => [role, content])]);
}
