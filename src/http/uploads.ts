// Large request bodies as streams: a form with one file, or the body itself. Nothing is read before it is asked for.
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Busboy, type BusboyFileStream, type BusboyInstance } from '@fastify/busboy';
import { SteerError } from '../errors.ts';
import type { RequestContext } from './app-context.ts';

/** Whether the body is read as a stream under the limit of files, instead of whole under that of other bodies. */
export function takesUpload({ req }: RequestContext): boolean {
  if (req.method !== 'POST') return false;
  return (
    req.path === '/v1/files' ||
    vectorsPath.test(req.path) ||
    (req.path === '/v1/datasets' && mediaType(req.header('content-type')) !== 'application/json')
  );
}

const vectorsPath = /^\/v1\/models\/[^/]+\/vectors$/;
/** Largest file of steering vectors: some hundred of a model of seven billion parameters. */
export const vectorFileBytes = 2 ** 26;

/** Largest picture of a character card. */
export const pictureBytes = 2 ** 24;

/** Whether the body is a picture, which is read whole under a limit of its own. One of another kind is refused for its kind, not for its size. */
export function takesPicture({ req }: RequestContext): boolean {
  return req.method === 'POST' && req.path === '/v1/npcs/import' && /^image\//.test(mediaType(req.header('content-type')));
}

/**
 * Refuses a body that a Content-Encoding packs: no body is unpacked on its way in, so none can outgrow its limit there. A dataset alone may
 * come as gzip, which its reader tells by itself and bounds. Throws `unsupported_media_type`.
 */
export function refuseEncoded(c: RequestContext): void {
  const encoding = c.req.header('content-encoding')?.trim().toLowerCase() ?? '';
  if (encoding === '' || encoding === 'identity' || !c.req.raw.body) return;
  if (/^(x-)?gzip$/.test(encoding) && c.req.path === '/v1/datasets' && takesUpload(c)) return;
  c.header('Accept-Encoding', 'identity');
  const found = JSON.stringify(encoding.slice(0, 64));
  const message = `Content-Encoding: expected none, found ${found}. Send the body as it is; a dataset may be sent as gzip to POST /v1/datasets.`;
  throw new SteerError('unsupported_media_type', message);
}

/** `type/subtype` of a Content-Type header in lower case; empty without one. */
export function mediaType(header: string | undefined): string {
  return (header ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
}

/** The body in pieces. Throws `body_too_large`, at once or while it is read, and `cancelled` when the caller goes away. */
export function streamBody(c: RequestContext, limit: number): AsyncGenerator<Uint8Array> {
  refuseLarge(statedLength(c), limit);
  return limited(bytesOf(c), limit);
}

export interface UploadForm {
  filename: string;
  /** Content of the file. Reading it throws `body_too_large`, `cancelled`, or `invalid_request` when the form turns out broken. */
  content: AsyncGenerator<Uint8Array>;
  /** The fields before the file; all of them once the content has been read. */
  fields: ReadonlyMap<string, string>;
  /** Lets go of the body, read or not. */
  close(): void;
}

/** Room for the fields and boundaries around a file. */
const formBytes = 2 ** 20;
const mostFields = 16;
const longestField = 1024;
const longestName = 255;

/** A form up to the start of its file. Throws `unsupported_media_type`, `body_too_large`, or `invalid_request` when it holds no file. */
export async function openUploadForm(c: RequestContext, limit: number): Promise<UploadForm> {
  const form = createForm(c.req.header('content-type'));
  refuseLarge(statedLength(c) - formBytes, limit, 'file');
  const fields = gatherFields(form);
  const arrived = new Promise<{ stream: BusboyFileStream; filename: string }>((resolve) => {
    form.on('file', (name, stream, filename) => {
      // The form may break before anyone reads the file; whoever reads it then is told all the same.
      stream.on('error', () => {});
      if (name === 'file') resolve({ stream, filename });
      else form.destroy(badForm(`expected the file in the field "file", found one in ${JSON.stringify(name)}`, 'file'));
    });
  });
  const parsed = pipeline(Readable.from(bytesOf(c), { objectMode: false }), form).catch((error) => {
    throw toFormFailure(error);
  });
  const ended = parsed.then(() => {
    throw badForm('expected a file with its name in the field "file", found none', 'file');
  });
  const { stream, filename } = await Promise.race([arrived, ended]);
  // A form that breaks off inside the file leaves its stream waiting for more.
  parsed.catch((error) => stream.destroy(error));
  const content = limited(readPart(stream, parsed), limit, 'file');
  return { filename: storable(filename), fields, content, close: () => void form.destroy() };
}

function createForm(contentType = ''): BusboyInstance {
  if (mediaType(contentType) !== 'multipart/form-data') {
    throw new SteerError('unsupported_media_type', 'Expected a body with Content-Type multipart/form-data.');
  }
  const limits = {
    files: 1,
    fields: mostFields,
    fieldSize: longestField,
    parts: mostFields + 2,
    headerPairs: 32,
    headerSize: 16_384,
  };
  try {
    return new Busboy({
      headers: { 'content-type': contentType },
      limits,
      isPartAFile: (_name, _type, filename) => filename !== undefined,
    });
  } catch {
    throw badForm('expected a Content-Type with a boundary');
  }
}

function gatherFields(form: BusboyInstance): Map<string, string> {
  const fields = new Map<string, string>();
  form.on('field', (name, value, _nameTruncated, truncated) => {
    if (truncated) form.destroy(badForm(`expected at most ${longestField} bytes in ${JSON.stringify(name)}`, name));
    else fields.set(name, value);
  });
  form.on('filesLimit', () => form.destroy(badForm('expected one file, found several', 'file')));
  for (const event of ['fieldsLimit', 'partsLimit'] as const) {
    form.on(event, () => form.destroy(badForm(`expected at most ${mostFields} fields beside the file`)));
  }
  return fields;
}

/** Ends when the whole form has been read, not just the file. */
async function* readPart(stream: BusboyFileStream, parsed: Promise<void>): AsyncGenerator<Uint8Array> {
  try {
    yield* stream as AsyncIterable<Uint8Array>;
  } catch (error) {
    throw toFormFailure(error);
  }
  await parsed;
}

async function* bytesOf({ req }: RequestContext): AsyncGenerator<Uint8Array> {
  if (!req.raw.body) return;
  try {
    yield* req.raw.body as unknown as AsyncIterable<Uint8Array>;
  } catch (cause) {
    throw new SteerError('cancelled', 'The caller went away before the whole body had come.', { cause });
  }
}

async function* limited(bytes: AsyncIterable<Uint8Array>, limit: number, param?: string): AsyncGenerator<Uint8Array> {
  let length = 0;
  for await (const chunk of bytes) {
    length += chunk.length;
    refuseLarge(length, limit, param);
    yield chunk;
  }
}

function statedLength({ req }: RequestContext): number {
  return Number(req.header('content-length') ?? 0);
}

function refuseLarge(length: number, limit: number, param?: string): void {
  if (length <= limit) return;
  const message = `${param ?? 'Body'}: expected at most ${limit} bytes. Send less, or raise MAX_FILE_BYTES.`;
  throw new SteerError('body_too_large', message, { details: param === undefined ? {} : { param } });
}

/** The name without what a database or a header cannot hold. */
function storable(filename: string): string {
  const name = filename.slice(0, longestName).replaceAll(/[\p{Cc}\p{Surrogate}]/gu, '');
  return name === '' ? 'file' : name;
}

function badForm(reason: string, param?: string): SteerError {
  return new SteerError('invalid_request', `${param ?? 'Body'}: ${reason}.`, { details: param === undefined ? {} : { param } });
}

function toFormFailure(error: unknown): SteerError {
  if (error instanceof SteerError) return error;
  return badForm(`expected a complete multipart form (${(error as Error).message})`);
}
