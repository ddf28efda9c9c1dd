// How much one record may be. A record is read, checked and stored in a few goes during which the process does nothing else, so that what no record
// of people's data comes near is refused, and said which it was.
import { unfit } from './formats/format.ts';
import type { Sample } from './sample.ts';

/** Messages of one record: beyond so many it is a whole corpus in one line. */
export const mostTurns = 10_000;
/** Fields of the record, of a message or of its attributes. */
const mostEntries = 5_000;
/** Fields of all its messages, and attributes of these, together. */
const mostEntriesOfAll = 100_000;
/** Characters of one sample, with what it says beside the conversation: several thick books. */
const mostCharacters = 16 * 2 ** 20;

/** Before a record is read. `fields` are those its format knows. Throws `invalid_dataset` naming the field that holds too much. */
export function checkRecordSize(record: unknown, fields: readonly string[]): void {
  let entries = countEntries('the record', record);
  for (const [name, value] of Object.entries(record ?? {})) {
    if (!fields.includes(name)) continue;
    if (Array.isArray(value) && value.length > mostTurns) {
      throw unfit(
        `${name}: expected at most ${mostTurns} of one record, found ${value.length}. Write each conversation as a record`,
      );
    }
    for (const [at, turn] of Array.isArray(value) ? value.entries() : [[null, value]]) {
      const where = at === null ? name : `${name}.${at}`;
      entries += countEntries(where, turn);
      for (const [field, within] of isMap(turn) ? Object.entries(turn) : []) entries += countEntries(`${where}.${field}`, within);
      if (entries > mostEntriesOfAll) {
        throw unfit(`${name}: expected at most ${mostEntriesOfAll} fields and attributes in all, found more`);
      }
    }
  }
}

function countEntries(where: string, value: unknown): number {
  if (!isMap(value)) return 0;
  const { length } = Object.keys(value);
  if (length > mostEntries) throw unfit(`${where}: expected at most ${mostEntries} fields or attributes, found ${length}`);
  return length;
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Before a sample is stored. Throws `invalid_dataset`. */
export function checkSampleSize({ content, fieldsText = '' }: Sample): void {
  const texts =
    content.kind === 'text'
      ? [content.text]
      : [content.conversation.system, ...content.conversation.turns.map((turn) => turn.content)];
  const characters = [fieldsText, ...texts].reduce((sum, text) => sum + text.length, 0);
  if (characters <= mostCharacters) return;
  throw unfit(
    `expected at most ${mostCharacters} characters of one sample with its other fields, found ${characters}. Cut it into several records`,
  );
}
