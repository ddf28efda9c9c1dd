// Characters as a game's author sends and sees them.
import { z } from '@hono/zod-openapi';
import { type CardCharacter, readCard } from '../../npc/card.ts';
import type { Notice } from '../../npc/card-book.ts';
import type { Character } from '../../npc/character.ts';
import type { Npc } from '../../npc/character-rows.ts';
import type { CharacterTokens } from '../../npc/fit.ts';
import { recordOf } from '../../record-of.ts';
import { toInvalidRequest } from '../problem.ts';
import { RequestedAttributes } from './messages.ts';
import { pageOf } from './pages.ts';
import { ModelName } from './sampling.ts';
import { VectorWeights } from './steering.ts';

export const EventType = z
  .string()
  .regex(/^[\w.:-]{1,128}$/, 'expected 1 to 128 letters, digits or . _ : -')
  .openapi({ example: 'player.insulted' });
export const Changes = recordOf(z.string().max(64), z.number()).openapi({
  description: 'Levels added, by attribute name or alias',
  example: { humor: -1 },
});
export const Seconds = z.number().gt(0).max(1e9);
export const Priority = z.int().min(-100).max(100);
export const Note = z.string().min(1).max(500);

const reserved = ['import'];
const lineUnlessSaid = 96;
export const playerNameUnlessSaid = 'Player';

export const NpcId = z
  .string()
  .regex(/^[A-Za-z0-9][\w-]{0,63}$/, 'expected 1 to 64 letters, digits, _ or -, beginning with a letter or digit')
  .refine((id) => !reserved.includes(id), 'is the name of a route; choose another id');

const Rule = z
  .strictObject({
    event: EventType,
    changes: Changes.default({}),
    half_life_s: Seconds.optional().openapi({ description: 'Half of the change is left after that; absent means it stays' }),
    priority: Priority.default(0).openapi({
      description: 'Changes of a higher priority are added after those of lower ones were held within the scale',
    }),
    clamp: z.number().gt(0).optional().openapi({
      description: 'Levels that all changes of this event together may come to, either way',
    }),
    relationship: z
      .number()
      .min(-2)
      .max(2)
      .default(0)
      .openapi({ description: 'Added to the relationship, which runs from -1 to 1' }),
    note: Note.optional().openapi({
      description:
        'What the character remembers of it. `{{user}}` and `{{char}}` are names, `{{key}}` is what the event says of it',
    }),
  })
  .openapi('NpcRule');

const Action = z
  .union(
    [z.string().min(1).max(64), z.strictObject({ name: z.string().min(1).max(64), when: z.string().min(1).max(200).optional() })],
    { error: 'expected a name or {"name": …, "when": …}' },
  )
  .transform((action) => (typeof action === 'string' ? { name: action } : action));

const Words = z.array(z.string().min(1).max(256)).max(64);

const Fact = z
  .union(
    [
      z.string().min(1).max(4000),
      z.strictObject({
        content: z.string().min(1).max(4000),
        keys: Words.default([]),
        also: Words.optional(),
        also_logic: z.enum(['any', 'all', 'not_all', 'not_any']).optional().openapi({
          description: 'How many of `also` have to stand there: any of them unless said, all, not all, or none',
        }),
        use_regex: z.boolean().optional().openapi({ description: 'Keys written `/pattern/flags` are regular expressions' }),
        case_sensitive: z.boolean().optional().openapi({ description: 'Other keys mind upper and lower case' }),
        whole_words: z.boolean().optional().openapi({ description: 'Other keys have to stand there as whole words' }),
      }),
    ],
    { error: 'expected text or {"content": …, "keys": […]}' },
  )
  .transform((fact) => (typeof fact === 'string' ? { content: fact, keys: [] } : fact));

const Fallback = z
  .union([z.string().min(1).max(500), z.array(z.string().min(1).max(500)).max(32)], {
    error: 'expected a line or a list of lines',
  })
  .transform((lines) => (typeof lines === 'string' ? [lines] : lines));

/** What a card can say as well. */
const spoken = {
  name: z.string().trim().min(1).max(128),
  persona: z.string().min(1).max(32_000).openapi({
    description:
      'Who the character is, in the second person: `You are Marta, an innkeeper …`. `{{char}}` and `{{user}}` are names',
  }),
  greeting: z.string().min(1).max(4000).optional().openapi({ description: 'What it says when a session begins' }),
  examples: z
    .array(z.strictObject({ player: z.string().max(2000).optional(), npc: z.string().min(1).max(2000) }))
    .max(64)
    .default([])
    .openapi({ description: 'Exchanges that show how it speaks' }),
  facts: z.array(Fact).max(512).default([]).openapi({
    description:
      'What it knows. A fact with `keys` is only told to the model when a recent line holds one of them, and one of `also` where there are any',
  }),
};

/** What a card keeps among its extensions. */
const steered = {
  attributes: RequestedAttributes.default({}).openapi({ description: 'The level of each attribute when nothing has happened' }),
  vectors: VectorWeights.default({}).openapi({
    description: 'Weights of steering vectors that every line is written under; a line may say otherwise',
  }),
  caps: recordOf(z.string().max(64), z.number()).default({}).openapi({ description: 'Highest level the character ever shows' }),
  rules: z.array(Rule).max(512).default([]),
  relationship: Changes.default({}).openapi({
    description: 'Levels added at a relationship of 1 and taken off at -1',
    example: { helpfulness: 1 },
  }),
  actions: z.array(Action).max(64).default([]).openapi({ description: 'What it may do with a line: names, or names with when' }),
  fallback: Fallback.default([]).openapi({
    description: 'Said where a line does not come in time; without any such a line is empty',
  }),
  line_tokens: z.int().min(1).max(4096).default(lineUnlessSaid),
  memory_tokens: z.int().min(1).optional().openapi({
    description: 'Tokens that what was said before may take; absent means what the context of the model leaves',
  }),
  model: ModelName,
};

/** What GET tells beside the character may come back with it. */
const told = z.unknown().optional().openapi({ description: 'As GET tells it; ignored' });
const ownFields = z.strictObject({ ...spoken, ...steered });
const Fields = ownFields.extend({ tokens: told, not_followed: told });

export const NpcBody = Fields.openapi('NpcReplacement');
export const NewNpcBody = Fields.extend({
  id: NpcId.optional().openapi({ description: 'Chosen by the caller; absent means a new one' }),
}).openapi('NpcRequest');

/** The character a body describes, unchecked against any schema. */
export function toCharacter(body: z.infer<typeof Fields>): Character {
  const { facts, rules, line_tokens, memory_tokens, model, tokens: _, not_followed: __, ...rest } = body;
  return {
    ...rest,
    facts: facts.map(({ use_regex, case_sensitive, whole_words, also_logic = 'any', ...fact }) => {
      return {
        ...fact,
        ...(also_logic === 'any' ? {} : { alsoLogic: also_logic }),
        ...(use_regex ? { useRegex: true } : {}),
        ...(case_sensitive ? { caseSensitive: true } : {}),
        ...(whole_words ? { wholeWords: true } : {}),
      };
    }),
    rules: rules.map(({ half_life_s, ...rule }) => ({ ...rule, halfLifeS: half_life_s })),
    lineTokens: line_tokens,
    memoryTokens: memory_tokens,
    model: model ?? undefined,
  };
}

/** The body of a character, as it would be sent to make it again. */
export function toBody(character: Character): z.infer<typeof ownFields> {
  const { lineTokens, memoryTokens, facts, rules, vectors = {}, ...rest } = character;
  return {
    ...rest,
    vectors: { ...vectors },
    facts: facts.map(toFactBody),
    rules: rules.map(({ halfLifeS, ...rule }) => ({ ...rule, ...(halfLifeS === undefined ? {} : { half_life_s: halfLifeS }) })),
    line_tokens: lineTokens,
    ...(memoryTokens === undefined ? {} : { memory_tokens: memoryTokens }),
  };
}

function toFactBody({ useRegex, caseSensitive, wholeWords, alsoLogic, ...fact }: Character['facts'][number]) {
  return {
    ...fact,
    ...(alsoLogic ? { also_logic: alsoLogic } : {}),
    ...(useRegex ? { use_regex: true } : {}),
    ...(caseSensitive ? { case_sensitive: true } : {}),
    ...(wholeWords ? { whole_words: true } : {}),
  };
}

const unsaid = z.object(steered).parse({});

/** The character in the terms of a card; of its steering what differs from saying nothing. */
export function toCardCharacter(character: Character): CardCharacter {
  const { name, persona, greeting, examples, facts: _, ...body } = toBody(character);
  const steering = Object.entries(body).filter(([field, value]) => {
    return value !== undefined && JSON.stringify(value) !== JSON.stringify(unsaid[field as keyof typeof unsaid]);
  });
  return {
    name,
    persona,
    ...(greeting === undefined ? {} : { greeting }),
    examples,
    facts: character.facts,
    steering: Object.fromEntries(steering),
  };
}

/** The body a card stands for; `tell` is given what of it is not followed. Throws invalid_json, or invalid_request naming the field of the card. */
export function bodyOfCard(text: string, tell: (notice: Notice) => void): z.infer<typeof Fields> {
  const { steering, facts, ...rest } = readCard(text, tell);
  const { data, error } = Fields.safeParse({ ...steering, ...rest, facts: facts.map(toFactBody) });
  if (data) return data;
  throw toInvalidRequest(error);
}

const Time = z.int().openapi({ description: 'Unix seconds' });

const NpcTokens = z
  .object({
    context: z.int().openapi({ description: 'Tokens the model reads and writes together' }),
    line: z.int().openapi({ description: 'Of them, kept for a line' }),
    persona: z.int(),
    greeting: z.int(),
    facts: z.int().openapi({ description: 'Facts that are always told' }),
    keyed_facts: z.int().openapi({ description: 'Facts with keys, all together' }),
    examples: z.int(),
    left_out: z.object({ facts: z.int(), examples: z.int() }).openapi({
      description:
        'How many the model does not read even before the first line: facts give way first, the last of them first, then examples',
    }),
    fits: z.boolean().openapi({ description: 'Whether a session can be had: the persona leaves room for what is said' }),
  })
  .openapi('NpcTokens', {
    description: 'What the character takes of the context of its model. Absent from lists, and where the model is not loaded',
  });

export const NpcObject = z
  .object({
    object: z.literal('npc'),
    id: z.string(),
    created_at: Time,
    updated_at: Time,
    card: z.enum(['none', 'json', 'png']).openapi({ description: 'What it was imported from' }),
    ...spoken,
    ...steered,
    tokens: NpcTokens.optional(),
    not_followed: z
      .array(z.object({ param: z.string(), message: z.string() }))
      .optional()
      .openapi({ description: 'What of the character is kept and changes nothing; told when it is made, imported or replaced' }),
  })
  .openapi('Npc');

export const NpcList = pageOf(NpcObject).openapi('NpcList');

export const DeletedNpc = z.object({ object: z.literal('npc'), id: z.string(), deleted: z.literal(true) });

export interface Told {
  tokens?: CharacterTokens | undefined;
  notices?: Notice[];
}

export function toNpcObject(
  { id, character, card, createdAt, updatedAt }: Npc,
  { tokens, notices = [] }: Told = {},
): z.infer<typeof NpcObject> {
  return {
    object: 'npc',
    id,
    created_at: Math.floor(createdAt.getTime() / 1000),
    updated_at: Math.floor(updatedAt.getTime() / 1000),
    card,
    ...toBody(character),
    ...(tokens ? { tokens: toTokensObject(tokens) } : {}),
    ...(notices.length > 0 ? { not_followed: notices } : {}),
  };
}

function toTokensObject({ keyedFacts, leftOut, ...rest }: CharacterTokens): z.infer<typeof NpcTokens> {
  return { ...rest, keyed_facts: keyedFacts, left_out: leftOut };
}
