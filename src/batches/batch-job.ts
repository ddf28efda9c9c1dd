// A batch as a job: the whole file is checked first, then its requests are answered, then the answers become files. Each phase goes on where
// the last attempt stopped.
import { SteerError } from '../errors.ts';
import { defineJob, type JobContext, type JobDefinition, stopReason } from '../jobs/define.ts';
import { type Answer, type AnsweringSettings, answerAll, defaultAnswering } from './answering.ts';
import { BatchCursor, BatchInput, batchKind, nowS } from './batch.ts';
import { finish } from './finishing.ts';
import { validateInput } from './input.ts';

/** The definition for a process that can answer requests. */
export function batchJob(answer: Answer, settings: AnsweringSettings = defaultAnswering): JobDefinition {
  return defineJob({ name: batchKind, queue: 'inference', input: BatchInput, run: (context) => run(context, answer, settings) });
}

async function run(
  context: JobContext<BatchInput>,
  answer: Answer,
  settings: AnsweringSettings,
): Promise<Record<string, unknown>> {
  let cursor = BatchCursor.nullable().parse(context.cursor) ?? (await validate(context));
  if (cursor.phase === 'failed') throw faulty(cursor);
  if (cursor.phase === 'in_progress') cursor = await answerUntilEnd(context, cursor, answer, settings);
  if (cursor.phase !== 'done') cursor = await finish(context, cursor);
  if (cursor.ending === 'cancelled') throw new SteerError('cancelled', 'The batch was cancelled.');
  return { output_file_id: cursor.outputFileId, error_file_id: cursor.errorFileId };
}

async function validate(context: JobContext<BatchInput>): Promise<BatchCursor> {
  const { db, input, signal } = context;
  const { requests, problems } = await validateInput(db, input.input_file_id, input.endpoint, signal);
  const cursor =
    problems.length > 0
      ? BatchCursor.parse({ phase: 'failed', problems })
      : BatchCursor.parse({ phase: 'in_progress', total: requests, inProgressAt: nowS() });
  await context.commit({ cursor, progress: { phase: cursor.phase, total: requests } });
  return cursor;
}

function faulty({ problems }: BatchCursor): SteerError {
  const [first] = problems;
  const places = [first?.line ? `line ${first.line}` : null, first?.param ?? null].filter((place) => place !== null);
  const where = places.length > 0 ? `${places.join(', ')}: ` : '';
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : '';
  const message = `The input file is no batch: ${where}${first?.message}${more}. Nothing was answered.`;
  return new SteerError('invalid_dataset', message, { details: { param: first?.param ?? 'input_file_id' } });
}

/** Answers until all is answered, the window closes or somebody cancels; any other stop throws `cancelled`. */
async function answerUntilEnd(
  context: JobContext<BatchInput>,
  cursor: BatchCursor,
  answer: Answer,
  settings: AnsweringSettings,
): Promise<BatchCursor> {
  const stop = new AbortController();
  const onStop = () => stop.abort();
  context.signal.addEventListener('abort', onStop, { once: true });
  const leftMs = 1000 * context.input.expires_at - Date.now();
  if (context.signal.aborted || leftMs <= 0) stop.abort();
  const window = setTimeout(onStop, leftMs);
  let answered = cursor;
  try {
    if (!stop.signal.aborted) answered = await answerAll(context, cursor, { answer, settings, signal: stop.signal });
  } finally {
    clearTimeout(window);
    context.signal.removeEventListener('abort', onStop);
  }
  if (answered.row === answered.total) return { ...answered, ending: 'completed' };
  const reason = stopReason(context.signal);
  if (reason === 'cancel') return { ...answered, ending: 'cancelled', cancellingAt: nowS() };
  if (reason !== null) throw new SteerError('cancelled', 'The batch was stopped.');
  return { ...answered, ending: 'expired' };
}
