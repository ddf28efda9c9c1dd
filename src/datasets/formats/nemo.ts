// SteerLM records of NVIDIA NeMo: `conversations` with a label string per reply, `mask` naming the speaker that is not trained.
// On export the string holds whole levels, as its trainer expects, and what it has no room for stands beside it; -100 never appears there, an
// attribute is said or left out.
import { z } from 'zod';
import { type AttributeSchema, formatLabel, type Label } from '../../steerlm/attributes.ts';
import { type Fields, nameIn, otherFields } from '../record-fields.ts';
import type { LabelReadings } from '../sample.ts';
import {
  conversationOf,
  conversationSample,
  type Format,
  ratingFields,
  ratingsOf,
  readingsOf,
  shapeOf,
  turnFields,
  turnOf,
  unfit,
  untrained,
  weightOf,
} from './format.ts';

const turnShape = z.looseObject({
  from: z.string(),
  value: z.string(),
  label: z.string().nullish(),
  weight: z.union([z.literal(0), z.literal(1)], { error: 'expected 0 or 1' }).nullish(),
  ...ratingFields,
});
const shape = z.object({
  conversations: z.array(turnShape).min(1),
  system: z.string().nullish(),
  mask: z.string().nullish(),
  type: z.enum(['VALUE_TO_TEXT', 'TEXT_TO_VALUE']).nullish(),
  conversation_id: z.unknown().optional(),
});

export const speakers = { user: 'User', assistant: 'Assistant' } as const;

export const nemo: Format = {
  description: 'NeMo SteerLM: {"conversations": [{"from", "value", "label"}], "system", "mask", "type"}',
  matches({ conversations, mask }) {
    const first = Array.isArray(conversations) ? conversations[0] : undefined;
    return typeof mask === 'string' || (typeof first === 'object' && first !== null && 'label' in first);
  },
  parse(record) {
    const { conversations, system, mask, conversation_id } = shapeOf(shape, record);
    const masked = mask ?? speakers.user;
    checkSpeakers(
      conversations.map(({ from }) => from),
      masked,
    );
    const readings: (LabelReadings | undefined)[] = [];
    const fields: Record<string, Fields> = {};
    const turns = conversations.map((turn, i) => {
      const values = { ...parseLabel(turn.label ?? ''), ...turn.attributes };
      const said = turnOf(turn.from === masked ? 'user' : 'assistant', turn.value, values);
      readings[i] = readingsOf(turn);
      const others = otherFields(turn, Object.keys(turnShape.shape));
      if (others) fields[i] = others;
      return turn.weight === 0 ? untrained(said) : said;
    });
    const told = Object.keys(fields).length > 0 ? { fields: { turns: fields } } : {};
    return [conversationSample(system ?? '', turns, { conversationId: nameIn(conversation_id), readings, ...told })];
  },
  fields: ['conversations', 'system', 'mask', 'type', 'conversation_id'],
  render(sample, schema) {
    const { system, turns } = conversationOf(sample.content);
    const conversations = turns.map((turn, i) => ({
      ...turnFields(sample, i),
      from: speakers[turn.role],
      value: turn.content,
      label: spellLabel(schema, turn.label ?? {}),
      ...weightOf(turn),
      ...ratingsOf(sample, i, turn.label),
    }));
    const type = conversations.some(({ label }) => label !== null) ? 'VALUE_TO_TEXT' : null;
    return [{ conversations, system, mask: speakers.user, type, conversation_id: sample.conversationId }];
  },
  schema: null,
  rules: {},
};

/** Whoever is masked is our user, whatever the name; the trained side must be one speaker. */
function checkSpeakers(names: string[], untrained: string): void {
  const trained = new Set(names.filter((name) => name !== untrained));
  if (trained.size > 1)
    throw unfit(`mask ${JSON.stringify(untrained)} leaves several speakers to train: ${[...trained].join(', ')}`);
}

const mostAttributes = 1_000;

/** `quality:4,humor:0`; empty says nothing. */
export function parseLabel(line: string): Label {
  if (line.trim() === '') return {};
  const entries = line.split(',', mostAttributes + 1).map((pair) => {
    const [name = '', value = '', more] = pair.split(':', 3).map((part) => part.trim());
    if (name === '' || more !== undefined || !/^-?\d+(?:\.\d+)?$/.test(value)) {
      throw unfit(`expected a label like quality:4,humor:0, got ${JSON.stringify(line.slice(0, 80))}`);
    }
    return [name, Number(value)] as const;
  });
  if (entries.length > mostAttributes) throw unfit(`expected at most ${mostAttributes} attributes in a label, found more`);
  return Object.fromEntries(entries);
}

function spellLabel(schema: AttributeSchema | null, label: Label): string | null {
  const line = schema
    ? formatLabel(schema, label)
    : Object.entries(label)
        .map(([name, value]) => `${name}:${Math.round(value)}`)
        .join(',');
  return line === '' ? null : line;
}
