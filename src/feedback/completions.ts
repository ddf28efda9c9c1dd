// Keeps completions, so that ratings have something to point at.
import type { Label, RequestedAttributes } from '../steerlm/attributes.ts';
import type { Db, Tx } from '../store/connect.ts';
import { completions, type ToldSteering } from '../store/schema.ts';

export interface FinishedReply {
  text: string;
  finishReason: string;
  completionTokens: number;
  /** Expected level per attribute, where the reply was measured. */
  measured?: Label;
  steering?: ToldSteering;
  /** Tokens of all candidates, where it was chosen among several. */
  spentTokens?: number;
}

export interface FinishedCompletion {
  /** Id the caller was given, and the time it was told in Unix seconds. */
  id: string;
  created: number;
  model: string;
  revision: string;
  /** Body of the request. */
  request: Record<string, unknown>;
  requested: RequestedAttributes;
  applied: Label;
  seed: number;
  promptTokens: number;
  replies: FinishedReply[];
}

/** Stores one row per reply of a completion that is `storable`. */
export async function rememberCompletion(db: Db | Tx, completion: FinishedCompletion): Promise<void> {
  const { replies, ...shared } = completion;
  const rows = replies.map(({ text, measured, ...reply }, choice) => {
    return { ...shared, ...reply, choice, reply: text, measured: measured ?? null };
  });
  await db.insert(completions).values(rows);
}
