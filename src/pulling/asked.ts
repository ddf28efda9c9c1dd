// What somebody asks to be pulled: a name of the catalogue, a repository of the hub, an address, or something on this machine.
import { homedir } from 'node:os';
import { basename, resolve } from 'node:path';
import { SteerError } from '../errors.ts';
import { type CataloguedModel, findCatalogued } from './catalogue.ts';

export interface AskedRepository {
  kind: 'hub';
  repository: string;
  /** Branch, tag or commit; the hub's `main` where nobody says. */
  revision: string;
  file: string | null;
}

export type AskedOfHub = { kind: 'catalogue'; model: CataloguedModel } | AskedRepository;
export type Asked = AskedOfHub | { kind: 'path'; path: string } | { kind: 'address'; url: string };

const namePart = '[A-Za-z0-9][A-Za-z0-9._-]{0,95}';
const repositoryForm = new RegExp(`^(${namePart}/${namePart})(?:@([^:\\s]{1,255}))?(?::(\\S{1,512}))?$`);
/** A model's page on the hub, or a file of it. */
const pageForm = new RegExp(`^/(${namePart}/${namePart})(?:/(?:resolve|blob|tree)/([^/]+)(?:/([^?]+))?)?/?$`);
const pathForm = /^(\.{1,2}|~)?[/\\]|^\.{1,2}$|^[A-Za-z]:[/\\]|^[^:@]*\.gguf$/i;

/** Reads it as the command line takes it. Throws invalid_request. */
export function readAsked(text: string, endpoint: string): Asked {
  if (/^https?:/i.test(text)) return readAddress(text, endpoint);
  if (pathForm.test(text)) return { kind: 'path', path: resolve(text.replace(/^~(?=[/\\])/, () => homedir())) };
  return readAskedOfHub(text);
}

/** Reads what a caller over HTTP may name: the catalogue and the hub alone. Throws invalid_request. */
export function readAskedOfHub(text: string): AskedOfHub {
  const [, repository, revision = 'main', file = null] = repositoryForm.exec(text) ?? [];
  if (repository !== undefined && !repository.includes('..')) return { kind: 'hub', repository, revision, file };
  if (!/[/\\:@\s]/.test(text) && text !== '') return { kind: 'catalogue', model: findCatalogued(text) };
  throw new SteerError(
    'invalid_request',
    `model: expected a name of the catalogue or owner/repository[@revision][:file], found ${JSON.stringify(text.slice(0, 128))}.`,
    { details: { param: 'model' } },
  );
}

function readAddress(text: string, endpoint: string): Asked {
  const expected = (what: string) =>
    new SteerError('invalid_request', `model: expected ${what}, found ${JSON.stringify(text.slice(0, 256))}.`, {
      details: { param: 'model' },
    });
  if (!URL.canParse(text)) throw expected('an address such as https://example.com/model.gguf');
  const url = new URL(text);
  if (url.origin === new URL(endpoint).origin) {
    const [, repository, revision = 'main', file] = pageForm.exec(url.pathname) ?? [];
    if (repository !== undefined)
      return { kind: 'hub', repository, revision: decodeURIComponent(revision), file: file ? decodeURIComponent(file) : null };
  }
  const isLocal = /^(localhost|127\.0\.0\.1|\[::1\])$/.test(url.hostname);
  if (url.protocol !== 'https:' && !isLocal) throw expected('an https address, since nothing guards what comes by http');
  if (!/\.gguf$/i.test(url.pathname)) throw expected('the address of a .gguf file, or owner/repository of the hub');
  return { kind: 'address', url: url.href };
}

const nameForm = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

/** The name it is laid down under, which is that of its folder. Throws invalid_request for one that cannot be. */
export function nameFor(asked: Asked, given: string | undefined): string {
  const name = given ?? ownName(asked);
  // The file that chooses the default lies beside the folders.
  if (nameForm.test(name) && name !== 'default') return name;
  throw new SteerError(
    'invalid_request',
    `name: expected letters, digits, dots, dashes and underscores, and not "default", found ${JSON.stringify(name.slice(0, 128))}.`,
    { details: { param: 'name' } },
  );
}

function ownName(asked: Asked): string {
  switch (asked.kind) {
    case 'catalogue':
      return asked.model.name;
    case 'hub':
      return plain(asked.repository);
    case 'path':
      return plain(asked.path);
    case 'address':
      return plain(decodeURIComponent(new URL(asked.url).pathname));
  }
}

/** The last part of a path as models are named here. */
function plain(path: string): string {
  return basename(path)
    .toLowerCase()
    .replace(/[.-]gguf$/, '')
    .replaceAll(/[^a-z0-9._-]+/g, '-');
}
