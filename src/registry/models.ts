// What is asked of whoever holds the models, and how a name in a request finds one.

import { SteerError } from '../errors.ts';
import type { ChatForm, LanguageModel } from '../generation/language-model.ts';
import type { BadWordRules } from '../model/bad-words.ts';
import type { Precision } from '../model/loaded-network.ts';
import type { VectorCard } from '../model/vectors/kept-vectors.ts';
import type { Predictor } from '../predictor/predictor.ts';
import type { AttributeSchema } from '../steerlm/attributes.ts';
import type { Curves } from '../steerlm/calibration.ts';

export type ModelKind = 'language' | 'predictor';

export const modelStatuses = ['unloaded', 'loading', 'loaded', 'failed'] as const;
export type ModelStatus = (typeof modelStatuses)[number];

/** A model that can be asked for, loaded or not. */
export interface ModelCard {
  id: string;
  kind: ModelKind;
  /** Unix seconds. */
  created: number;
  /** Other names it answers to; `default` marks the one meant when a request names none. */
  aliases: string[];
  /** One line on what it is for; null where its card has none. */
  description: string | null;
  schema: AttributeSchema;
  /** How it reads conversations; null for one that only continues texts, and for predictors. */
  chat: ChatForm | null;
  /** What its card keeps out of replies by what is asked of them. */
  badWords?: BadWordRules | undefined;
  /** Steering vectors that its replies can be written under; absent where it has none. */
  vectors?: readonly VectorCard[] | undefined;
  /** What replies were measured to be where a level was asked for, by attribute; empty where nobody measured. */
  curves: Curves;
  /** Most tokens it reads and writes together. */
  contextLength: number;
  /** Name of the model it was trained from. */
  base: string | null;
  /** What it was trained on, each with the hash of what was taken from it. */
  datasets: { name: string; hash: string }[];
  /** unloaded: loaded when it is first asked for; failed: tried again when it is next asked for. */
  status: ModelStatus;
  /** Of its weights, as loaded or as they will be. */
  precision: Precision;
}

/** What was measured of a model: on its card, and by each kind of evaluation. */
export interface ModelReport {
  measured: Record<string, unknown>;
  evaluations: Partial<Record<'predictor' | 'steering' | 'likelihood', Record<string, unknown>>>;
}

/** The models of this process. `language` and `predictor` take a card's id, may load it, and throw `not_ready` or `invalid_model`. */
export interface Models {
  /** Every model that may be named, best choice first within a kind. */
  list(): ModelCard[];
  /** Where the files of the model of that id lie. Throws `model_not_found`. */
  folderOf(id: string): string;
  language(id: string): Promise<LanguageModel>;
  predictor(id: string): Promise<Predictor>;
  /** True once a request would be answered rather than wait for loading. */
  ready(): boolean;
  /** Looks again at what there is: new models, changed ones, aliases set elsewhere. */
  refresh(): Promise<void>;
  /**
   * Loads the model of that id, with weights of that precision where one is named; calls in hand end on what they began on.
   * Throws `model_not_found`, `invalid_model`, or `invalid_request` for a predictor's precision.
   */
  load(id: string, precision?: Precision): Promise<void>;
  /** Takes the model out of use and frees it when its last call has ended; who asks for it next has it loaded again. Throws `model_not_found`. */
  unload(id: string): void;
  /** What was measured of it. Throws `model_not_found`, or `invalid_model` for a report nobody can read. */
  report(id: string): Promise<ModelReport>;
  /** Models by the names people gave them. */
  aliases(): Map<string, string>;
  /** Lets the alias mean that model from now on; calls in hand end where they began. Throws `model_not_found`, `invalid_request` or `conflict`. */
  setAlias(alias: string, model: string): Promise<ModelCard>;
  /** Throws `not_found`. */
  removeAlias(alias: string): Promise<void>;
}

/**
 * Card of that id or alias among the given kinds; no name means `default`, which falls back to the first of the first kind that has one.
 * Throws model_not_found listing the names that would work, or how to come by a model.
 */
export function findModel(models: Models, name: string | null | undefined, kinds: ModelKind[]): ModelCard {
  const wanted = name ?? 'default';
  const cards = kinds.flatMap((kind) => models.list().filter((card) => card.kind === kind));
  const found = cards.find((card) => card.id === wanted) ?? cards.find((card) => card.aliases.includes(wanted));
  if (found) return found;
  if (wanted === 'default' && cards[0]) return cards[0];
  const kind = kinds.length === 1 ? `${kinds[0]} model` : 'model';
  const known = cards.length > 0 ? `Known: ${cards.map((card) => card.id).join(', ')}.` : noneYet[kinds[0]!];
  throw new SteerError('model_not_found', `No ${kind} is named ${JSON.stringify(wanted.slice(0, 128))}. ${known}`, {
    details: { param: 'model' },
  });
}

/** Card of the language model of that name. Throws model_not_found, or invalid_request with what to do for one that only continues texts. */
export function findChatModel(models: Models, name: string | null | undefined): ModelCard {
  const card = findModel(models, name, ['language']);
  if (card.chat !== null) return card;
  const able = models.list().filter(({ kind, chat }) => kind === 'language' && chat !== null);
  const others = able.length > 0 ? `Ask one that replies: ${able.map(({ id }) => id).join(', ')}. ` : '';
  const message =
    `model: ${card.id} only continues texts: it came without a chat template, and was not trained on turns here. ${others}` +
    'Or send it a raw text (POST /v1/completions), fetch a model that chats (steer pull smollm2-135m), or make one of it (steer finetune).';
  throw new SteerError('invalid_request', message, { details: { param: 'model' } });
}

const noneYet: Record<ModelKind, string> = {
  language:
    'There is none yet: fetch one (steer pull smollm2-135m), put the folder of one into MODELS_DIR, or make one (steer pretrain, steer finetune).',
  predictor: 'There is none yet: put the folder of one into MODELS_DIR, or make one (steer train-predictor).',
};

/** First predictor that rates every attribute of the schema on the same scale, or undefined. */
export function findPredictorFor(models: Models, schema: AttributeSchema): ModelCard | undefined {
  return models.list().find((card) => card.kind === 'predictor' && covers(card.schema, schema));
}

function covers(wide: AttributeSchema, narrow: AttributeSchema): boolean {
  const levels = new Map(wide.attributes.map((attribute) => [attribute.name, attribute.levels.length]));
  return narrow.attributes.every((attribute) => levels.get(attribute.name) === attribute.levels.length);
}
