// Strings of a JSON schema: format, patterns and length, each followed, together where there are several.
import type { Expression } from './expression.ts';
import { formats } from './formats.ts';
import { graphOf, type Language } from './intersection.ts';
import * as json from './json.ts';
import { lengthsOf } from './lengths.ts';
import { isPlain, parseLanguage } from './regex.ts';
import { counts, further, type Schema, string } from './schema-fields.ts';

/** Longer strings are never written, which a larger maxLength allows. */
const longestText = 4_096;
/** The same where a length is counted beside a pattern without an end of its own. */
const longestCounted = 256;

/** Throws invalid_request naming what is not supported and where. */
export function textExpression(fields: Schema, where: string): Expression {
  const asked = [fields, ...(fields[further] ?? [])].flatMap((own) => contentsOf(own, where));
  const [min, max] = counts(fields, 'minLength', 'maxLength', longestText, where);
  const [first, ...others] = asked;
  if (!first) return min === 0 && max === Number.POSITIVE_INFINITY ? json.anyText : json.textOfLength(min, max);
  const lengths = asked.map(lengthsOf);
  const counted = !lengths.some(([least]) => least >= min) || !lengths.some(([, most]) => most <= max);
  if (!counted && others.length === 0 && isPlain(first)) return json.textOf(first);
  const length = { kind: 'repeat' as const, body: json.anyCharacter, min, max: Math.min(max, Math.max(min, longestCounted)) };
  return json.textOf(graphOf({ kind: 'all', parts: counted ? [...asked, length] : asked }, where));
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
