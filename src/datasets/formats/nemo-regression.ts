// What NeMo's predictor of attributes is trained on: `text`, a conversation with its turn tokens spelled out and a bare label token at its end, and
// `label`, one number per attribute of its last reply, where -100 says nothing. On export each rated reply becomes a row.

import { z } from 'zod';
import { counted } from '../../number-text.ts';
import { own } from '../../own.ts';
import type { AttributeSchema } from '../../steerlm/attributes.ts';
import type { Turn } from '../../steerlm/conversation.ts';
import { isTarget } from '../../steerlm/prompt-layout.ts';
import { steerLM } from '../../steerlm/schemas.ts';
import { mostTurns } from '../record-size.ts';
import { missing } from '../settle.ts';
import {
  conversationOf,
  conversationSample,
  type Format,
  ratingFields,
  ratingsOf,
  readingsOf,
  shapeOf,
  turnOf,
  unfit,
  untrained,
} from './format.ts';
import { parseLabel, speakers } from './nemo.ts';

const shape = z.object({ text: z.string(), label: z.array(z.number()).min(1), ...ratingFields });

const tokens = { system: '<extra_id_0>System\n', turn: '\n<extra_id_1>', label: '<extra_id_2>' } as const;

export const nemoRegression: Format = {
  description: `NeMo regression: {"text": "${tokens.system.trim()} …", "label": [${steerLM.attributes.length} numbers]}`,
  matches: ({ text, label }) => typeof text === 'string' && Array.isArray(label) && text.startsWith(tokens.system),
  parse(record, _key, schema) {
    const { text, label, attributes, ...readings } = shapeOf(shape, record);
    const { attributes: names } = label.length === steerLM.attributes.length ? steerLM : (schema ?? steerLM);
    if (label.length !== names.length) throw wrongLength(names, label.length);
    const { system, turns } = readText(text);
    const last = turns.length - 1;
    const values = Object.fromEntries(names.map(({ name }, i) => [name, label[i]!]));
    const rated = turnOf('assistant', turns[last]!.content, { ...values, ...attributes });
    const told = readingsOf(readings);
    return [
      conversationSample(
        system,
        [...turns.slice(0, last), rated],
        told ? { readings: turns.map((_, i) => (i === last ? told : undefined)) } : {},
      ),
    ];
  },
  fields: Object.keys(shape.shape),
  render(sample) {
    const { system, turns } = conversationOf(sample.content);
    return turns.flatMap((turn, i) => {
      if (turn.role !== 'assistant' || !turn.label) return [];
      const label = steerLM.attributes.map(({ name }) => own(turn.label, name) ?? missing);
      if (label.every((value) => value === missing)) return [];
      if (turns.some(({ content }) => content.includes(tokens.turn)))
        throw unfit('the text holds a turn token on a line of its own');
      const weight = isTarget(turn) ? {} : { weight: 0 };
      return [{ text: spell(system, turns.slice(0, i + 1)), label, ...weight, ...ratingsOf(sample, i, turn.label) }];
    });
  },
  // Others come along where a reply is rated for one of these; without one there is no row.
  holds: steerLM,
  schema: null,
  rules: {},
};

function wrongLength(names: AttributeSchema['attributes'], found: number): Error {
  const order = names.map(({ name }) => name).join(', ');
  return unfit(
    `label: expected ${counted(names.length, 'number')}, of ${order}; found ${found}. Name the schema whose attributes they are, in their order`,
  );
}

/** The conversation a text spells. Earlier replies may carry labels of their own; they are context. */
function readText(text: string): { system: string; turns: Turn[] } {
  const [head = '', ...rest] = text
    .slice(tokens.system.length)
    .replace(/\n?<extra_id_2>\s*$/, '')
    .split(tokens.turn);
  if (rest.length > mostTurns) throw unfit(`text: expected at most ${mostTurns} turns, found ${rest.length}`);
  const turns = rest.map((said) => {
    const end = said.indexOf('\n');
    const name = end === -1 ? said : said.slice(0, end);
    if (name !== speakers.user && name !== speakers.assistant) {
      throw unfit(
        `text: expected turns of ${Object.values(speakers).join(' and ')}, found one of ${JSON.stringify(name.slice(0, 40))}`,
      );
    }
    return readTurn(name, end === -1 ? '' : said.slice(end + 1));
  });
  if (turns.at(-1)?.role !== 'assistant') throw unfit('text: expected a reply of the assistant at its end');
  return { system: head, turns };
}

function readTurn(name: string, content: string): Turn {
  if (name === speakers.user) return turnOf('user', content);
  const [, line = '', said = content] = /^<extra_id_2>([^\n]*)\n([\s\S]*)$/.exec(content) ?? [];
  return untrained(turnOf('assistant', said, parseLabel(line)));
}

function spell(system: string, turns: readonly Turn[]): string {
  const said = turns.map(({ role, content }) => `<extra_id_1>${speakers[role]}\n${content}\n`).join('');
  return `${tokens.system}${system}\n${said}${tokens.label}`;
}
