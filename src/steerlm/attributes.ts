// Attributes as data: scales, labels and what a request leads to. No attribute is named here.

import { SteerError } from '../errors.ts';
import { own } from '../own.ts';

export interface Attribute {
  name: string;
  /** Other spellings callers may use, e.g. humour for humor. */
  aliases: string[];
  description: string;
  /** What each level means, lowest first; the scale runs from 0 to levels.length - 1. */
  levels: string[];
  /** Level applied when the caller says nothing; null leaves the attribute out of the label. */
  default: number | null;
  /** Highest level a caller is given; requests above it are lowered to it. */
  cap: number;
}

/** The attributes a model was trained with, in the order its labels list them. */
export interface AttributeSchema {
  name: string;
  version: number;
  attributes: Attribute[];
}

/** Attribute values by canonical name; an absent attribute is not said. Stored as rated, rounded only in a prompt. */
export type Label = Record<string, number>;

/** Attribute values as a caller asks for them: null means "leave it open", absent means the default. */
export type RequestedAttributes = Record<string, number | null>;

export function maxLevel(attribute: Attribute): number {
  return attribute.levels.length - 1;
}

/** `humor:4,verbosity:1`: levels rounded and clamped, in schema order; empty when the label says nothing the schema knows. */
export function formatLabel(schema: AttributeSchema, label: Label): string {
  return schema.attributes
    .flatMap((attribute) => {
      const value = own(label, attribute.name);
      return value === undefined ? [] : [`${attribute.name}:${nearestLevel(attribute, value)}`];
    })
    .join(',');
}

export function nearestLevel(attribute: Attribute, value: number): number {
  return Math.min(maxLevel(attribute), Math.max(0, Math.round(value)));
}

/** Attribute of that name or alias, any case. Throws unknown_attribute naming the nearest known one. */
export function findAttribute(schema: AttributeSchema, name: string): Attribute {
  // The distance below is quadratic in the length of a name that a caller chose.
  const wanted = name.slice(0, 64).toLowerCase();
  const found = schema.attributes.find((attribute) => attribute.name === wanted || attribute.aliases.includes(wanted));
  if (found) return found;
  const known = schema.attributes.map((attribute) => attribute.name);
  const nearest = known.toSorted((a, b) => editDistance(a, wanted) - editDistance(b, wanted))[0];
  const remedy = nearest ? `Did you mean ${nearest}? Known: ${known.join(', ')}.` : 'This model has no attributes to steer.';
  const shown = name.slice(0, 64);
  throw new SteerError('unknown_attribute', `Unknown attribute ${JSON.stringify(shown)}. ${remedy}`, {
    details: { param: `attributes.${shown}` },
  });
}

/**
 * The label a request leads to: aliases resolved, defaults filled in, caps held. Values between levels stay as they are.
 * Throws unknown_attribute, or attribute_out_of_range with the scale.
 */
export function applyAttributes(schema: AttributeSchema, requested: RequestedAttributes): Label {
  const asked = new Map<string, number | null>();
  for (const [name, value] of Object.entries(requested)) {
    const attribute = findAttribute(schema, name);
    if (value !== null && !(value >= 0 && value <= maxLevel(attribute))) {
      throw new SteerError(
        'attribute_out_of_range',
        `Expected ${attribute.name} between 0 and ${maxLevel(attribute)}, got ${value}. GET /v1/attributes lists the scale.`,
        { details: { param: `attributes.${name}` } },
      );
    }
    asked.set(attribute.name, value);
  }
  const applied: Label = {};
  for (const attribute of schema.attributes) {
    const value = asked.has(attribute.name) ? asked.get(attribute.name) : attribute.default;
    if (value !== null && value !== undefined) applied[attribute.name] = Math.min(attribute.cap, value);
  }
  return applied;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min((row[j] as number) + 1, (next[j - 1] as number) + 1, substitution));
    }
    row = next;
  }
  return row[b.length] as number;
}
