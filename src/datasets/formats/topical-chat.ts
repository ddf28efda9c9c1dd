// Topical-Chat: two people talk, each turn rated by the partner and with a mood named by its speaker. One file is one object of
// conversations. Both may play the assistant, so a conversation gives two samples. Verbosity is counted in words. Only read.
import { z } from 'zod';
import type { Attribute, AttributeSchema } from '../../steerlm/attributes.ts';
import { steerLM } from '../../steerlm/schemas.ts';
import { nameIn } from '../record-fields.ts';
import { conversationSample, type Format, shapeOf, turnOf } from './format.ts';

const ratings = { Poor: 0, 'Not Good': 1, Passable: 2, Good: 3, Excellent: 4 } as const;
/** Sentiment in the data → attribute of ours. */
const moods = {
  'Curious to dive deeper': 'curiosity',
  Happy: 'happiness',
  Surprised: 'surprise',
  Sad: 'sadness',
  Disgusted: 'disgust',
  Angry: 'anger',
  Fearful: 'fear',
} as const;

const agents = ['agent_1', 'agent_2'] as const;
const keysOf = <K extends string>(table: Record<K, unknown>) => Object.keys(table) as K[];
const shape = z.object({
  content: z
    .array(
      z.object({
        message: z.string(),
        agent: z.enum(agents),
        sentiment: z.enum([...keysOf(moods), 'Neutral', '']).nullish(),
        turn_rating: z.enum([...keysOf(ratings), '']).nullish(),
      }),
    )
    .min(1),
  conversation_id: z.unknown().optional(),
});
type Said = z.infer<typeof shape>['content'][number];

/** Words at which verbosity rises a level: the quintiles of the valid_freq file. */
const verbosityWords = [11, 16, 21, 27];

const borrowed = (name: string) => steerLM.attributes.filter((attribute) => attribute.name === name);
const mood = (name: string): Attribute => ({
  name,
  aliases: [],
  description: `Whether the reply shows ${name}`,
  levels: ['absent', 'present'],
  default: null,
  cap: 1,
});
const topicalChatSchema: AttributeSchema = {
  name: 'topical-chat',
  version: 1,
  attributes: [...borrowed('quality'), ...borrowed('verbosity'), ...Object.values(moods).map(mood)],
};

export const topicalChat: Format = {
  description: 'Topical-Chat: {"<id>": {"content": [{"message", "agent", "sentiment", "turn_rating"}]}}',
  matches({ content }) {
    const first = Array.isArray(content) ? content[0] : undefined;
    return typeof first === 'object' && first !== null && 'message' in first && 'agent' in first;
  },
  parse(record, key) {
    const { content, conversation_id } = shapeOf(shape, record);
    const conversationId = key ?? nameIn(conversation_id);
    return agents
      .filter((assistant) => content.some(({ agent }) => agent === assistant))
      .map((assistant) => {
        const turns = content.map((said) =>
          turnOf(said.agent === assistant ? 'assistant' : 'user', said.message, levelsOf(said)),
        );
        return conversationSample('', turns, { conversationId, source: assistant });
      });
  },
  fields: ['content', 'conversation_id'],
  render: null,
  schema: topicalChatSchema,
  rules: { verbosity: 'words' },
};

function levelsOf({ message, sentiment, turn_rating }: Said): Record<string, number> {
  const words = message.split(/\s+/).filter((word) => word !== '').length;
  const verbosity = verbosityWords.filter((threshold) => words >= threshold).length;
  const quality = turn_rating ? { quality: ratings[turn_rating] } : {};
  const shown = sentiment ? Object.entries(moods).map(([named, attribute]) => [attribute, named === sentiment ? 1 : 0]) : [];
  return { ...quality, verbosity, ...Object.fromEntries(shown) };
}
