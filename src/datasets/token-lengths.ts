// How long the samples of a dataset are in tokens, as a model reads them, without holding up the process that asks. Is told how to count.
import { setImmediate } from 'node:timers/promises';
import { SteerError } from '../errors.ts';
import type { AttributeSchema } from '../steerlm/attributes.ts';
import { layOutTraining, type Piece } from '../steerlm/prompt-layout.ts';
import type { Db } from '../store/connect.ts';
import type { SampleContent } from './sample.ts';
import { type Dataset, streamSamples } from './samples.ts';

export interface TokenCounting {
  /** Attributes whose labels stand in the prompt. */
  schema: AttributeSchema;
  /** Tokens of a text, however long. */
  count(text: string): number;
  signal: AbortSignal;
}

/** Samples counted; of larger datasets every n-th is. */
const mostCounted = 10_000;
/** Work done between two looks at what else waits. */
const sliceMs = 10;
/** Texts are counted in parts of so many characters; the cut costs a token at most. */
const partLength = 16_384;

/** Tokens of each counted sample, shortest first. Throws `cancelled`. */
export async function countTokens(db: Db, dataset: Dataset, counting: TokenCounting): Promise<number[]> {
  const every = Math.max(1, Math.ceil(dataset.sampleCount / mostCounted));
  const lengths: number[] = [];
  let pausedAt = performance.now();
  for await (const { content } of streamSamples(db, dataset.id, { every })) {
    let length = 0;
    for (const piece of partsOf(counting.schema, content)) {
      length += 'control' in piece ? 1 : counting.count(piece.text);
      if (performance.now() - pausedAt < sliceMs) continue;
      await setImmediate();
      if (counting.signal.aborted) throw new SteerError('cancelled', 'The caller went away.');
      pausedAt = performance.now();
    }
    lengths.push(length);
  }
  return lengths.sort((a, b) => a - b);
}

function* partsOf(schema: AttributeSchema, content: SampleContent): Generator<Piece> {
  const pieces = content.kind === 'text' ? [{ text: content.text, trained: true }] : layOutTraining(schema, content.conversation);
  for (const piece of pieces) {
    if ('control' in piece || piece.text.length <= partLength) yield piece;
    else {
      for (let from = 0; from < piece.text.length; from += partLength) {
        yield { text: piece.text.slice(from, from + partLength), trained: piece.trained };
      }
    }
  }
}
