// What never appears in training: some archetype × intent pairs, personas, paraphrases and slot values.
// Chosen by hash or by place in a list, never by draw, so it stays the same for every seed.
import type { Intent, Line } from './fragment.ts';
import { hashText } from './random.ts';

/** Why a conversation is kept for validation; `draw` is an ordinary conversation set aside. */
export type HeldOut = 'pair' | 'persona' | 'paraphrase' | 'slot' | 'draw';

/** Whether training never sees this archetype answer this intent: about one pair in twelve. */
export function isPairHeldOut(archetype: string, intent: string): boolean {
  return hashText(`${archetype} × ${intent}`) % 12 === 0;
}

/** Lines of an intent for training, or the held-out ones: about one line in nine, at least one. */
export function linesOf(intent: Intent, heldOut: boolean): readonly Line[] {
  let ranked = rankedLines.get(intent);
  if (!ranked) {
    ranked = intent.lines.toSorted((a, b) => hashText(a.text) - hashText(b.text));
    rankedLines.set(intent, ranked);
  }
  const held = Math.max(1, Math.round(ranked.length / 9));
  return heldOut ? ranked.slice(0, held) : ranked.slice(held);
}

const rankedLines = new Map<Intent, readonly Line[]>();

/** Values for training, or the held-out last tenth of the list, at least one. */
export function valuesOf(values: readonly string[], heldOut: boolean): readonly string[] {
  const held = Math.max(1, Math.floor(values.length / 10));
  return heldOut ? values.slice(-held) : values.slice(0, -held);
}
