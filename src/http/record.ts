// Keeps finished replies for feedback. A reply is never lost to its caller because it could not be kept.
import { type FinishedReply, rememberCompletion } from '../feedback/completions.ts';
import type { ChatBody, ChatPrompt } from './chat.ts';
import type { SteeredReply } from './chat-replies.ts';
import type { Door, DoorContext } from './door.ts';
import { describeError } from './log.ts';
import type { ReplyHead } from './wire/replies.ts';

interface Finished {
  head: ReplyHead;
  request: ChatBody;
  prompt: ChatPrompt;
  seed: number;
  replies: SteeredReply[];
}

/** Stores the replies where there is a database; a failure is logged, not thrown. */
export async function recordReplies(c: DoorContext, door: Door, finished: Finished): Promise<void> {
  if (!door.db) return;
  const { head, request, prompt, seed, replies } = finished;
  try {
    await rememberCompletion(door.db, {
      id: head.id,
      model: prompt.model.id,
      revision: prompt.model.revision,
      request,
      requested: prompt.requested,
      applied: prompt.applied,
      seed,
      promptTokens: prompt.tokenIds.length,
      replies: replies.map(toFinished),
    });
  } catch (error) {
    door.log.warn({ requestId: c.get('requestId'), err: describeError(error) }, 'completion not kept');
  }
}

function toFinished({ text, finishReason, completionTokens, steering }: SteeredReply): FinishedReply {
  const reply = { text, finishReason, completionTokens };
  if (!steering.measured) return reply;
  const measured = Object.entries(steering.measured).map(([name, { value }]) => [name, value]);
  return { ...reply, measured: Object.fromEntries(measured) };
}
