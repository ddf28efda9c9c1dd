// What of a model's folder is text, wherever the model itself runs: its card, its tokenizer, what ends a reply, the room its context leaves.
import { SteerError } from '../errors.ts';
import { type ModelCard, readEndTokens, readModelCard, readShape, refusePredictor } from '../model/model-folder.ts';
import { readSampling, type SamplingDefaults, usualForChat } from '../model/sampling-defaults.ts';
import { beginTemplate, ChatTemplate } from '../model/tokenizer/chat-template.ts';
import { encodePieces } from '../model/tokenizer/encode-prompt.ts';
import type { TemplateProcess } from '../model/tokenizer/template-process.ts';
import { readChatTemplate, Tokenizer } from '../model/tokenizer/tokenizer.ts';
import { documentSeparator } from '../model/tokenizer/tokenizer-training.ts';
import type { AttributeSchema, Label } from '../steerlm/attributes.ts';
import type { Conversation } from '../steerlm/conversation.ts';
import { controlTokens, layOutPrompt, type Piece, promptLayoutVersion } from '../steerlm/prompt-layout.ts';
import { everyday } from '../steerlm/schemas.ts';
import type { ChatForm } from './language-model.ts';
import { layOutInTemplate } from './template-layout.ts';

export interface ModelText {
  card: ModelCard;
  /** What may be asked of a reply: what the model was trained on, else what its card names, else what anybody may ask of one that chats. */
  schema: AttributeSchema;
  chat: ChatForm | null;
  tokenizer: Tokenizer;
  /** The template it chats in. */
  template: ChatTemplate | undefined;
  /** Most tokens of prompt and reply together. */
  contextLength: number;
  /** Ids run from 0 to this less 1. */
  vocabSize: number;
  /** Picking one of these ends a reply: the turn token, the end of a document, and what the model's own configuration names. */
  stopTokens: number[];
  sampling: SamplingDefaults;
}

const noAttributes: AttributeSchema = { name: 'none', version: 0, attributes: [] };

/** Reads the folder of a base or steered model. Throws invalid_model in one clear line. */
export async function readModelText(folder: string): Promise<ModelText> {
  const card = await readModelCard(folder);
  refuseUnfit(card, folder);
  const { contextLength, vocabSize } = await readShape(folder);
  const source = await readChatTemplate(folder);
  const begun = chatForm(card, { chatTemplate: source }) === 'template' ? beginTemplate(source!) : undefined;
  const tokenizer = await Tokenizer.open(folder, vocabSize);
  const chat = chatForm(card, tokenizer);
  const template = chat === 'template' ? templateOf(tokenizer, begun) : undefined;
  const spellings = [controlTokens.turn, documentSeparator, tokenizer.namedTokens.eos_token, await endOfReply(template)];
  const known = spellings.map((spelling) => (spelling === undefined ? undefined : tokenizer.tokenId(spelling)));
  const ends = [...known, ...(await readEndTokens(folder))];
  // What no token is ends nothing.
  const stopTokens = [...new Set(ends.filter((id) => id !== undefined && id >= 0 && id < vocabSize))] as number[];
  const schema = card.attributeSchema ?? (chat === 'template' ? everyday : noAttributes);
  const said = await readSampling(folder);
  const sampling = chat === 'template' && Object.keys(said).length === 0 ? usualForChat : said;
  return { card, schema, chat, tokenizer, template, contextLength, vocabSize, stopTokens, sampling };
}

/** One that was trained in this program's layout is asked in it, whatever template it began with. */
export function chatForm({ promptLayoutVersion }: ModelCard, { chatTemplate }: Pick<Tokenizer, 'chatTemplate'>): ChatForm | null {
  if (promptLayoutVersion !== null) return 'labels';
  return chatTemplate === undefined ? null : 'template';
}

function templateOf(
  { chatTemplate: source, addedTokens: tokens, namedTokens: named }: Tokenizer,
  begun: TemplateProcess | undefined,
): ChatTemplate {
  return new ChatTemplate({ source: source!, tokens, named }, undefined, begun);
}

/** Unknown where the template fails: each chat is told why then. */
async function endOfReply(template: ChatTemplate | undefined): Promise<string | undefined> {
  return await template?.endOfReply().catch(() => undefined);
}

/** The prompt of the model that asks for the next reply, as `LanguageModel.layOut` has it. A base model reads this program's layout without labels. */
export async function layOut(
  { schema, template, contextLength }: ModelText,
  conversation: Conversation,
  label: Label,
): Promise<Piece[]> {
  const { length } = conversation.turns;
  if (length > contextLength) throw tooLong(contextLength, `${length} turns`);
  return template ? await layOutInTemplate(template, conversation) : layOutPrompt(schema, conversation, label);
}

function refuseUnfit(card: ModelCard, folder: string): void {
  refusePredictor(folder, card);
  const version = card.promptLayoutVersion ?? promptLayoutVersion;
  if (version !== promptLayoutVersion) {
    throw new SteerError(
      'invalid_model',
      `${folder}: expected a model of prompt layout ${promptLayoutVersion}, found layout ${version}. Fine-tune it again with this release.`,
    );
  }
}

/** Token ids of a prompt. One that is certainly too long is refused by its characters: encoding it would hold up every other caller. */
export function encodePrompt(tokenizer: Tokenizer, pieces: Piece[], contextLength: number): number[] {
  const characters = pieces.reduce((total, piece) => total + ('text' in piece ? piece.text.length : 0), 0);
  const controls = pieces.filter((piece) => 'control' in piece).length;
  const least = controls + Math.ceil(characters / tokenizer.longestToken);
  if (least > contextLength) throw tooLong(contextLength, `at least ${least}`);
  return encodePieces(tokenizer, pieces).ids;
}

/** Tokens a reply may have after prompts of these lengths. Throws context_length_exceeded when the longest leaves none. */
export function roomFor(lengths: readonly number[], contextLength: number): number {
  const longest = Math.max(...lengths);
  if (lengths.includes(0)) {
    throw new SteerError('invalid_request', 'Expected a prompt of at least one token, found none. Say something.');
  }
  if (longest < contextLength) return contextLength - longest;
  throw tooLong(contextLength, `${longest}`);
}

/** Of a prompt that is `found` long. */
export function tooLong(contextLength: number, found: string): SteerError {
  return new SteerError(
    'context_length_exceeded',
    `Expected a prompt of at most ${contextLength - 1} tokens, since prompt and reply share a context of ${contextLength}; ` +
      `found ${found}. Shorten the conversation.`,
  );
}
