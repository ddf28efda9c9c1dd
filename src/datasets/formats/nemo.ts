// SteerLM records of NVIDIA NeMo: `conversations` with a label string per reply, `mask` naming the speaker that is not trained.
// On export values become whole levels, as its trainer expects; -100 never appears there, an attribute is said or left out.
import { z } from 'zod';
import { type AttributeSchema, formatLabel, type Label } from '../../steerlm/attributes.ts';
import { conversationOf, conversationSample, type Format, shapeOf, turnOf, unfit } from './format.ts';

const shape = z.object({
  conversations: z.array(z.object({ from: z.string(), value: z.string(), label: z.string().nullish() })).min(1),
  system: z.string().nullish(),
  mask: z.string().nullish(),
  type: z.enum(['VALUE_TO_TEXT', 'TEXT_TO_VALUE']).nullish(),
  conversation_id: z.string().nullish(),
});

const speakers = { user: 'User', assistant: 'Assistant' } as const;

export const nemo: Format = {
  description: 'NeMo SteerLM: {"conversations": [{"from", "value", "label"}], "system", "mask", "type"}',
  matches({ conversations, mask }) {
    const first = Array.isArray(conversations) ? conversations[0] : undefined;
    return typeof mask === 'string' || (typeof first === 'object' && first !== null && 'label' in first);
  },
  parse(record) {
    const { conversations, system, mask, conversation_id } = shapeOf(shape, record);
    const untrained = mask ?? speakers.user;
    checkSpeakers(
      conversations.map(({ from }) => from),
      untrained,
    );
    const turns = conversations.map(({ from, value, label }) =>
      turnOf(from === untrained ? 'user' : 'assistant', value, parseLabel(label ?? '')),
    );
    return [conversationSample(system ?? '', turns, { conversationId: conversation_id })];
  },
  render({ content, conversationId }, schema) {
    const { system, turns } = conversationOf(content);
    const conversations = turns.map((turn) => ({
      from: speakers[turn.role],
      value: turn.content,
      label: spellLabel(schema, turn.label ?? {}),
    }));
    const type = conversations.some(({ label }) => label !== null) ? 'VALUE_TO_TEXT' : null;
    return [{ conversations, system, mask: speakers.user, type, conversation_id: conversationId }];
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

/** `quality:4,humor:0`; empty says nothing. */
function parseLabel(line: string): Label {
  const label: Label = {};
  if (line.trim() === '') return label;
  for (const pair of line.split(',')) {
    const [, name, value] = /^\s*([^:]+?)\s*:\s*(-?\d+(?:\.\d+)?)\s*$/.exec(pair) ?? [];
    if (name === undefined) throw unfit(`expected a label like quality:4,humor:0, got ${JSON.stringify(line.slice(0, 80))}`);
    label[name] = Number(value);
  }
  return label;
}

function spellLabel(schema: AttributeSchema | null, label: Label): string | null {
  const line = schema
    ? formatLabel(schema, label)
    : Object.entries(label)
        .map(([name, value]) => `${name}:${Math.round(value)}`)
        .join(',');
  return line === '' ? null : line;
}
