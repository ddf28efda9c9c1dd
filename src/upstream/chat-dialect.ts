// Asks POST /chat/completions: the conversation goes there as messages and is laid out there, so that nothing but an address is needed here. Lengths
// of prompts are estimates.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SteerError } from '../errors.ts';
import { splitReasoning } from '../generation/reasoning.ts';
import { ReplyText } from '../generation/reply-text.ts';
import { alternating } from '../generation/template-layout.ts';
import { type ModelCard, upstreamFile } from '../model/model-folder.ts';
import type { Conversation } from '../steerlm/conversation.ts';
import type { Piece } from '../steerlm/prompt-layout.ts';
import { everyday } from '../steerlm/schemas.ts';
import { toChatBody } from './chat-body.ts';
import { ChatChunk } from './chat-chunks.ts';
import { ChoiceText } from './choice-text.ts';
import type { Dialect } from './dialect.ts';
import {
  decodeMessages,
  encodeMessages,
  estimateTokens,
  layOutMessages,
  type Message,
  messageBytes,
  messageVocabulary,
} from './message-tokens.ts';
import { promptOf } from './request-body.ts';
import type { UpstreamSettings } from './settings.ts';

export const chatRoute = { path: '/chat/completions', chunk: ChatChunk };
/** Where neither upstream.json nor the upstream says. */
export const defaultContext = 8192;
const revisionLetters = 12;

/** What may be asked of a reply where the card names nothing. */
export function chatSchema({ attributeSchema }: Pick<ModelCard, 'attributeSchema'>) {
  return attributeSchema ?? everyday;
}

/** The dialect of the model whose upstream.json lies in `folder`. */
export async function chatDialect(
  folder: string,
  card: ModelCard,
  settings: UpstreamSettings,
  contextLength: number,
): Promise<Dialect> {
  return {
    route: chatRoute,
    model: {
      id: card.name,
      revision: await revisionOf(folder, card),
      chat: 'messages',
      schema: chatSchema(card),
      contextLength,
      vocabSize: messageVocabulary,
      curves: card.measured?.steering?.curves,
      layOut: async (conversation) => layOut(conversation),
      encode: (pieces) => encodeMessages(pieces, contextLength),
      encodeLong: async (pieces) => encodeMessages(pieces),
      countTokens: estimateTokens,
      bytesOf: messageBytes,
    },
    toBody(request, most) {
      const prompt = promptOf(request);
      const messages = decodeMessages(prompt);
      if (!messages) throw withoutMessages();
      // All the room there is was asked for by nobody, and is only estimated.
      const maxTokens = request.maxTokens < contextLength - prompt.length ? most : undefined;
      return toChatBody(request, { ...settings, messages, maxTokens });
    },
    split: (events) => splitReasoning(events, false),
    readerOf: ({ stop, constraint }) =>
      constraint?.kind === 'choice' ? new ChoiceText(constraint.choices) : new ReplyText(undefined, stop),
    stopTokensOf: () => new Set(),
  };
}

/** Many templates there only know of two who take turns. */
function layOut({ system, turns }: Conversation): Piece[] {
  const head: Message[] = system.trim() === '' ? [] : [{ role: 'system', content: system }];
  return layOutMessages(alternating([...head, ...turns.map(({ role, content }) => ({ role, content }))]));
}

/** Text that belongs to no message. Throws invalid_request. */
export function withoutMessages(): SteerError {
  const message =
    'prompt: this model runs on an upstream that is asked by messages; it continues no raw text. Send messages to POST /v1/chat/completions.';
  return new SteerError('invalid_request', message, { details: { param: 'prompt' } });
}

/** Changes with all that is known here of what the model answers. */
async function revisionOf(folder: string, { name, attributeSchema }: ModelCard): Promise<string> {
  const hash = createHash('sha256').update(await readFile(join(folder, upstreamFile)));
  return hash
    .update(JSON.stringify([name, attributeSchema]))
    .digest('hex')
    .slice(0, revisionLetters);
}
