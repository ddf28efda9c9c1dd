// allOf, and what stands beside $ref: which schemas a value must all meet.
import { unsupported } from './expression.ts';
import { Merge, type Part } from './merge-schemas.ts';
import { list, record, resolve, type Schema, saidBy } from './schema-fields.ts';
import type { Work } from './work.ts';

const deepest = 50;

/** Merges the schemas of one root. The same parts in the same order come to one object, however often and deep they meet. */
export class Merging {
  readonly #root: unknown;
  readonly #work: Work;
  readonly #parts = new Map<Schema, Part>();
  readonly #merged = new Map<string, Schema>();

  constructor(root: unknown, work: Work) {
    this.#root = root;
    this.#work = work;
  }

  /** The schema without its allOf and $ref. Throws invalid_request naming what cannot be merged and where, or where it is too much. */
  of(schema: Schema, where: string): Schema {
    const parts: Part[] = [];
    this.#collect(schema, where, new Map(), parts);
    const name = parts.map(({ id }) => id).join();
    const merged = this.#merged.get(name) ?? new Merge(this.#work, where).of(parts);
    this.#merged.set(name, merged);
    return merged;
  }

  /** The schema and those of its allOf, references followed, each once. `met` tells of each whether all of it is there. */
  #collect(schema: unknown, where: string, met: Map<Schema, boolean>, parts: Part[], depth = 0): void {
    this.#work.spend(1, where);
    if (depth > deepest) throw unsupported(where, `allOf is nested too deep; expected at most ${deepest} levels.`);
    if (schema === true) return;
    const fields = record(schema, where, 'a schema');
    const whole = met.get(fields);
    if (whole === false) throw unsupported(where, 'it refers to itself with no object or array between.');
    if (whole) return;
    met.set(fields, false);
    const { allOf, $ref } = fields;
    const part = this.#partOf(fields, where);
    if (part.said.length > 0) parts.push(part);
    if (typeof $ref === 'string') this.#collect(resolve(this.#root, $ref, `${where}/$ref`), where, met, parts, depth + 1);
    const all = allOf === undefined ? [] : list(allOf, `${where}/allOf`);
    for (const one of all) this.#collect(one, where, met, parts, depth + 1);
    met.set(fields, true);
  }

  #partOf(schema: Schema, where: string): Part {
    const known = this.#parts.get(schema);
    if (known) return known;
    const { allOf: _, $ref: __, ...own } = schema;
    const part = { id: this.#parts.size, own, said: saidBy(own, where) };
    this.#parts.set(schema, part);
    return part;
  }
}
