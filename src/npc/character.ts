// Who a character is: what its author writes down once, and what of it can be wrong.
import { SteerError } from '../errors.ts';
import type { VectorWeights } from '../generation/vector-weights.ts';
import {
  type AttributeSchema,
  applyAttributes,
  findAttribute,
  type Label,
  maxLevel,
  type RequestedAttributes,
  restingLevel,
} from '../steerlm/attributes.ts';

/** An exchange from elsewhere that shows how the character speaks. */
export interface Example {
  /** What it answers; absent where it speaks unasked. */
  player?: string | undefined;
  npc: string;
}

export interface Fact {
  content: string;
  /** Said to the model only when a recent line holds one of these; none means always. */
  keys: string[];
  /** And one of these, where there are any. */
  also?: string[] | undefined;
  /** What of `also` has to stand there instead: all of them, not all of them, or none. */
  alsoLogic?: 'all' | 'not_all' | 'not_any' | undefined;
  /** Keys written `/pattern/flags` are regular expressions. */
  useRegex?: boolean | undefined;
  /** Whether keys that are plain text mind upper and lower case. */
  caseSensitive?: boolean | undefined;
  /** Whether they have to stand there as whole words. */
  wholeWords?: boolean | undefined;
}

/** What a game event does to the character. */
export interface Rule {
  event: string;
  /** Levels added to attributes, by canonical name. */
  changes: Label;
  /** Seconds after which half of a change is left; absent means it stays for the session. */
  halfLifeS?: number | undefined;
  /** Changes of a higher priority are added after those of lower ones were held within the scale, so they have the last word. */
  priority: number;
  /** Levels that all changes of this rule together may come to, either way, however often the event happens. */
  clamp?: number | undefined;
  /** Added to the relationship, which runs from -1 to 1. */
  relationship: number;
  /** What the character remembers of it. */
  note?: string | undefined;
}

export interface Action {
  name: string;
  /** When the character would do it. */
  when?: string | undefined;
}

export interface Character {
  name: string;
  persona: string;
  /** Said by the character when a session begins. */
  greeting?: string | undefined;
  examples: Example[];
  facts: Fact[];
  /** Levels when nothing has happened, by canonical name; null leaves an attribute open, absent means the model's default. */
  attributes: RequestedAttributes;
  /** Weights of steering vectors that every line is written under, unless the line says otherwise. */
  vectors?: VectorWeights | undefined;
  /** Highest levels the character ever shows; below those of the schema. */
  caps: Label;
  rules: Rule[];
  /** Levels added at a relationship of 1 and taken off at -1. */
  relationship: Label;
  actions: Action[];
  /** One of these is said where a line does not come in time. */
  fallback: string[];
  /** Most tokens of a line. */
  lineTokens: number;
  /** Tokens that what was said before may take of a prompt; absent means what the context leaves. */
  memoryTokens?: number | undefined;
  /** Id or alias; absent means the default model. */
  model?: string | undefined;
}

/**
 * The character with every attribute under its canonical name. Throws unknown_attribute, attribute_out_of_range or invalid_request naming the field:
 * a baseline or cap off the scale, a rule that changes what the model does not have or what the baseline leaves open.
 */
export function checkCharacter(character: Character, schema: AttributeSchema): Character {
  const attributes = inField('attributes', () => {
    applyAttributes(schema, character.attributes);
    return canonical(schema, character.attributes);
  });
  const caps = inField('caps', () => canonical(schema, character.caps));
  for (const [name, cap] of Object.entries(caps)) {
    const most = maxLevel(findAttribute(schema, name));
    if (!(cap >= 0 && cap <= most)) throw outOfScale(`caps.${name}`, cap, `between 0 and ${most}`);
  }
  const checked = { ...character, attributes, caps };
  const relationship = checkChanges(checked, schema, 'relationship', character.relationship);
  const rules = character.rules.map((rule, i) => {
    return { ...rule, changes: checkChanges(checked, schema, `rules.${i}.changes`, rule.changes) };
  });
  return { ...checked, relationship, rules };
}

/** The changes by canonical name. Throws as `checkCharacter` does, naming `field`. */
export function checkChanges(
  { attributes }: Pick<Character, 'attributes'>,
  schema: AttributeSchema,
  field: string,
  changes: Label,
): Label {
  const named = inField(field, () => canonical(schema, changes));
  for (const [name, change] of Object.entries(named)) {
    const most = maxLevel(findAttribute(schema, name));
    if (!(Math.abs(change) <= most)) throw outOfScale(`${field}.${name}`, change, `between -${most} and ${most}`);
    const baseline = Object.hasOwn(attributes, name) ? attributes[name] : restingLevel(findAttribute(schema, name));
    if (baseline !== null) continue;
    throw new SteerError(
      'invalid_request',
      `${field}.${name}: ${name} is left open, so there is no level to change. Give attributes.${name} a level.`,
      { details: { param: `${field}.${name}` } },
    );
  }
  return named;
}

function canonical<Value>(schema: AttributeSchema, values: Record<string, Value>): Record<string, Value> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [findAttribute(schema, name).name, value]));
}

function outOfScale(param: string, found: number, expected: string): SteerError {
  const message = `${param}: expected a level ${expected}, found ${found}. GET /v1/attributes lists the scale.`;
  return new SteerError('attribute_out_of_range', message, { details: { param } });
}

/** Runs `read`; a refusal of an attribute names the field it stands in. */
function inField<T>(field: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    const param = error instanceof SteerError ? error.details.param : undefined;
    if (!(error instanceof SteerError) || param === undefined) throw error;
    const place = param.replace(/^attributes/, field);
    throw new SteerError(error.code, `${place}: ${error.message}`, { cause: error, details: { param: place } });
  }
}
