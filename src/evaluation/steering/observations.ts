// What an evaluation of steering sees of a reply: what was asked for, what a predictor read in it, and its text.
import type { Label } from '../../steerlm/attributes.ts';

export interface WrittenReply {
  /** Place of its prompt; replies to one prompt hang together. */
  prompt: number;
  text: string;
  /** It ended for want of room, not by itself. */
  unfinished: boolean;
  /** What the judge reads in it, every attribute, in the model's levels. */
  obtained: Label;
}

/** A reply with one attribute asked for, the others at their defaults. */
export interface SweepReply extends WrittenReply {
  attribute: string;
  requested: number;
}

/** A reply with every attribute asked for. */
export interface GridReply extends WrittenReply {
  target: Label;
}

/** How intervals are drawn: so many bootstraps, from this seed. */
export interface DrawOptions {
  draws?: number;
  seed?: number;
}

/** Items by their prompt, prompts in the order they first come. */
export function byPrompt<T extends { prompt: number }>(items: readonly T[]): T[][] {
  const groups = new Map<number, T[]>();
  for (const item of items) {
    const group = groups.get(item.prompt);
    if (group) group.push(item);
    else groups.set(item.prompt, [item]);
  }
  return [...groups.values()];
}
