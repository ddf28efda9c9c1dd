// Records of a format to samples and back, without a file or a database.
import { type FormatName, formats } from '../../src/datasets/formats/table.ts';
import type { Sample } from '../../src/datasets/sample.ts';
import { settle } from '../../src/datasets/settle.ts';
import type { AttributeSchema } from '../../src/steerlm/attributes.ts';
import type { Conversation, Turn } from '../../src/steerlm/conversation.ts';

export const user = (content: string): Turn => ({ role: 'user', content });
export const assistant = (content: string, label?: Turn['label']): Turn =>
  label ? { role: 'assistant', content, label } : { role: 'assistant', content };

export function parse(name: FormatName, record: unknown, schema?: AttributeSchema): Sample[] {
  return formats[name].parse(record, null).map((sample) => settle(sample, schema ?? formats[name].schema));
}
export function render(name: FormatName, sample: Sample, schema: AttributeSchema | null) {
  return formats[name].render!(sample, schema);
}
export const turnsOf = (sample: Sample | undefined) =>
  sample?.content.kind === 'conversation' ? sample.content.conversation.turns : [];
export const conversation = (turns: Turn[], system = ''): Sample => {
  const content = { kind: 'conversation' as const, conversation: { system, turns } satisfies Conversation };
  return settle({ content, conversationId: 'c', source: null }, null);
};
