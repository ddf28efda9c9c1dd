// Plain text for pre-training: a .txt file cut into documents, or records {"text"} that may name the document they are part of.
import { z } from 'zod';
import { nameIn } from '../record-fields.ts';
import { type Format, shapeOf, unfit } from './format.ts';

/** Fields that name the document a piece belongs to, so that its pieces stay on one side of the split. */
const documentKeys = ['document', 'doc_id', 'story', 'title', 'id'] as const;

const shape = z.looseObject({ text: z.string().min(1) });

export const plainText: Format = {
  description: 'Plain text: a .txt file, or {"text"} with an optional "document"',
  matches: ({ text }) => typeof text === 'string',
  parse(record) {
    const { text, ...rest } = shapeOf(shape, record);
    const document = documentKeys.map((key) => nameIn(rest[key])).find((name) => name !== null);
    return [{ content: { kind: 'text', text }, conversationId: document ?? null, source: null }];
  },
  fields: ['text', 'document'],
  render({ content, conversationId }) {
    if (content.kind !== 'text') throw unfit('the sample is a conversation; export it in a chat format');
    return [{ text: content.text, document: conversationId }];
  },
  schema: null,
  rules: {},
};
