// Asks POST /completions: prompts are laid out and encoded here and go there as token ids, so that no text of a caller becomes a control token there
// either. The model's folder holds all but its weights.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { encodePrompt, layOut, type ModelText } from '../generation/model-text.ts';
import { splitMarked } from '../generation/reasoning.ts';
import { ReplyText } from '../generation/reply-text.ts';
import { unreadable } from '../model/formats/json-file.ts';
import { upstreamFile } from '../model/model-folder.ts';
import { encodeLongPrompt } from '../model/tokenizer/encode-prompt.ts';
import { Chunk } from './chunks.ts';
import type { Dialect } from './dialect.ts';
import { toBody } from './request-body.ts';

export const tokenRoute = { path: '/completions', chunk: Chunk };
const revisionLetters = 12;

/** The dialect of the model in `folder`, which is called `name` at the upstream. */
export async function tokenDialect(folder: string, text: ModelText, name: string): Promise<Dialect> {
  const { card, tokenizer, contextLength, stopTokens: own } = text;
  return {
    route: tokenRoute,
    model: {
      id: card.name,
      revision: await revisionOf(folder, text),
      chat: text.chat,
      schema: text.schema,
      contextLength,
      vocabSize: text.vocabSize,
      curves: card.measured?.steering?.curves,
      sampling: text.sampling,
      layOut: (conversation, label) => layOut(text, conversation, label),
      beginning: tokenizer.beginning.map((control) => ({ control, trained: false })),
      encode: (pieces) => encodePrompt(tokenizer, pieces, contextLength),
      encodeLong: (pieces) => encodeLongPrompt(tokenizer, pieces),
      countTokens: (text) => tokenizer.encodeText(text).length,
      bytesOf: (token) => tokenizer.bytesOf(token),
    },
    toBody: (request, maxTokens) => toBody(request, maxTokens, { model: name, stopTokens: own }),
    split: (events, request) => splitMarked(events, tokenizer, request),
    readerOf: ({ stop }) => new ReplyText(tokenizer, stop),
    stopTokensOf: ({ ignoreEos, stopTokens = [] }) => new Set([...(ignoreEos ? [] : own), ...stopTokens]),
  };
}

/** Changes with all that is known here of what the model answers: its weights are elsewhere. */
async function revisionOf(folder: string, { card }: ModelText): Promise<string> {
  const hash = createHash('sha256');
  for (const name of ['config.json', 'tokenizer.json', upstreamFile]) {
    const path = join(folder, name);
    const bytes = await readFile(path).catch((cause) => {
      throw unreadable(path, cause);
    });
    hash.update(createHash('sha256').update(bytes).digest());
  }
  hash.update(JSON.stringify([card.kind, card.attributeSchema, card.promptLayoutVersion]));
  return hash.digest('hex').slice(0, revisionLetters);
}
