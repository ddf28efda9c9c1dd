// Files as OpenAI's protocol has them, with the hash of their content beside.
import { z } from '@hono/zod-openapi';
import { SteerError } from '../../errors.ts';
import type { StoredFile } from '../../files/files.ts';
import { pageFields, pageOf } from './pages.ts';

const purposes = ['batch', 'batch_output', 'fine-tune', 'fine-tune-results', 'user_data', 'evals'] as const;

const Purpose = z.enum(purposes);

export const FileObject = z
  .object({
    id: z.string(),
    object: z.literal('file'),
    bytes: z.int(),
    created_at: z.int().openapi({ description: 'Unix seconds' }),
    filename: z.string(),
    purpose: z.string().openapi({ description: `One of ${purposes.join(', ')}` }),
    status: z.literal('processed'),
    sha256: z.string().openapi({ description: 'Hash of the content, hex' }),
  })
  .openapi('File');

export const FileList = pageOf(FileObject).openapi('FileList');

export const FileQuery = z.object({
  ...pageFields,
  purpose: Purpose.optional(),
  order: z.enum(['asc', 'desc']).default('desc').openapi({ description: 'By age; `desc` is newest first' }),
});

export const DeletedFile = z
  .object({ id: z.string(), object: z.literal('file'), deleted: z.literal(true) })
  .openapi('DeletedFile');

/** The form an upload is, told in JSON Schema alone: a body with a schema of Zod's would be read into memory to be checked. */
export const uploadForm = {
  type: 'object' as const,
  required: ['purpose', 'file'],
  properties: {
    purpose: { type: 'string' as const, enum: [...purposes] },
    file: { type: 'string' as const, format: 'binary', description: 'With its name; the fields may stand in any order' },
  },
};

/** The purpose a form tells. Throws `invalid_request`, also for fields that ask for what is not supported. */
export function purposeOf(fields: ReadonlyMap<string, string>): string {
  const unsupported = [...fields.keys()].find((name) => name.startsWith('expires_after'));
  if (unsupported) throw refusal('expires_after', 'this server does not support it; leave it out');
  const purpose = fields.get('purpose');
  if (Purpose.safeParse(purpose).success) return purpose as string;
  const found = purpose === undefined ? 'nothing' : JSON.stringify(purpose.slice(0, 64));
  throw refusal('purpose', `expected one of ${purposes.join(', ')}, found ${found}`);
}

/** The file in OpenAI's shape. */
export function toFileObject({ id, bytes, createdAt, filename, purpose, hash }: StoredFile): z.infer<typeof FileObject> {
  const created_at = Math.floor(createdAt.getTime() / 1000);
  return { id, object: 'file', bytes, created_at, filename, purpose, status: 'processed', sha256: hash };
}

/** Content-Disposition that saves a download under the file's name, whatever characters that has. */
export function attachment(filename: string): string {
  const plain = filename.replaceAll(/[^\w.() -]/g, '_');
  const encoded = encodeURIComponent(filename).replaceAll(/['()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
  return `attachment; filename="${plain}"; filename*=UTF-8''${encoded}`;
}

function refusal(param: string, reason: string): SteerError {
  return new SteerError('invalid_request', `${param}: ${reason}.`, { details: { param } });
}
