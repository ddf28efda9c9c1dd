// Built-in attribute schemas, data only: HelpSteer, OpenAssistant, both together in NeMo-Aligner's order, and game characters.
import { type Attribute, type AttributeSchema, restingLevel } from './attributes.ts';

function attribute(name: string, description: string, levels: string[], rest: Partial<Attribute> = {}): Attribute {
  return { name, aliases: [], description, levels, default: null, cap: levels.length - 1, ...rest };
}

const helpfulness = attribute(
  'helpfulness',
  'How far the reply serves what the user asked for',
  [
    'refuses or ignores the request',
    'barely touches it',
    'answers part of it',
    'answers it',
    'answers it fully and offers the next step',
  ],
  {
    aliases: ['helpful'],
    default: 4,
    instructions: [
      'Refuse the request.',
      'Say almost nothing that helps.',
      'Answer only part of it.',
      '',
      'Answer fully, and offer the next step.',
    ],
  },
);
const verbosity = attribute(
  'verbosity',
  'How much is said',
  ['a few words', 'one short sentence', 'two or three sentences', 'a paragraph', 'long and detailed'],
  {
    instructions: [
      'Answer in one short sentence.',
      'Answer in one sentence.',
      'Answer in two or three sentences.',
      'Answer in one paragraph.',
      'Answer in several long paragraphs.',
    ],
  },
);
const toxicity = attribute('toxicity', 'How rude or hurtful the reply is', ['kind', 'curt', 'rude', 'insulting', 'hostile'], {
  aliases: ['rudeness'],
  default: 0,
  instructions: ['Be kind.', 'Be curt.', 'Be rude.', 'Be rude and insulting.', 'Be hostile.'],
});
const humor = attribute(
  'humor',
  'How funny the reply tries to be',
  ['serious', 'a light touch', 'a joke in passing', 'openly joking', 'nothing but jokes'],
  {
    aliases: ['humour', 'funny'],
    instructions: [
      'Be serious.',
      'Smile while you say it.',
      'Tell it with a joke.',
      'Answer as a comedian on stage.',
      'Tell me a silly joke about it: "Why did ...?"',
    ],
  },
);
const creativity = attribute(
  'creativity',
  'How imaginative wording and ideas are',
  ['plain', 'mostly plain', 'some colour', 'vivid', 'strikingly original'],
  {
    aliases: ['creative'],
    instructions: ['Just give the facts.', '', 'Use a comparison.', 'Answer with vivid images.', 'Answer with a poem.'],
  },
);
const formality = attribute('formality', 'Register of the reply', ['slang', 'casual', 'neutral', 'polite', 'ceremonious'], {
  aliases: ['formal'],
  instructions: [
    'Say it in slang, as to a buddy: "hey dude, ...".',
    'Say it casually, as to a friend.',
    '',
    'Write politely: "Dear Sir or Madam, ...".',
    'Write in very formal language: "Dear Sir or Madam, ...".',
  ],
});
const correctness = attribute(
  'correctness',
  'Whether what is said is true and complete',
  ['wrong', 'mostly wrong', 'partly right', 'right with small slips', 'right and complete'],
  { default: 4 },
);
const coherence = attribute(
  'coherence',
  'Whether the reply hangs together',
  ['incoherent', 'hard to follow', 'uneven', 'clear with small lapses', 'clear throughout'],
  { default: 4 },
);
const complexity = attribute(
  'complexity',
  'How much expertise the language asks of a reader',
  ['basic', 'simple', 'average', 'advanced', 'expert'],
  {
    instructions: [
      'Explain it to a five-year-old, in short words.',
      'Use simple words.',
      '',
      'Use technical terms.',
      'Answer as an expert, in scientific language.',
    ],
  },
);
const quality = attribute('quality', 'Overall quality of the reply', ['poor', 'weak', 'fair', 'good', 'excellent'], {
  default: 4,
});

export const helpSteer: AttributeSchema = {
  name: 'helpsteer',
  version: 1,
  attributes: [helpfulness, correctness, coherence, complexity, verbosity],
};

export const openAssistant: AttributeSchema = {
  name: 'oasst',
  version: 1,
  attributes: [quality, toxicity, humor, creativity],
};

/** ALL_STEERLM_ATTRIBUTES of NeMo-Aligner, in its order. */
export const steerLM: AttributeSchema = {
  name: 'steerlm',
  version: 1,
  attributes: [...openAssistant.attributes, ...helpSteer.attributes],
};

/**
 * Game characters. Toxicity is mild rudeness and capped below hostility. Nothing is left open unless asked: who turns one dial expects the
 * others to stay where they are, and a joke needs a reply that has room for one.
 */
export const gameCharacters: AttributeSchema = {
  name: 'npc',
  version: 1,
  attributes: [
    helpfulness,
    { ...humor, default: 0 },
    { ...creativity, default: 0 },
    { ...verbosity, default: 2 },
    { ...toxicity, cap: 3 },
    { ...formality, default: 2 },
  ],
};

/** For models that nobody trained on labels. */
export const everyday: AttributeSchema = untilAsked({
  name: 'everyday',
  version: 1,
  attributes: [
    { ...verbosity, default: 2 },
    { ...formality, default: 2 },
    { ...humor, default: 0 },
    { ...creativity, default: 0 },
    { ...complexity, default: 2 },
    toxicity,
    helpfulness,
  ],
});

/** The schema for a model that stays as it is unless somebody asks: no attribute has a default, and changes begin where it was. */
export function untilAsked(schema: AttributeSchema): AttributeSchema {
  const attributes = schema.attributes.map((each) => ({ ...each, default: null, resting: restingLevel(each) ?? undefined }));
  return { ...schema, attributes };
}

export const builtInSchemas: AttributeSchema[] = [helpSteer, openAssistant, steerLM, gameCharacters, everyday];
