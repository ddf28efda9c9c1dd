// What readings of replies under labels come to: what labels tell, loss by length, and what the model remembers. Pure arithmetic; drawing the
// intervals takes seconds.
import { bootstrap, type Interval } from '../../statistics.ts';
import type { AttributeSchema } from '../../steerlm/attributes.ts';
import { giveWay } from '../give-way.ts';
import {
  byGroup,
  drawsFor,
  type LabelInformation,
  type LengthClass,
  labelInformation,
  lossByLength,
  total,
} from './label-information.ts';
import type { LabelReading } from './label-readings.ts';
import type { SequenceLikelihood } from './token-likelihood.ts';

export type GroupedLikelihood = SequenceLikelihood & { group: string };

/** Nats per token of replies under their own labels. What a model remembers is likelier than what it never saw; so is what is easier. */
export interface OverTraining {
  trained_replies: number;
  held_out: Interval;
  trained: Interval;
  gap: Interval;
}

export interface LabelFigures {
  label_information: LabelInformation;
  /** Loss by the length of the conversation. */
  by_length: LengthClass[];
  over_training: OverTraining | null;
}

export interface ReadReplies {
  schema: AttributeSchema;
  /** Of held-out replies. */
  readings: readonly LabelReading[];
  /** Of replies the model was trained on. */
  trained: readonly GroupedLikelihood[];
  contextLength: number;
  seed: number;
}

/** Throws `cancelled`. */
export async function labelFigures(
  { schema, readings, trained, contextLength, seed }: ReadReplies,
  signal: AbortSignal,
): Promise<LabelFigures> {
  const information = labelInformation(schema, readings, seed);
  await giveWay(signal);
  const held = readings.map(({ group, own, tokens }) => ({ group, nats: own, tokens }));
  return {
    label_information: information,
    by_length: lossByLength(readings, contextLength, seed),
    over_training: trained.length > 0 ? overTraining(held, trained, seed) : null,
  };
}

function overTraining(held: readonly GroupedLikelihood[], trained: readonly GroupedLikelihood[], seed: number): OverTraining {
  // Groups of either side stay apart: a prompt may stand in both.
  const rows = [...held.map((row) => ({ ...row, side: 'held' })), ...trained.map((row) => ({ ...row, side: 'trained' }))].map(
    (row) => ({ ...row, group: `${row.side} ${row.group}` }),
  );
  const figures = bootstrap(
    byGroup(rows),
    (drawn) => {
      const nll = (side: string) => perToken(drawn.flat().filter((row) => row.side === side));
      const [heldOut, seen] = [nll('held'), nll('trained')];
      return { held_out: heldOut, trained: seen, gap: heldOut - seen };
    },
    { seed, draws: drawsFor(rows.length) },
  );
  return { trained_replies: trained.length, ...figures };
}

/** Nats per token of all together. */
export function perToken(rows: readonly SequenceLikelihood[]): number {
  return total(rows, ({ nats }) => nats) / total(rows, ({ tokens }) => tokens);
}
