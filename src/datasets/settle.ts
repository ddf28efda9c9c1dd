// Makes what a format read fit to keep: labels checked against the attribute schema, ids and split filled in, text storable.
import { own } from '../own.ts';
import {
  type Attribute,
  type AttributeSchema,
  findAttribute,
  type Label,
  maxLevel,
  nearestLevel,
} from '../steerlm/attributes.ts';
import { unfit } from './formats/format.ts';
import { writeFields } from './record-fields.ts';
import { type LabelReadings, type ParsedSample, promptKey, type Sample, type SampleContent } from './sample.ts';
import { splitOf } from './split.ts';

/** How NeMo-Aligner writes an attribute nobody rated. */
export const missing = -100;

/** The sample with canonical labels, conversation id and split. Throws `invalid_dataset` with the reason. */
export function settle(parsed: ParsedSample, schema: AttributeSchema | null, validationShare?: number): Sample {
  const content = settleContent(parsed.content, schema);
  const conversationId = parsed.conversationId ?? promptKey(content);
  checkText(conversationId);
  const { readings, ...rest } = parsed;
  const told = settleReadings(readings, content, schema);
  const kept = rest.fields && { fieldsText: rest.fieldsText ?? writeFields(rest.fields) };
  return {
    ...rest,
    ...kept,
    content,
    conversationId,
    split: splitOf(conversationId, validationShare),
    ...(told && { readings: told }),
  };
}

function settleContent(content: SampleContent, schema: AttributeSchema | null): SampleContent {
  if (content.kind === 'text') {
    checkText(content.text);
    return content;
  }
  const { system, turns } = content.conversation;
  if (turns.length === 0) throw unfit('expected at least one turn, found none');
  checkText(system);
  const settled = turns.map(({ label, ...turn }) => {
    checkText(turn.content);
    const kept = settleLabel(label ?? {}, schema);
    return Object.keys(kept).length > 0 ? { ...turn, label: kept } : turn;
  });
  return { kind: 'conversation', conversation: { system, turns: settled } };
}

/** Without a schema a label may name any attribute, on any scale that starts at 0. */
function settleLabel(label: Label, schema: AttributeSchema | null): Label {
  const settled: Label = {};
  for (const [said, value] of Object.entries(label)) {
    if (value === missing) continue;
    const { name, attribute } = named(said, schema);
    const highest = attribute ? maxLevel(attribute) : highestLevel;
    if (!(value >= 0 && value <= highest)) throw unfit(`expected ${name} between 0 and ${highest}, got ${value}`);
    settled[name] = value;
  }
  return settled;
}

const highestLevel = 100;

function named(said: string, schema: AttributeSchema | null): { name: string; attribute: Attribute | null } {
  const attribute = schema ? findAttribute(schema, said) : null;
  const name = attribute?.name ?? said.toLowerCase();
  if (/^[a-z][a-z0-9_-]{0,63}$/.test(name)) return { name, attribute };
  throw unfit(`expected the name of an attribute, got ${JSON.stringify(said.slice(0, 64))}`);
}

/** What is told of settled labels beside their values; undefined where that is nothing. A level that follows from its value says nothing. */
function settleReadings(
  readings: ParsedSample['readings'],
  content: SampleContent,
  schema: AttributeSchema | null,
): ParsedSample['readings'] {
  if (content.kind === 'text' || !readings?.some((turn) => turn)) return undefined;
  const settled = content.conversation.turns.map(({ label }, turn) => {
    const entries = Object.entries(readings[turn] ?? {}).flatMap(([said, reading]) => {
      const { name, attribute } = named(said, schema);
      const value = own(label, name);
      if (value === undefined) return [];
      const { confidence, level } = checkReading(name, reading, attribute);
      const unlike = level === (attribute ? nearestLevel(attribute, value) : Math.round(value)) ? null : level;
      return unlike === null && confidence === null ? [] : [[name, { level: unlike, confidence }] as const];
    });
    return entries.length > 0 ? Object.fromEntries(entries) : undefined;
  });
  return settled.some((turn) => turn) ? settled : undefined;
}

function checkReading(name: string, reading: LabelReadings[string], attribute: Attribute | null): LabelReadings[string] {
  const { level, confidence } = reading;
  const highest = attribute ? maxLevel(attribute) : highestLevel;
  if (level !== null && !(Number.isInteger(level) && level >= 0 && level <= highest)) {
    throw unfit(`attribute_levels.${name}: expected a whole level between 0 and ${highest}, got ${level}`);
  }
  if (confidence !== null && !(confidence >= 0 && confidence <= 1)) {
    throw unfit(`attribute_confidence.${name}: expected a share between 0 and 1, got ${confidence}`);
  }
  return reading;
}

/** Postgres stores neither U+0000 nor half a character, and a tokenizer reads neither. */
function checkText(text: string): void {
  if (text.includes('\0') || !text.isWellFormed()) throw unfit('the text holds U+0000 or half a surrogate pair; remove it');
}
