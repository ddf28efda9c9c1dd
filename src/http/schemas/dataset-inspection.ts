// The figures of a dataset as callers see them.
import { z } from '@hono/zod-openapi';
import type { DatasetFigures } from '../../datasets/inspect.ts';
import type { Dataset } from '../../datasets/samples.ts';
import { labelSources } from '../../store/schema.ts';

export const DatasetInspectionQuery = z.object({
  model: z.string().max(256).optional().openapi({ description: 'Language model that counts the tokens; absent means `default`' }),
  predictor: z
    .string()
    .max(256)
    .optional()
    .openapi({ description: 'Predictor to tell of: what it has labelled, what does not fit it' }),
});

const Share = z.number().openapi({ description: '0 to 1' });

export const DatasetInspection = z
  .object({
    object: z.literal('dataset.inspection'),
    dataset: z.string(),
    samples: z.int(),
    texts: z.int().openapi({ description: 'Samples that are plain text' }),
    conversations: z.int(),
    duplicates: z.int().openapi({ description: 'Samples whose content came up before' }),
    splits: z.object({ train: z.int(), validation: z.int() }),
    turns: z.int(),
    replies: z.int().openapi({ description: 'Turns of the assistant: those that can be labelled' }),
    labels: z.array(
      z.object({
        attribute: z.string(),
        source: z.enum(labelSources),
        turns: z.int().openapi({ description: 'Replies with at least one label of this source' }),
        coverage: Share,
        labels: z.int().openapi({ description: 'Several raters may label one reply' }),
        mean: z.number(),
        levels: z.array(z.int()).openapi({ description: 'Labels by level, from 0' }),
      }),
    ),
    tokens: z
      .object({
        model: z.string(),
        samples: z.int().openapi({ description: 'Samples counted: all, or of a large dataset every n-th' }),
        total: z.int(),
        mean: z.number(),
        median: z.int(),
        p90: z.int(),
        p99: z.int(),
        longest: z.int(),
        histogram: z
          .array(z.object({ up_to: z.int(), samples: z.int() }))
          .openapi({ description: 'Samples of at most so many tokens and more than the one before' }),
        context_length: z.int(),
        truncated: z.int().openapi({ description: 'Counted samples longer than the context' }),
        truncated_share: Share,
      })
      .nullable()
      .openapi({ description: 'As training lays the samples out; null where no language model is served' }),
    predictor: z
      .object({
        id: z.string(),
        revision: z.string(),
        labelled_turns: z.int().openapi({ description: 'Replies this revision has labelled' }),
        coverage: Share,
        context_length: z.int(),
        truncated_share: Share.nullable().openapi({
          description: 'Counted samples longer than its context, by the tokens above; null where none were counted',
        }),
      })
      .nullable()
      .openapi({ description: 'null unless asked for' }),
  })
  .openapi('DatasetInspection');

export interface CountedTokens {
  model: string;
  contextLength: number;
  /** Of each counted sample, shortest first. */
  lengths: number[];
}

export interface PredictorFigures {
  id: string;
  revision: string;
  contextLength: number;
  labelledTurns: number;
}

/** The figures in one object. */
export function toInspection(
  dataset: Dataset,
  figures: DatasetFigures,
  tokens: CountedTokens | null,
  predictor: PredictorFigures | null,
): z.infer<typeof DatasetInspection> {
  const { samples, texts, train, validation, turns, replies, duplicates, labels } = figures;
  return {
    object: 'dataset.inspection',
    dataset: dataset.id,
    samples,
    texts,
    conversations: dataset.conversationCount,
    duplicates,
    splits: { train, validation },
    turns,
    replies,
    labels: labels.map((each) => ({ ...each, coverage: share(each.turns, replies) })),
    tokens: tokens && describeTokens(tokens),
    predictor: predictor && {
      id: predictor.id,
      revision: predictor.revision,
      labelled_turns: predictor.labelledTurns,
      coverage: share(predictor.labelledTurns, replies),
      context_length: predictor.contextLength,
      truncated_share: tokens && share(longerThan(tokens.lengths, predictor.contextLength), tokens.lengths.length),
    },
  };
}

function describeTokens({ model, contextLength, lengths }: CountedTokens): z.infer<typeof DatasetInspection>['tokens'] {
  const total = lengths.reduce((sum, length) => sum + length, 0);
  /** Shortest length that so large a share of the samples does not exceed. */
  const quantile = (part: number) => lengths[Math.max(0, Math.ceil(part * lengths.length) - 1)] ?? 0;
  const truncated = longerThan(lengths, contextLength);
  return {
    model,
    samples: lengths.length,
    total,
    mean: share(total, lengths.length),
    median: quantile(0.5),
    p90: quantile(0.9),
    p99: quantile(0.99),
    longest: quantile(1),
    histogram: histogramOf(lengths),
    context_length: contextLength,
    truncated,
    truncated_share: share(truncated, lengths.length),
  };
}

function histogramOf(lengths: readonly number[]): { up_to: number; samples: number }[] {
  const bins = new Map<number, number>();
  for (const length of lengths) {
    const upTo = 2 ** Math.ceil(Math.log2(Math.max(1, length)));
    bins.set(upTo, (bins.get(upTo) ?? 0) + 1);
  }
  return [...bins].map(([up_to, samples]) => ({ up_to, samples }));
}

function longerThan(lengths: readonly number[], most: number): number {
  return lengths.filter((length) => length > most).length;
}

function share(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}
