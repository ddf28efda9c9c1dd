// What is there already under a name, compared with what is asked for: nothing is fetched twice in silence.
import { basename } from 'node:path';
import { SteerError } from '../errors.ts';
import type { Asked } from './asked.ts';
import { type HubSettings, readRepository } from './hub.ts';
import type { PulledCard } from './pulled.ts';
import { type Asking, Unreachable } from './requests.ts';

const commit = /^[0-9a-f]{40}$/;
const commitLetters = 12;

/** What to say of the model that is there. Throws conflict where it is another one, and what asking the hub throws. */
export async function tellThere(
  name: string,
  known: PulledCard,
  asked: Asked,
  hub: HubSettings,
  asking: Asking,
): Promise<string> {
  const { source, files } = known;
  if (asked.kind === 'path' || asked.kind === 'address') {
    const place = asked.kind === 'path' ? asked.path : asked.url;
    if (source.place === place) return `${name} is there already. --force fetches it anew.`;
    throw another(name, known);
  }
  const { repository, revision, file } = asked.kind === 'hub' ? asked : asked.model;
  const sha256 = asked.kind === 'catalogue' ? asked.model.sha256 : null;
  if (sha256 !== null && files.some((each) => each.sha256 === sha256))
    return `${name} is there already, as the catalogue has it.`;
  if (source.repository !== repository) throw another(name, known);
  if (file !== null && !files.some(({ path }) => path === basename(file))) throw another(name, known);
  const short = source.revision?.slice(0, commitLetters);
  const there = `${name} is there already (${repository} @ ${short})`;
  const now = commit.test(revision) ? revision : await currentOf({ repository, revision }, hub, asking);
  if (now === null) return `${there}. The hub was not asked whether there is a newer one.`;
  if (now === source.revision) return `${there}, and nothing newer.`;
  return `${there}. ${commit.test(revision) ? 'Asked for is' : `${revision} is now at`} ${now.slice(0, commitLetters)}; --force fetches that.`;
}

/** The commit that the revision is now; null where the hub cannot be asked. */
async function currentOf(
  place: { repository: string; revision: string },
  hub: HubSettings,
  asking: Asking,
): Promise<string | null> {
  if (hub.offline) return null;
  try {
    return (await readRepository(hub, place, asking)).sha;
  } catch (error) {
    if (error instanceof Unreachable) return null;
    throw error;
  }
}

function another(name: string, { source, files }: PulledCard): SteerError {
  const from = source.repository ?? source.place;
  const message = `name: ${name} is there already, and another one: ${files[0]!.path} from ${from}. Choose another with --name, or replace it with --force.`;
  return new SteerError('conflict', message, { details: { param: 'name' } });
}
