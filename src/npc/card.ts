// Character cards V2 and V3 (chara_card_v2, chara_card_v3): what of one makes a character here, and a character written back into its card with every
// other letter of it untouched. creator_notes and tags are for people and never read. What cards have no field for lies in their sanctioned place,
// data.extensions, under a name of our own.
import { isDeepStrictEqual } from 'node:util';
import { SteerError } from '../errors.ts';
import { type Notice, readBook, replaceBook } from './card-book.ts';
import { toEntry } from './card-entry.ts';
import { tellOfCard } from './card-unfollowed.ts';
import type { Example, Fact } from './character.ts';
import { memberText, setMember } from './json-members.ts';

/** Our place among the extensions of a card: attributes, caps, rules and the like, as POST /v1/npcs takes them. */
export const extension = 'steerlm/attributes';

/** What a card says of a character. */
export interface CardCharacter {
  name: string;
  persona: string;
  greeting?: string | undefined;
  examples: Example[];
  facts: Fact[];
  /** Everything else, unchecked. */
  steering: Fields;
}

type Fields = Record<string, unknown>;

/** The character a card describes; `tell` is given what of it is not followed. Throws invalid_json, or invalid_request naming the field. */
export function readCard(text: string, tell: (notice: Notice) => void = () => {}): CardCharacter {
  const { spec, data } = parseObject(text);
  if (spec !== 'chara_card_v2' && spec !== 'chara_card_v3') {
    throw refused(
      'spec',
      `expected "chara_card_v2" or "chara_card_v3", found ${JSON.stringify(spec)?.slice(0, 64) ?? 'nothing'}`,
    );
  }
  if (!isObject(data)) throw refused('data', 'expected an object');
  const said = (field: string) => textOf(data, field).trim();
  if (said('name') === '') throw refused('data.name', 'expected the name of the character');
  const parts = [
    said('system_prompt')
      .replace(/\{\{\s*original\s*\}\}/gi, '')
      .trim(),
    said('description'),
    said('personality') && `Personality: ${said('personality')}`,
    said('scenario') && `Scenario: ${said('scenario')}`,
    said('post_history_instructions')
      .replace(/\{\{\s*original\s*\}\}/gi, '')
      .trim(),
  ];
  const greeting = said('first_mes');
  tellOfCard(data, extension, tell);
  return {
    // What a V3 card wants its character to be called.
    name: said('nickname') || said('name'),
    persona: parts.filter((part) => part !== '').join('\n'),
    ...(greeting === '' ? {} : { greeting }),
    examples: readExamples(said('mes_example')),
    facts: readBook(data.character_book, tell),
    steering: readSteering(data.extensions),
  };
}

/** The card's JSON with what has changed since it was read; nothing else of it moves. Without a card, a new one. */
export function writeCard(card: string | undefined, character: CardCharacter): string {
  if (card === undefined) return JSON.stringify(newCard(character), null, 2);
  const before = readCard(card);
  let text = card;
  const set = (field: string, value: unknown) => {
    text = setMember(text, ['data', field], value);
  };
  if (before.name !== character.name) {
    set('name', character.name);
    if (memberText(text, ['data', 'nickname']) !== undefined) set('nickname', character.name);
  }
  if (before.persona !== character.persona) {
    set('description', character.persona);
    for (const field of ['system_prompt', 'personality', 'scenario', 'post_history_instructions']) {
      if (memberText(text, ['data', field]) !== undefined) set(field, '');
    }
  }
  if (before.greeting !== character.greeting) set('first_mes', character.greeting ?? '');
  if (!same(before.examples, character.examples)) set('mes_example', writeExamples(character.examples));
  if (!same(before.facts, character.facts)) text = replaceBook(text, character.facts);
  if (!same(before.steering, character.steering)) text = setMember(text, ['data', 'extensions', extension], character.steering);
  return text;
}

function newCard({ name, persona, greeting, examples, facts, steering }: CardCharacter): Fields {
  const unsaid = { personality: '', scenario: '', creator_notes: '', system_prompt: '', post_history_instructions: '' };
  return {
    spec: 'chara_card_v2',
    spec_version: '2.0',
    data: {
      ...{ name, description: persona, first_mes: greeting ?? '', mes_example: writeExamples(examples), ...unsaid },
      ...{ alternate_greetings: [], tags: [], creator: '', character_version: '' },
      ...(facts.length === 0 ? {} : { character_book: { extensions: {}, entries: facts.map(toEntry) } }),
      extensions: same(steering, {}) ? {} : { [extension]: steering },
    },
  };
}

/** How a line of an example says who speaks. */
const speaker = /^[ \t]*(?:\{\{[ \t]*|<)(char|bot|user)(?:[ \t]*\}\}|>)[ \t]*:/i;

/** Exchanges of an example text: `<START>` parts them, and each line begins with the macro of who speaks, or goes on with what was said before. */
function readExamples(text: string): Example[] {
  const examples: Example[] = [];
  for (const block of text.split(/<START>/i)) {
    let player: string | undefined;
    for (const { who, said } of saidIn(block)) {
      const line = said.join('\n').trim();
      if (line === '') continue;
      if (who === 'user') player = player === undefined ? line : `${player}\n${line}`;
      else {
        examples.push(player === undefined ? { npc: line } : { player, npc: line });
        player = undefined;
      }
    }
  }
  return examples;
}

function saidIn(block: string): { who: string; said: string[] }[] {
  const turns: { who: string; said: string[] }[] = [];
  for (const line of block.split('\n')) {
    const who = speaker.exec(line);
    if (who) turns.push({ who: who[1]!.toLowerCase(), said: [line.slice(who[0].length)] });
    else turns.at(-1)?.said.push(line);
  }
  return turns;
}

function writeExamples(examples: readonly Example[]): string {
  const lines = examples.map(
    ({ player, npc }) => `<START>\n${player === undefined ? '' : `{{user}}: ${player}\n`}{{char}}: ${npc}`,
  );
  return lines.join('\n');
}

function readSteering(extensions: unknown): Fields {
  const found = isObject(extensions) ? extensions[extension] : undefined;
  if (found === undefined) return {};
  if (isObject(found)) return found;
  throw refused(`data.extensions.${extension}`, 'expected an object');
}

function parseObject(text: string): Fields {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw new SteerError('invalid_json', 'card: expected JSON, found text that does not parse as JSON.', { cause });
  }
  if (isObject(parsed)) return parsed;
  throw refused('card', 'expected a JSON object');
}

function textOf(data: Fields, field: string): string {
  const value = data[field] ?? '';
  if (typeof value === 'string') return value;
  throw refused(`data.${field}`, 'expected text');
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function same(a: unknown, b: unknown): boolean {
  return isDeepStrictEqual(a, b);
}

function refused(param: string, reason: string): SteerError {
  return new SteerError('invalid_request', `${param}: ${reason}.`, { details: { param } });
}
