// Asks POST /completions: prompts are laid out and encoded here and go there as token ids, so that no text of a caller becomes a control token there
// either. The model's folder holds all but its weights, or these too in a GGUF file.
import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { encodePrompt, layOut, type ModelText } from '../generation/model-text.ts';
import { splitMarked } from '../generation/reasoning.ts';
import { ReplyText } from '../generation/reply-text.ts';
import { ggufOf } from '../model/formats/gguf-folder.ts';
import { addFile, upstreamFile } from '../model/model-folder.ts';
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
  const gguf = await ggufOf(folder);
  const names = gguf === undefined ? ['config.json', 'tokenizer.json'] : [basename(gguf)];
  for (const name of [...names, upstreamFile]) await addFile(hash, folder, name);
  hash.update(JSON.stringify([card.kind, card.attributeSchema, card.promptLayoutVersion]));
  return hash.digest('hex').slice(0, revisionLetters);
}
