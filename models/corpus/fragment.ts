// What the hand-written material looks like: fragments, player intents and archetypes, and how the notation becomes lists.
// Notation: one string per pool, fragments parted by `|`; {slots} are filled when a reply is composed; `#kind` before a line
// and before the answers to it says that they belong together.
import { countWords } from './measure.ts';

export interface Fragment {
  text: string;
  words: number;
  /** It tells a fact of the persona, so the system turn must state it. */
  needsPersona: boolean;
  needsTopic: boolean;
  /** Which kind of line of its intent it answers; absent means those without a kind. */
  about: string | undefined;
}

/** A line of a player, slots open. */
export interface Line {
  text: string;
  /** Kind within the intent, for answers that fit only some of its lines. */
  about: string | undefined;
}

export type Pool = readonly Fragment[];

/** Parts an intent provides; `refuse` to `answer` are its cores at helpfulness 0 to 3, `step` makes an answer a 4. */
const intentParts = ['refuse', 'deflect', 'half', 'answer', 'step', 'talk', 'more', 'quip', 'joke', 'tint', 'image'] as const;
const archetypeParts = ['life', 'quip', 'joke', 'tint', 'image', 'opening', 'close'] as const;
type IntentPart = (typeof intentParts)[number];
type ArchetypePart = (typeof archetypeParts)[number];

type Setting = 'game' | 'everyday';

interface IntentHead {
  name: string;
  /** Noun phrase, singular, for general remarks about it; empty for pure courtesies. */
  topic: string;
  /** Where it is asked; absent means in both. */
  setting?: Setting;
  /** Intents it refers back to; absent means it can open a conversation. */
  after?: readonly string[];
  /** With `after`: the line referred to may lie further back than the last one. */
  looksFarBack?: boolean;
  /** A full answer to it is a joke, so it cannot be without humor. */
  tellsJokes?: boolean;
  /** It asks for facts the system turn must state: those of every persona, or the secret as well. */
  needs?: 'persona' | 'secret';
}

export interface Intent extends IntentHead {
  lines: readonly Line[];
  parts: Record<IntentPart, Pool>;
}

interface ArchetypeHead {
  name: string;
  setting: Setting;
}

export interface Archetype extends ArchetypeHead {
  trades: readonly string[];
  places: readonly string[];
  wares: readonly string[];
  tasks: readonly string[];
  /** Told to the character in the second person: "you water the ale". */
  secrets: readonly string[];
  rumours: readonly string[];
  parts: Record<ArchetypePart, Pool>;
}

type IntentSource = IntentHead & { lines: string } & Partial<Record<IntentPart, string>>;
type ArchetypeSource = ArchetypeHead &
  Record<'trades' | 'places' | 'wares' | 'tasks' | 'secrets' | 'rumours', string> &
  Record<ArchetypePart, string>;

/** Slots whose values only a system turn with a persona states. */
export const personaSlots = /\{(?:name|town|place|trade|a_trade|mood|reason|secret)\}/;

/** Entries of one pool in the notation above. */
export function split(source: string): string[] {
  return source
    .split('|')
    .map((entry) => entry.replace(/\s+/g, ' ').trim())
    .filter((entry) => entry !== '');
}

/** Fragments of one pool, with their words counted; a slot counts as two. */
export function pool(source: string): Pool {
  return split(source)
    .map(readLine)
    .map(({ text, about }) => ({
      text,
      about,
      words: countWords(text.replace(/\{\w+\}/g, 'two words')),
      needsPersona: personaSlots.test(text),
      needsTopic: text.includes('{topic}'),
    }));
}

function readLine(entry: string): Line {
  const kind = /^#(\w+) /.exec(entry);
  return kind ? { text: entry.slice(kind[0].length), about: kind[1] } : { text: entry, about: undefined };
}

export function intent(source: IntentSource): Intent {
  const parts = Object.fromEntries(intentParts.map((part) => [part, pool(source[part] ?? '')])) as Record<IntentPart, Pool>;
  return { ...source, lines: split(source.lines).map(readLine), parts };
}

export function archetype(source: ArchetypeSource): Archetype {
  const { name, setting } = source;
  const parts = Object.fromEntries(archetypeParts.map((part) => [part, pool(source[part])])) as Record<ArchetypePart, Pool>;
  const list = (key: 'trades' | 'places' | 'wares' | 'tasks' | 'secrets' | 'rumours') => split(source[key]);
  return {
    name,
    setting,
    trades: list('trades'),
    places: list('places'),
    wares: list('wares'),
    tasks: list('tasks'),
    secrets: list('secrets'),
    rumours: list('rumours'),
    parts,
  };
}
