// Which side of the split a conversation falls on: a hash of its id, so the answer is the same in every dataset and every run.
import { createHash } from 'node:crypto';
import type { Split } from '../store/schema.ts';

/** What the split by a hash of the conversation comes to, for who is told of it. */
export const splitMeaning = 'all replies to one prompt, or of one named conversation, are on the same side';

/** Share of conversations held out; HelpSteer and NeMo-Aligner use the same. */
export const defaultValidationShare = 0.05;

/** Side of a conversation when `validationShare` (0 to 1) of all conversations is held out. A larger share keeps those already held out. */
export function splitOf(conversationId: string, validationShare = defaultValidationShare): Split {
  const digest = createHash('sha256').update(conversationId).digest();
  return digest.readUIntBE(0, 6) / 2 ** 48 < validationShare ? 'validation' : 'train';
}
