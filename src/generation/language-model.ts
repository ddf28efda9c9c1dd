// What the rest of the program may ask of a loaded language model.

import type { FinishReason, GenerationRequest, Phase, Priority } from '../engine/request.ts';
import type { BadWordRules } from '../model/bad-words.ts';
import type { SamplingDefaults } from '../model/sampling-defaults.ts';
import type { SteeringVectors } from '../model/vectors/kept-vectors.ts';
import type { AttributeSchema, Label } from '../steerlm/attributes.ts';
import type { Curves } from '../steerlm/calibration.ts';
import type { Conversation } from '../steerlm/conversation.ts';
import type { Piece } from '../steerlm/prompt-layout.ts';

export type { FinishReason, Phase, Priority } from '../engine/request.ts';

export interface CompletionRequest extends Omit<GenerationRequest, 'ended' | 'phases' | 'priority'> {
  /** Token ids of the prompt. */
  prompt: number[];
  /** Prompts to write under in its place, all of them meaning the same conversation. */
  phases?: Phase[] | undefined;
  /** Absent means interactive. */
  priority?: Priority | undefined;
  /** Strings that end the reply; they are not part of it. */
  stop: string[];
  /** The prompt is a text to go on with, so all that follows is text, reasoning among it. */
  raw?: boolean | undefined;
}

/** How likely a token was. */
export interface Likely {
  token: number;
  logprob: number;
  /** What it stands for, where an upstream told that and no id; `token` is -1 then. */
  bytes?: Uint8Array | undefined;
}

/** A token of a reply, with how likely it was and the likeliest beside it. */
export interface TokenLikelihood extends Likely {
  top: Likely[];
}

export type CompletionEvent =
  /** Next text of reply `index`; never half a character. `tokens` where likelihoods were asked for: those since the last delta. */
  | { kind: 'delta'; index: number; text: string; reasoning?: string; tokens?: TokenLikelihood[] }
  /** Reply `index` is over. `text` is the whole reply, `reasoning` what came before it. `deadline` when its time was up. */
  | {
      kind: 'end';
      index: number;
      text: string;
      reasoning?: string;
      finishReason: FinishReason;
      completionTokens: number;
      /** As the upstream counted them, where the prompt was only estimated here. */
      promptTokens?: number;
      deadline?: true;
    };

/** labels: in this program's layout, as it was trained; template: in the chat template it came with; messages: by an upstream that lays them out itself. */
export const chatForms = ['labels', 'template', 'messages'] as const;
export type ChatForm = (typeof chatForms)[number];

export interface LanguageModel {
  readonly id: string;
  /** How it reads conversations; null for one that only continues texts. */
  readonly chat: ChatForm | null;
  /** Hash that changes when the weights do. */
  readonly revision: string;
  /** Its steering vectors; absent where it does not run here. */
  readonly vectors?: SteeringVectors | undefined;
  readonly schema: AttributeSchema;
  /** What its card keeps out of replies by what is asked of them. */
  readonly badWords?: BadWordRules | undefined;
  /** What replies were measured to be where a level was asked for; absent where nobody measured. */
  readonly curves?: Curves | undefined;
  /** How its replies are best drawn, for callers who say nothing of it. */
  readonly sampling?: SamplingDefaults | undefined;
  /** Most tokens of prompt and reply together. */
  readonly contextLength: number;
  /** Token ids run from 0 to this less 1. */
  readonly vocabSize: number;
  /** Whether a reply can be drawn from the scores of several prompts. */
  readonly mixes: boolean;
  /**
   * The prompt that asks for the next reply. The label is read by models that were trained on labels alone. Throws invalid_request where the model cannot
   * be asked for one, or its template refuses the conversation.
   */
  layOut(conversation: Conversation, label: Label): Promise<Piece[]>;
  /** What stands before a text that the model is to go on with. */
  readonly beginning?: readonly Piece[] | undefined;
  /** Token ids of a prompt. Throws context_length_exceeded for one that is certainly too long. */
  encode(pieces: Piece[]): number[];
  /** Token ids of a prompt of any length, to be shown and not to be answered; others of the thread are let in between. */
  encodeLong(pieces: Piece[]): Promise<number[]>;
  /** Tokens of a text of any length, to tell how long it is and not to be answered. */
  countTokens(text: string): number;
  /** Bytes of UTF-8 that a token stands for; a control token has none. */
  readonly bytesOf: (token: number) => Uint8Array;
  /** Events of all n replies as they come. Aborting ends the work within one decoding step; the iterator then throws `cancelled`. */
  complete(request: CompletionRequest, signal: AbortSignal): AsyncIterable<CompletionEvent>;
  dispose(): Promise<void>;
}
