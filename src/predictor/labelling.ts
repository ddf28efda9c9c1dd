// Labels the replies of a dataset chunk by chunk: while one chunk is stored by the caller, the next is scored and the one after it read.
// A reply whose content this predictor has rated before is answered from those labels. Writes nothing itself and knows no jobs.
import { setImmediate } from 'node:timers/promises';
import type { NewLabel, UnlikeMark } from '../datasets/write.ts';
import { type FailureCode, SteerError } from '../errors.ts';
import { nearestLevel } from '../steerlm/attributes.ts';
import type { Conversation } from '../steerlm/conversation.ts';
import type { Db } from '../store/connect.ts';
import { interruptionOf } from '../store/interruption.ts';
import { type Chunk, type Labeller, type Row, readChunks, type TurnLabel } from './labelling-rows.ts';
import type { ConversationScore, Predictor } from './predictor.ts';
import { upTo } from './readings.ts';

export type Scoring = Pick<Predictor, 'id' | 'revision' | 'schema' | 'score' | 'groundOf'>;

/** Why a row has not all its labels. */
export interface RowFailure {
  /** Its place in the input, from 0. */
  row: number;
  code: FailureCode;
  message: string;
}

/** What the caller stores in one step. */
export interface LabelledChunk {
  /** Position of its last row. */
  position: number;
  rows: number;
  labels: NewLabel[];
  /** Of replies whose labels were stored before this was told. */
  marks: UnlikeMark[];
  failures: RowFailure[];
  /** Rows whose replies were all answered from earlier labels. */
  cached: number;
  /** Replies scored now, and answered from earlier labels. */
  rated: number;
  known: number;
  /** Scored replies whose conversation lost its start to fit the predictor's context. */
  truncated: number;
  /** Replies with labels that are unlike what the predictor was trained on. */
  unlike: number;
}

/** Replies scored and stored together: enough of a like length to fill the runs of the engine. Measured by bench/label. */
const [fewestReplies, mostReplies] = [16, 1024];
const chunkSeconds = 4;
/** Chunks being scored while the caller stores one. */
const ahead = 1;
/** Chunks whose labels may not have been stored yet when a later one was looked up: those in hand, and the one being read. */
const remembered = ahead + 3;

/**
 * Labelled chunks in input order, from after position `after` on. Throws `cancelled` when the signal says so, and what the predictor throws
 * that is not the fault of a row.
 */
export async function* labelChunks(
  db: Db,
  scoring: Scoring,
  { datasetId, after, signal }: { datasetId: string; after?: number | undefined; signal: AbortSignal },
): AsyncGenerator<LabelledChunk> {
  const left = new AbortController();
  const stop = AbortSignal.any([signal, left.signal]);
  const running: Promise<LabelledChunk>[] = [];
  const recent: Ratings[] = [];
  const pace = new Pace();
  const chunks = readAhead(readChunks(db, scoring, datasetId, () => pace.replies, after));
  try {
    for await (const chunk of chunks) {
      const plan = planChunk(chunk, recent);
      const ratings = { places: plan.places, outcomes: rate(scoring, plan.open, stop) };
      ratings.outcomes.catch(() => {});
      recent.push(ratings);
      if (recent.length > remembered) recent.shift();
      const labelled = settleChunk(scoring, chunk, plan, ratings);
      labelled.catch(() => {});
      running.push(labelled);
      refuseStopped(signal);
      if (running.length <= ahead) continue;
      yield pace.note(await running[0]!);
      running.shift();
    }
    for (const labelled of running) {
      refuseStopped(signal);
      yield await labelled;
    }
  } finally {
    left.abort();
    await Promise.allSettled(running);
    await chunks.return(undefined);
  }
}

/** Chunks are as large as the predictor scores in a few seconds, since a crash costs the chunks in hand; the first ones feel their way. */
class Pace {
  replies = fewestReplies;
  #last = performance.now();

  note(chunk: LabelledChunk): LabelledChunk {
    const seconds = (performance.now() - this.#last) / 1000;
    this.#last = performance.now();
    const wanted = Math.round((chunk.rated * chunkSeconds) / Math.max(seconds, 1e-3));
    // What came from earlier labels says nothing of how fast others are scored.
    if (chunk.rated > 0) this.replies = Math.min(mostReplies, Math.max(fewestReplies, Math.min(wanted, 4 * this.replies)));
    return chunk;
  }
}

function refuseStopped(signal: AbortSignal): void {
  if (signal.aborted) throw new SteerError('cancelled', 'The labelling was stopped.');
}

/** The same items; the next is asked for while the present one is worked on. */
async function* readAhead<T>(source: AsyncGenerator<T>): AsyncGenerator<T> {
  let next = source.next();
  try {
    for (let step = await next; !step.done; step = await next) {
      next = source.next();
      next.catch(() => {});
      yield step.value;
    }
  } finally {
    await next.catch(() => {});
    await source.return(undefined);
  }
}

/** What became of one reply. */
type Outcome = { labels: TurnLabel[]; truncated: boolean } | { failure: Omit<RowFailure, 'row'> };

/** Replies of one chunk being scored: each content's place among them. */
interface Ratings {
  places: Map<string, number>;
  outcomes: Promise<Outcome[]>;
}

interface Plan {
  open: Conversation[];
  /** Place in `open` of a reply by its content. */
  places: Map<string, number>;
  /** Replies that an unfinished chunk is scoring, by their content. */
  awaited: Map<string, Ratings>;
}

function keyOf({ contentHash }: Row, turn: number): string {
  return `${contentHash} ${turn}`;
}

/** Replies to score: those without a label whose content nobody is scoring already. */
function planChunk(chunk: Chunk, recent: readonly Ratings[]): Plan {
  const plan: Plan = { open: [], places: new Map(), awaited: new Map() };
  for (const row of chunk.rows) {
    for (const turn of row.replies) {
      const key = keyOf(row, turn);
      if (chunk.labelsOf(row, turn) || plan.places.has(key) || plan.awaited.has(key)) continue;
      const elsewhere = recent.find(({ places }) => places.has(key));
      if (elsewhere) plan.awaited.set(key, elsewhere);
      else {
        plan.places.set(key, plan.open.length);
        plan.open.push(upTo(row.conversation, turn));
      }
    }
  }
  return plan;
}

/** Outcomes in order. Where a call fails on what it was given, halves are tried until the replies at fault stand alone. */
async function rate(scoring: Scoring, conversations: Conversation[], signal: AbortSignal): Promise<Outcome[]> {
  if (conversations.length === 0) return [];
  try {
    const scores = await scoring.score(conversations, signal);
    return scores.map((score) => ({ labels: toLabels(scoring, score), truncated: score.truncated }));
  } catch (error) {
    if (signal.aborted || !isFaultOfRow(error)) throw error;
    if (conversations.length === 1) return [{ failure: toFailure(error) }];
    const middle = conversations.length >> 1;
    const first = await rate(scoring, conversations.slice(0, middle), signal);
    return [...first, ...(await rate(scoring, conversations.slice(middle), signal))];
  }
}

const faultsOfRows: readonly FailureCode[] = ['invalid_request', 'invalid_dataset', 'context_length_exceeded', 'internal_error'];

function isFaultOfRow(error: unknown): boolean {
  if (interruptionOf(error) !== null) return false;
  return !(error instanceof SteerError) || faultsOfRows.includes(error.code);
}

function toFailure(error: unknown): Omit<RowFailure, 'row'> {
  if (error instanceof SteerError) return { code: error.code, message: error.message };
  return { code: 'internal_error', message: `The predictor failed on this row: ${(error as Error).message}` };
}

function toLabels({ schema }: Labeller, score: ConversationScore): TurnLabel[] {
  const unlike = score.ground?.unlike ?? null;
  return schema.attributes.map((attribute) => {
    const { value, probabilities, confidence } = score.attributes[attribute.name]!;
    return { attribute: attribute.name, value, level: nearestLevel(attribute, value), probabilities, confidence, unlike };
  });
}

/** Waits for what the chunk's replies became and says what is to be stored. */
async function settleChunk(labeller: Scoring, chunk: Chunk, plan: Plan, ratings: Ratings): Promise<LabelledChunk> {
  const settled: LabelledChunk = {
    position: chunk.rows.at(-1)!.position,
    rows: chunk.rows.length,
    labels: [],
    marks: [],
    failures: [],
    cached: 0,
    rated: 0,
    known: 0,
    truncated: 0,
    unlike: 0,
  };
  const outcomes = await ratings.outcomes;
  const taken = new Set<number>();
  const unlikeOf = unlikeReader(labeller);
  /** The first reply of a content is the one that was scored; `fresh` says so. */
  const outcomeAt = async (row: Row, turn: number): Promise<{ outcome: Outcome; fresh: boolean }> => {
    const stored = chunk.labelsOf(row, turn);
    if (stored) return { outcome: { labels: stored, truncated: false }, fresh: false };
    const key = keyOf(row, turn);
    const place = plan.places.get(key);
    if (place === undefined) return { outcome: await outcomeOf(plan.awaited.get(key)!, key), fresh: false };
    const fresh = !taken.has(place);
    taken.add(place);
    return { outcome: outcomes[place]!, fresh };
  };
  for (const row of chunk.rows) {
    let failure = row.replies.length === 0 ? nothingToRate : undefined;
    let rated = 0;
    for (const turn of row.replies) {
      const { outcome, fresh } = await outcomeAt(row, turn);
      if ('failure' in outcome) {
        failure ??= { ...outcome.failure, message: `turn ${turn}: ${outcome.failure.message}` };
        continue;
      }
      const own = chunk.ownLabelsOf(row, turn);
      const stored = own ?? chunk.labelsOf(row, turn);
      const unlike = stored ? await unlikeOf(row, turn, stored) : outcome.labels[0]!.unlike;
      if (unlike) settled.unlike++;
      if (fresh) rated++;
      else settled.known++;
      if (fresh && outcome.truncated) settled.truncated++;
      if (own) {
        if (unlike !== null && own[0]!.unlike === null) settled.marks.push({ sampleId: row.id, turn, unlike });
        continue;
      }
      settled.labels.push(...outcome.labels.map((label) => ({ ...toNewLabel(labeller, row.id, turn, label), unlike })));
    }
    settled.rated += rated;
    if (failure) settled.failures.push({ row: row.position, ...failure });
    else if (rated === 0) settled.cached++;
  }
  return settled;
}

/** Tells of stored replies whether they are unlike the training: as their labels say, or read once for each content where they do not. */
function unlikeReader({ groundOf }: Scoring) {
  const read = new Map<string, boolean | null>();
  return async (row: Row, turn: number, [label]: TurnLabel[]): Promise<boolean | null> => {
    if (!groundOf || label!.unlike !== null) return label!.unlike;
    const key = keyOf(row, turn);
    let unlike = read.get(key);
    if (unlike === undefined) {
      unlike = groundOf(row.conversation.turns[turn]!.content)?.unlike ?? null;
      read.set(key, unlike);
      // A long reply takes milliseconds, and there may be a thousand.
      await setImmediate();
    }
    return unlike;
  };
}

const nothingToRate: Omit<RowFailure, 'row'> = {
  code: 'invalid_dataset',
  message: 'Expected at least one assistant turn to rate, found none.',
};

async function outcomeOf({ places, outcomes }: Ratings, key: string): Promise<Outcome> {
  return (await outcomes)[places.get(key)!]!;
}

function toNewLabel({ id, revision }: Labeller, sampleId: number, turn: number, label: TurnLabel): NewLabel {
  return { sampleId, turn, ...label, source: 'model', author: id, revision };
}
