// Strings of a JSON schema: format, patterns and length, each followed, together where there are several.
import { type Expression, shared } from './expression.ts';
import { formats } from './formats.ts';
import { graphOf, type Language, mostNodes } from './intersection.ts';
import * as json from './json.ts';
import { lengthsOf } from './lengths.ts';
import { isPlain, parseLanguage } from './regex.ts';
import { counts, further, type Schema, string } from './schema-fields.ts';

/** Longer strings are never written, which a larger maxLength allows. */
const longestText = 4_096;
/** The same where a length is counted beside a pattern without an end of its own. */
const longestCounted = 256;

/** Graphs that are kept, since the same schema comes with every request; those used longest ago go first. */
const mostKept = 64;
const kept = new Map<string, Graph>();

type Graph = Extract<Expression, { kind: 'graph' }>;

/** The strings of one schema, which may only come to so much together. */
export class Texts {
  readonly #known = new Map<string, Expression>();
  #nodes = 0;

  /** Strings of the same kind are one rule. Throws invalid_request naming what is not supported and where. */
  of(fields: Schema, where: string): Expression {
    const { pattern, format, minLength, maxLength, [further]: more } = fields;
    const kind = JSON.stringify([pattern, format, minLength, maxLength, more]);
    const text = this.#known.get(kind) ?? shared(textExpression(fields, where, (language) => this.#graph(kind, language, where)));
    this.#known.set(kind, text);
    return text;
  }

  #graph(kind: string, language: Language, where: string): Graph {
    const graph = kept.get(kind) ?? graphOf(language, where, mostNodes - this.#nodes);
    this.#nodes += graph.nodes.length;
    kept.delete(kind);
    kept.set(kind, graph);
    if (kept.size > mostKept) kept.delete(kept.keys().next().value!);
    return graph;
  }
}

function textExpression(fields: Schema, where: string, toGraph: (language: Language) => Graph): Expression {
  const asked = [fields, ...(fields[further] ?? [])].flatMap((own) => contentsOf(own, where));
  const [min, max] = counts(fields, 'minLength', 'maxLength', longestText, where);
  const [first, ...others] = asked;
  if (!first) return min === 0 && max === Number.POSITIVE_INFINITY ? json.anyText : json.textOfLength(min, max);
  const lengths = asked.map(lengthsOf);
  const counted = !lengths.some(([least]) => least >= min) || !lengths.some(([, most]) => most <= max);
  if (!counted && others.length === 0 && isPlain(first)) return json.textOf(first);
  const length = { kind: 'repeat' as const, body: json.anyCharacter, min, max: Math.min(max, Math.max(min, longestCounted)) };
  return json.textOf(toGraph({ kind: 'all', parts: counted ? [...asked, length] : asked }));
}

/** What a format that is not the standard's own means is nobody's business here. */
function contentsOf({ pattern, format }: Schema, where: string): Language[] {
  const found: Language[] = [];
  const named = format === undefined ? '' : string(format, `${where}/format`);
  if (Object.hasOwn(formats, named)) found.push(parseLanguage(formats[named]!, `${where}/format`, false));
  if (pattern !== undefined) {
    found.push(parseLanguage(string(pattern, `${where}/pattern`), `${where}/pattern`, true));
  }
  return found;
}
