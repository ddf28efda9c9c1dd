// The end of a batch: its answers become an output file and an error file, and the rows they were kept in go, in one step with the files' names.
// May be begun again any number of times; files of an attempt that died are never seen.
import { and, asc, eq, gt, inArray } from 'drizzle-orm';
import { SteerError } from '../errors.ts';
import { deleteFile, storeFile } from '../files/files.ts';
import type { JobContext } from '../jobs/define.ts';
import { jsonLine } from '../json-line.ts';
import type { Db } from '../store/connect.ts';
import { batchResults, files } from '../store/work-schema.ts';
import { lineHead } from './answering.ts';
import { type BatchCursor, type BatchInput, nowS } from './batch.ts';
import { readRequests } from './input.ts';

/** Purpose of the files a batch makes. */
const purpose = 'batch_output';
/** Lines read at once. */
const pageLines = 100;

/** Writes the files of a batch whose `ending` is known; answers the cursor that names them. */
export async function finish(context: JobContext<BatchInput>, cursor: BatchCursor): Promise<BatchCursor> {
  const { db, id } = context;
  const names = [`${id}_output.jsonl`, `${id}_error.jsonl`] as const;
  const begun: BatchCursor = { ...cursor, phase: 'finalizing', finalizingAt: cursor.finalizingAt ?? nowS() };
  await context.commit({
    cursor: begun,
    progress: { phase: 'finalizing' },
    // A file without a hash is not there; the files' own clearing takes it away.
    write: async (tx) => {
      await tx
        .update(files)
        .set({ hash: null })
        .where(and(inArray(files.filename, [...names]), eq(files.purpose, purpose)));
    },
  });
  const outputFileId = await storeLines(db, names[0], linesOf(db, id, true));
  const errorFileId = await storeLines(db, names[1], errorLines(context, begun));
  const done: BatchCursor = { ...begun, phase: 'done', outputFileId, errorFileId };
  try {
    await context.commit({
      cursor: done,
      progress: { phase: 'done' },
      write: async (tx) => {
        await tx.delete(batchResults).where(eq(batchResults.jobId, id));
      },
    });
  } catch (error) {
    // Only where the batch is another worker's now: after a lost connection the step may have been stored.
    if (error instanceof SteerError && error.code === 'cancelled') {
      const own = [outputFileId, errorFileId].filter((file) => file !== null);
      await Promise.allSettled(own.map((file) => deleteFile(db, file)));
    }
    throw error;
  }
  return done;
}

/** Id of a file of these lines; null where there are none. */
async function storeLines(db: Db, filename: string, lines: AsyncGenerator<object>): Promise<string | null> {
  const first = await lines.next();
  if (first.done) return null;
  const content = (async function* () {
    yield Buffer.from(`${jsonLine(first.value)}\n`);
    for await (const line of lines) yield Buffer.from(`${jsonLine(line)}\n`);
  })();
  return (await storeFile(db, { filename, purpose, content })).id;
}

async function* linesOf(db: Db, jobId: string, ok: boolean): AsyncGenerator<object> {
  for (let last = -1; ; ) {
    const page = await db
      .select({ row: batchResults.row, line: batchResults.line })
      .from(batchResults)
      .where(and(eq(batchResults.jobId, jobId), eq(batchResults.ok, ok), gt(batchResults.row, last)))
      .orderBy(asc(batchResults.row))
      .limit(pageLines);
    for (const { line } of page) yield line;
    if (page.length < pageLines) return;
    last = page.at(-1)!.row;
  }
}

/** Failed answers, then every request that was not answered. */
async function* errorLines({ db, id, input }: JobContext<BatchInput>, { row, ending }: BatchCursor): AsyncGenerator<object> {
  yield* linesOf(db, id, false);
  if (ending === 'completed') return;
  const error =
    ending === 'expired'
      ? { code: 'batch_expired', message: 'The batch reached the end of its completion window before this request.' }
      : { code: 'batch_cancelled', message: 'The batch was cancelled before this request.' };
  for await (const { customId } of readRequests(db, input.input_file_id, row)) {
    yield { ...lineHead(customId), response: null, error };
  }
}
