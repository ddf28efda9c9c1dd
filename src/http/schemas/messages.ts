// Chat messages in OpenAI's form, and the conversation they tell. Knows the order of roles, not how a prompt is laid out.
import { z } from '@hono/zod-openapi';
import { SteerError } from '../../errors.ts';
import { recordOf } from '../../record-of.ts';
import { type AttributeSchema, applyAttributes, findAttribute, type Label } from '../../steerlm/attributes.ts';
import { type Conversation, type Turn, textOf } from '../../steerlm/conversation.ts';

export const RequestedAttributes = recordOf(z.string().max(64), z.number().nullable()).openapi({
  description: 'Level by attribute name or alias; null leaves the attribute open, an absent one takes its default',
});

const TextPart = z.object({ type: z.literal('text'), text: z.string() });

const Content = z.union([z.string(), z.array(TextPart).min(1)], {
  error: 'expected a string or a list of {"type": "text", "text": …} parts',
});

/** Fields that say something a prompt has no place for; each may be there when it says nothing. */
const unread = (what: string) =>
  z
    .unknown()
    .refine((value) => value === undefined || value === null || (Array.isArray(value) && value.length === 0), {
      error: `${what} cannot be told to the model. Leave it out, or say it as content`,
    })
    .optional()
    .openapi({ type: ['array', 'object', 'string', 'null'], description: 'Refused unless it says nothing' });

const Message = z
  .object({
    // First, since content is often null beside them.
    tool_calls: unread('a call of a tool'),
    function_call: unread('a call of a function'),
    tool_call_id: unread('the answer of a tool'),
    refusal: unread('a refusal beside the content'),
    audio: unread('audio'),
    role: z.enum(['system', 'developer', 'user', 'assistant'], {
      error: 'expected system, developer, user or assistant; messages of tools and functions are not supported',
    }),
    content: Content,
    attributes: RequestedAttributes.nullish().openapi({
      description: 'On assistant messages: the attributes that reply was given, as its `message.attributes` told',
    }),
  })
  .openapi('Message');

export const Messages = z
  .array(Message)
  .min(1)
  .superRefine((messages, context) => {
    const turns = messages.findIndex((message) => !isSystem(message));
    messages.forEach((message, i) => {
      if (isSystem(message) && turns >= 0 && i > turns) {
        context.addIssue({
          code: 'custom',
          path: [i, 'role'],
          message: `expected ${message.role} messages only before the first turn`,
        });
      }
      if (message.attributes && message.role !== 'assistant') {
        context.addIssue({ code: 'custom', path: [i, 'attributes'], message: 'expected attributes only on assistant messages' });
      }
    });
  })
  .openapi({
    description: 'System and developer messages first, joined into one; then turns. Content is text, whatever it spells',
  });

type Message = z.infer<typeof Message>;

/**
 * The conversation the messages tell: leading system texts joined by a blank line, past replies labelled with their attributes
 * where a schema is given. Throws unknown_attribute or attribute_out_of_range naming the message.
 */
export function toConversation(messages: Message[], schema?: AttributeSchema): Conversation {
  const system = messages.filter(isSystem).map((message) => textOf(message.content));
  const turns = messages.flatMap((message, i) => (isSystem(message) ? [] : [toTurn(message, i, schema)]));
  return { system: system.join('\n\n'), turns };
}

function toTurn(message: Message, index: number, schema: AttributeSchema | undefined): Turn {
  const content = textOf(message.content);
  if (message.role !== 'assistant') return { role: 'user', content };
  if (!schema) return { role: 'assistant', content };
  try {
    return { role: 'assistant', content, label: toPastLabel(schema, message.attributes ?? {}) };
  } catch (error) {
    if (!(error instanceof SteerError)) throw error;
    const param = `messages.${index}.${error.details.param ?? 'attributes'}`;
    throw new SteerError(error.code, error.message, { cause: error, details: { param } });
  }
}

/** Only what the message says: a past reply is not given defaults it never had. Caps hold, or history could prime what a request may not ask. */
function toPastLabel(schema: AttributeSchema, attributes: z.infer<typeof RequestedAttributes>): Label {
  const applied = applyAttributes(schema, attributes);
  const said = new Set(Object.keys(attributes).map((name) => findAttribute(schema, name).name));
  return Object.fromEntries(Object.entries(applied).filter(([name]) => said.has(name)));
}

function isSystem(message: Message): boolean {
  return message.role === 'system' || message.role === 'developer';
}
