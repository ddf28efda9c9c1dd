// The input file of a batch: its requests one by one, and everything that is wrong with it, before anything is answered.
// Streams; of the whole file only the custom_ids are held.
import { z } from 'zod';
import { SteerError } from '../errors.ts';
import { readFile } from '../files/files.ts';
import { decodeText, readFilledLines, untilAborted } from '../files/lines.ts';
import { faultsOf } from '../shape-faults.ts';
import type { Db } from '../store/connect.ts';

/** Most requests of one batch, as OpenAI has it. */
const mostRequests = 50_000;
/** Problems told of one file. */
const toldProblems = 100;

export const problemShape = z.object({
  code: z.string(),
  /** From 1; null where the file as a whole is meant. */
  line: z.int().nullable(),
  message: z.string(),
  param: z.string().nullable(),
});
export type Problem = z.infer<typeof problemShape>;

export interface BatchRequest {
  /** Place among the requests, from 0. */
  row: number;
  customId: string;
  body: Record<string, unknown>;
}

/** Requests of a file that was validated, from place `from` on. */
export async function* readRequests(db: Db, fileId: string, from: number): AsyncGenerator<BatchRequest> {
  let row = 0;
  for await (const { text } of readFilledLines(decodeText(readFile(db, fileId)))) {
    if (row >= from) {
      const { custom_id: customId, body } = JSON.parse(text);
      yield { row, customId, body };
    }
    row++;
  }
}

/** Counts the requests of a file and gathers what is wrong, up to a bound, in the order of the lines. Throws `cancelled`. */
export async function validateInput(
  db: Db,
  fileId: string,
  endpoint: string,
  signal: AbortSignal,
): Promise<{ requests: number; problems: Problem[] }> {
  const problems: Problem[] = [];
  const lineOf = new Map<string, number>();
  let requests = 0;
  let line = 0;
  try {
    for await (const { text, line: at } of readFilledLines(decodeText(untilAborted(signal, readFile(db, fileId))))) {
      if (signal.aborted) throw new SteerError('cancelled', 'The batch was stopped while its file was read.');
      line = at;
      if (++requests > mostRequests) {
        problems.push(problem('too_many_requests', line, `expected at most ${mostRequests} requests, found more`));
        break;
      }
      const found = checkLine(text, line, endpoint, lineOf);
      if (found) problems.push(found);
      if (problems.length >= toldProblems) break;
    }
  } catch (error) {
    if (!(error instanceof SteerError) || error.code !== 'invalid_dataset') throw error;
    problems.push(problem('invalid_file', line + 1, error.message));
  }
  if (requests === 0 && problems.length === 0) problems.push(problem('empty_file', null, 'expected at least one request'));
  return { requests, problems };
}

function problem(code: string, line: number | null, message: string, param: string | null = null): Problem {
  return { code, line, message, param };
}

const Line = z.object({
  custom_id: z
    .string()
    .min(1)
    .max(512)
    .regex(/^[^\0\p{Surrogate}]*$/u, 'expected text without U+0000 and half surrogate pairs'),
  method: z.string(),
  url: z.string(),
  body: z.record(z.string(), z.unknown()),
});

function checkLine(text: string, line: number, endpoint: string, lineOf: Map<string, number>): Problem | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return problem('invalid_json_line', line, `not JSON: ${(error as Error).message.slice(0, 120)}`);
  }
  const parsed = Line.safeParse(value);
  if (!parsed.success) {
    const [{ path, words }] = faultsOf(parsed.error);
    const code = words.endsWith('found nothing') ? 'missing_required_parameter' : 'invalid_parameter';
    return problem(code, line, words, path === '' ? null : path);
  }
  const { custom_id: customId, method, url } = parsed.data;
  const first = lineOf.get(customId);
  if (first !== undefined) {
    return problem('duplicate_custom_id', line, `${quoted(customId)} stands on line ${first} already`, 'custom_id');
  }
  lineOf.set(customId, line);
  if (method !== 'POST') return problem('invalid_method', line, `expected POST, found ${quoted(method)}`, 'method');
  if (url !== endpoint) {
    return problem('mismatched_url', line, `expected the batch's endpoint ${endpoint}, found ${quoted(url)}`, 'url');
  }
  return undefined;
}

function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 64));
}
