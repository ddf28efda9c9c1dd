// Keeps finished replies for feedback. A reply is never lost to its caller because it could not be kept.
import { type FinishedReply, rememberCompletion } from '../feedback/completions.ts';
import type { LanguageModel } from '../generation/language-model.ts';
import type { Reply } from '../generation/replies.ts';
import type { Label, RequestedAttributes } from '../steerlm/attributes.ts';
import { storable } from '../store/storable.ts';
import type { AppContext, RequestContext } from './app-context.ts';
import { describeError } from './log.ts';
import type { ReplyHead, Steering } from './schemas/replies.ts';

interface Finished {
  head: ReplyHead;
  /** Its `store: false` leaves the replies unremembered. */
  request: { store?: boolean | null | undefined; [field: string]: unknown };
  /** A raw prompt asks for nothing. */
  prompt: { model: LanguageModel; tokenIds: { length: number }; requested?: RequestedAttributes; applied?: Label };
  seed: number;
  replies: (Reply & { steering?: Steering })[];
}

/** What a reply says of its keeping: nothing, or that it could not be kept and cannot be rated. */
export type Stored = { stored?: false };

/**
 * Stores the replies where there is a database and the request does not forbid it, or hands them to an asker from within.
 * A failure is logged and told in the reply, not thrown.
 */
export async function recordReplies(c: RequestContext, context: AppContext, finished: Finished): Promise<Stored> {
  const { head, request, prompt, seed, replies } = finished;
  if (!context.db || request.store === false) return {};
  try {
    // Made so here, where a failure concerns this completion alone; in the asker's transaction it would end a whole step.
    const completion = storable({
      id: head.id,
      created: head.created,
      model: prompt.model.id,
      revision: head.system_fingerprint,
      request,
      requested: prompt.requested ?? {},
      applied: prompt.applied ?? {},
      seed,
      promptTokens: replies[0]?.promptTokens ?? prompt.tokenIds.length,
      replies: replies.map(toFinished),
    });
    if (c.env?.remember) c.env.remember((tx) => rememberCompletion(tx, completion));
    else await rememberCompletion(context.db, completion);
    return {};
  } catch (error) {
    context.log.warn({ requestId: c.get('requestId'), err: describeError(error) }, 'completion not kept');
    return { stored: false };
  }
}

function toFinished({ text, finishReason, completionTokens, spentTokens, steering }: Finished['replies'][number]): FinishedReply {
  const reply = { text, finishReason, completionTokens, ...(spentTokens === undefined ? {} : { spentTokens }) };
  if (!steering) return reply;
  const { requested: _, applied: __, ...told } = steering;
  const values = Object.entries(told.measured ?? {}).map(([name, { value }]) => [name, value]);
  return { ...reply, steering: told, ...(told.measured ? { measured: Object.fromEntries(values) } : {}) };
}
