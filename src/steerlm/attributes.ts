// Attributes as data: scales, labels and what a request leads to. No attribute is named here.

import { SteerError } from '../errors.ts';
import { nearestName } from '../nearest-name.ts';
import { own } from '../own.ts';

export interface Attribute {
  name: string;
  /** Other spellings callers may use, e.g. humour for humor. */
  aliases: string[];
  description: string;
  /** What each level means, lowest first; the scale runs from 0 to levels.length - 1. */
  levels: string[];
  /** What is said to a model that was not trained on the levels, one text for each; '' says nothing. Absent: the level's own text. */
  instructions?: string[] | undefined;
  /** Level applied when the caller says nothing; null leaves the attribute out of the label. */
  default: number | null;
  /** Where the default is null: the level of a reply that nothing is asked of, from which what happens to a character changes it. */
  resting?: number | undefined;
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

/** Level that changes begin at; null where there is none. */
export function restingLevel({ default: unsaid, resting }: Attribute): number | null {
  return unsaid ?? resting ?? null;
}

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

/** Attribute of that name or alias, any case. Throws unknown_attribute with the one that may have been meant, and those there are. */
export function findAttribute(schema: AttributeSchema, name: string): Attribute {
  const shown = name.slice(0, 64);
  const wanted = shown.toLowerCase();
  const found = ofName(schema, wanted);
  if (found) return found;
  const { attributes } = schema;
  const near = nearestName(
    wanted,
    attributes.flatMap((each) => [each.name, ...each.aliases]),
  );
  const known = attributes.map((each) => each.name).join(', ');
  const meant = near === undefined ? '' : `Did you mean ${ofName(schema, near)!.name}? `;
  const remedy = attributes.length > 0 ? `${meant}Known: ${known}.` : 'This model has no attributes to steer.';
  throw new SteerError('unknown_attribute', `Unknown attribute ${JSON.stringify(shown)}. ${remedy}`, {
    details: { param: `attributes.${shown}` },
  });
}

function ofName({ attributes }: AttributeSchema, name: string): Attribute | undefined {
  return attributes.find((attribute) => attribute.name === name || attribute.aliases.includes(name));
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
