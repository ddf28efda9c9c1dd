// Labels every assistant turn of a stored dataset with a predictor. Labels are added, never replaced; a turn this revision has labelled
// already is passed over, so that a run that was cut short goes on and a second one adds nothing. Knows no command line.
import { and, eq, inArray } from 'drizzle-orm';
import type { SampleContent } from '../datasets/sample.ts';
import { findDataset, type StoredSample, streamSamples } from '../datasets/samples.ts';
import { appendLabels, type NewLabel } from '../datasets/write.ts';
import { SteerError } from '../errors.ts';
import { type Conversation, nearestLevel } from '../steerlm.ts';
import type { Db } from '../store/connect.ts';
import { labels } from '../store/schema.ts';
import type { ConversationScore, Predictor } from './predictor.ts';
import { upTo } from './readings.ts';

export interface LabellingProgress {
  /** Samples gone through, of all there are. */
  samples: number;
  total: number;
  /** Turns labelled so far. */
  rated: number;
}

export interface LabellingReport {
  /** Turns labelled now. */
  rated: number;
  /** Turns this revision of the predictor had labelled before. */
  skipped: number;
  /** Turns whose conversation lost its start to fit the predictor's context. */
  truncated: number;
  /** Time of scoring and storing, divided by the turns labelled; 0 when there were none. */
  secondsPerTurn: number;
}

export interface LabellingOptions {
  /** Name or id. */
  dataset: string;
  predictor: Predictor;
  onProgress?: (progress: LabellingProgress) => void;
  signal: AbortSignal;
}

/** Turns scored and stored together. */
const batchTurns = 256;

/**
 * Stores for each turn and attribute the expected level, its nearest level, the probabilities and the confidence, with source `model`
 * and the predictor's id and revision. Throws `not_found`, or `cancelled` with what was stored kept.
 */
export async function labelDataset(db: Db, options: LabellingOptions): Promise<LabellingReport> {
  const { predictor, signal } = options;
  const dataset = await findDataset(db, options.dataset);
  const report: LabellingReport = { rated: 0, skipped: 0, truncated: 0, secondsPerTurn: 0 };
  let samples = 0;
  let seconds = 0;
  for await (const batch of inBatches(streamSamples(db, dataset.id))) {
    const started = performance.now();
    const turns = batch.flatMap((sample) => [...repliesOf(sample.content)].map((reply) => ({ sampleId: sample.id, ...reply })));
    const known = await labelledTurns(
      db,
      batch.map(({ id }) => id),
      predictor,
    );
    const open = turns.filter(({ sampleId, turn }) => !known.has(`${sampleId} ${turn}`));
    const scores = await scoreOrStop(predictor, open, signal, report.rated);
    const rows = open.flatMap(({ sampleId, turn }, i) => labelRows(predictor, sampleId, turn, scores[i]!));
    // A turn has all its labels or none: half-labelled ones would be passed over the next time.
    if (rows.length > 0) await db.transaction((tx) => appendLabels(tx, rows));
    report.rated += open.length;
    report.skipped += turns.length - open.length;
    report.truncated += scores.filter(({ truncated }) => truncated).length;
    samples += batch.length;
    if (open.length > 0) seconds += (performance.now() - started) / 1000;
    options.onProgress?.({ samples, total: dataset.sampleCount, rated: report.rated });
  }
  return { ...report, secondsPerTurn: report.rated > 0 ? seconds / report.rated : 0 };
}

/** Every assistant turn of a sample by its index, with the conversation up to and including it. */
export function* repliesOf(content: SampleContent): Generator<{ turn: number; conversation: Conversation }> {
  if (content.kind === 'text') return;
  const { conversation } = content;
  for (const [turn, { role }] of conversation.turns.entries()) {
    if (role === 'assistant') yield { turn, conversation: upTo(conversation, turn) };
  }
}

async function* inBatches(samples: AsyncIterable<StoredSample>): AsyncGenerator<StoredSample[]> {
  let batch: StoredSample[] = [];
  let turns = 0;
  for await (const sample of samples) {
    batch.push(sample);
    turns += sample.content.kind === 'text' ? 0 : sample.content.conversation.turns.length;
    if (turns < batchTurns && batch.length < batchTurns) continue;
    yield batch;
    batch = [];
    turns = 0;
  }
  if (batch.length > 0) yield batch;
}

async function labelledTurns(db: Db, sampleIds: number[], { id, revision }: Predictor): Promise<Set<string>> {
  const own = and(eq(labels.source, 'model'), eq(labels.author, id), eq(labels.revision, revision));
  const rows = await db
    .selectDistinct({ sampleId: labels.sampleId, turn: labels.turn })
    .from(labels)
    .where(and(inArray(labels.sampleId, sampleIds), own));
  return new Set(rows.map(({ sampleId, turn }) => `${sampleId} ${turn}`));
}

async function scoreOrStop(
  predictor: Predictor,
  turns: { conversation: Conversation }[],
  signal: AbortSignal,
  rated: number,
): Promise<ConversationScore[]> {
  try {
    if (signal.aborted) throw new SteerError('cancelled', 'Stopped.');
    if (turns.length === 0) return [];
    return await predictor.score(
      turns.map(({ conversation }) => conversation),
      signal,
    );
  } catch (error) {
    if (!(error instanceof SteerError && error.code === 'cancelled')) throw error;
    throw new SteerError('cancelled', `Labelling was stopped after ${rated} turns, which are kept. Run it again to go on.`);
  }
}

function labelRows({ schema, id, revision }: Predictor, sampleId: number, turn: number, score: ConversationScore): NewLabel[] {
  return schema.attributes.map((attribute) => {
    const { value, probabilities, confidence } = score.attributes[attribute.name]!;
    return {
      sampleId,
      turn,
      attribute: attribute.name,
      value,
      level: nearestLevel(attribute, value),
      probabilities,
      confidence,
      source: 'model',
      author: id,
      revision,
    };
  });
}
