// Strings of a JSON schema: format, patterns and length, each followed, together where there are several.
import { type Expression, shared } from './expression.ts';
import { formats } from './formats.ts';
import { graphOf, type Language, mostNodes } from './intersection.ts';
import * as json from './json.ts';
import { lengthsOf } from './lengths.ts';
import { isPlain, parseLanguage } from './regex.ts';
import { counts, further, type Schema, string } from './schema-fields.ts';
import type { Work } from './work.ts';

/** Longer strings are never written, which a larger maxLength allows. */
const longestText = 4_096;
/** The same where a length is counted beside a pattern without an end of its own. */
const longestCounted = 256;

/** Graphs that are kept, since the same schema comes with every request; those used longest ago go first. */
const mostKept = 64;
const kept = new Map<string, { graph: Graph; took: number }>();

type Graph = Extract<Expression, { kind: 'graph' }>;

/** So many characters of patterns that were seen before are compared in one step of work. */
const comparedCharacters = 32;

/** The strings of one schema, which may only come to so much together. */
export class Texts {
  readonly #work: Work;
  readonly #known = new Map<string, Expression>();
  #nodes = 0;

  constructor(work: Work) {
    this.#work = work;
  }

  /** Strings of the same kind are one rule. Throws invalid_request naming what is not supported and where. */
  of(fields: Schema, where: string): Expression {
    const { pattern, format, minLength, maxLength, [further]: more } = fields;
    const kind = JSON.stringify([pattern, format, minLength, maxLength, more]);
    this.#work.spend(Math.ceil(kind.length / comparedCharacters), where);
    const text = this.#known.get(kind) ?? shared(this.#read(kind, fields, where));
    this.#known.set(kind, text);
    return text;
  }

  #read(kind: string, fields: Schema, where: string): Expression {
    const asked = [fields, ...(fields[further] ?? [])].flatMap((own) => this.#contentsOf(own, where));
    const [min, max] = counts(fields, 'minLength', 'maxLength', longestText, where);
    const [first, ...others] = asked;
    if (!first) return min === 0 && max === Number.POSITIVE_INFINITY ? json.anyText : json.textOfLength(min, max);
    const lengths = asked.map(lengthsOf);
    const counted = !lengths.some(([least]) => least >= min) || !lengths.some(([, most]) => most <= max);
    if (!counted && others.length === 0 && isPlain(first)) return json.textOf(first);
    const length = { kind: 'repeat' as const, body: json.anyCharacter, min, max: Math.min(max, Math.max(min, longestCounted)) };
    return json.textOf(this.#graph(kind, { kind: 'all', parts: counted ? [...asked, length] : asked }, where));
  }

  /** What a format that is not the standard's own means is nobody's business here. */
  #contentsOf({ pattern, format }: Schema, where: string): Language[] {
    const found: Language[] = [];
    const read = (source: string, at: string, anywhere: boolean) => found.push(parseLanguage(source, at, anywhere, this.#work));
    const named = format === undefined ? '' : string(format, `${where}/format`);
    if (Object.hasOwn(formats, named)) read(formats[named]!, `${where}/format`, false);
    if (pattern !== undefined) read(string(pattern, `${where}/pattern`), `${where}/pattern`, true);
    return found;
  }

  #graph(kind: string, language: Language, where: string): Graph {
    let found = kept.get(kind);
    // One that is kept counts as much as when it was made: what a schema may ask for must not hang on what others asked for.
    if (found && found.graph.nodes.length <= mostNodes - this.#nodes) this.#work.spend(found.took, where);
    else {
      const before = this.#work.done;
      found = { graph: graphOf(language, where, this.#work, mostNodes - this.#nodes), took: this.#work.done - before };
    }
    this.#nodes += found.graph.nodes.length;
    kept.delete(kind);
    kept.set(kind, found);
    if (kept.size > mostKept) kept.delete(kept.keys().next().value!);
    return found.graph;
  }
}
