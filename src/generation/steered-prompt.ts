// From what a caller asks of a reply to the prompts it is drawn from: which levels, which words of the layout, which mixture of scores. The one
// place where attributes become token ids: chat, characters, the command line, evaluations and bootstrapping all come here.

import type { Boundary, Branch, Phase } from '../engine/request.ts';
import type { VectorSum } from '../engine/vector-sums.ts';
import { SteerError } from '../errors.ts';
import { badWordsUnder } from '../model/bad-words.ts';
import { own } from '../own.ts';
import {
  type AttributeSchema,
  applyAttributes,
  findAttribute,
  type Label,
  type RequestedAttributes,
} from '../steerlm/attributes.ts';
import { obtainedAt, requestFor } from '../steerlm/calibration.ts';
import type { Conversation } from '../steerlm/conversation.ts';
import { type Against, dial } from '../steerlm/guidance.ts';
import { instructionText, withInstruction } from '../steerlm/instructions.ts';
import type { Piece } from '../steerlm/prompt-layout.ts';
import type { LanguageModel } from './language-model.ts';
import { type AddedVectors, settleVectors, type VectorRequest, type VectorWeights } from './vector-weights.ts';

/** What of a model its prompts depend on. */
export type PromptModel = Pick<
  LanguageModel,
  'id' | 'schema' | 'badWords' | 'curves' | 'mixes' | 'chat' | 'layOut' | 'encode' | 'vectors'
>;

/** How attributes reach the model: as a label it was trained on, in words, or not. */
export const steeringMethods = ['label', 'instruction', 'none'] as const;
export type SteeringMethod = (typeof steeringMethods)[number];

/** By attribute. */
export type AppliedBy = Record<string, Exclude<SteeringMethod, 'none'>>;

export interface DialSetting {
  /** What `methodOf` says where nobody does. */
  method?: SteeringMethod | undefined;
  /** 1, the default, is the label as it is; above 1 the reply is pushed further. */
  strength?: number | undefined;
  against?: Against | undefined;
}

/** From a place in the reply on; what it does not name stays. */
export interface SchedulePart {
  after: Boundary;
  attributes?: RequestedAttributes | undefined;
  vectors?: VectorWeights | undefined;
}

/** What a reply is asked to be. */
export interface SteeringRequest extends DialSetting, VectorRequest {
  /** By name or alias; an absent attribute takes its default, null leaves it open. */
  attributes: RequestedAttributes;
  /** The attributes say what the reply should measure, not what it is asked for. */
  calibrated?: boolean | undefined;
  /** Attributes and weights of vectors that change on the way. */
  schedule?: readonly SchedulePart[] | undefined;
}

export interface LabelledPrompt {
  pieces: Piece[];
  /** The prompt under the label itself. */
  tokenIds: number[];
  /** Where the reply is drawn from other prompts than this one alone, or words are kept out of it. */
  phases?: Phase[] | undefined;
}

export interface SteeredPrompt extends LabelledPrompt {
  /** As asked, by canonical name. */
  requested: RequestedAttributes;
  applied: Label;
  appliedBy: AppliedBy;
  /** What the model's card keeps out of the reply because of what is applied. */
  badWords: string[];
  /** Levels the reply is to be read at: those applied, but where they were calibrated those asked for. */
  aim: Label;
  /** Where they were calibrated: what replies were measured to be where `applied` is asked for. */
  expected?: Label;
  /** The steering vectors it is written under. */
  vectors?: AddedVectors;
}

/** The labels a request leads to, one after the other. */
export interface SettledLabels
  extends Pick<SteeredPrompt, 'requested' | 'applied' | 'appliedBy' | 'badWords' | 'aim' | 'expected'> {
  /** After those applied first. */
  later: Label[];
}

/** The way attributes take where nobody names one. */
export function methodOf({ chat, schema }: Pick<LanguageModel, 'chat' | 'schema'>): SteeringMethod {
  if (schema.attributes.length === 0) return 'none';
  return chat === 'labels' ? 'label' : 'instruction';
}

/** How each attribute of the label reached the model. */
export function appliedBy(
  model: Pick<LanguageModel, 'chat' | 'schema'>,
  label: Label,
  method: SteeringMethod = methodOf(model),
): AppliedBy {
  return method === 'none' ? {} : Object.fromEntries(Object.keys(label).map((name) => [name, method]));
}

/** The prompts a request leads to. Throws what `settleLabels`, `refuseMixture`, `settleVectors` and the model's encoder throw. */
export async function steerPrompt(
  model: PromptModel,
  conversation: Conversation,
  request: SteeringRequest,
): Promise<SteeredPrompt> {
  const { later, ...settled } = settleLabels(model, request);
  refuseMixture(model, settled.applied, request);
  const { sums, ...added } = await settleVectors(model, request);
  const parts = { bounds: request.schedule?.map(({ after }) => after), sums };
  return { ...settled, ...added, ...(await labelPrompt(model, conversation, [settled.applied, ...later], request, parts)) };
}

/**
 * Encodes nothing. Throws unknown_attribute, attribute_out_of_range, or invalid_request where something is to be calibrated that was never measured.
 */
export function settleLabels(model: Omit<PromptModel, 'encode' | 'layOut'>, request: SteeringRequest): SettledLabels {
  const { schema } = model;
  const { calibrated = false, schedule = [] } = request;
  const method = settleMethod(model, request.method);
  if (calibrated && method !== methodOf(model)) throw neverMeasured(model.id, `attributes by ${method}`);
  const level = (asked: RequestedAttributes) => {
    return method === 'none' ? {} : applyAttributes(schema, calibrated ? calibrate(model, asked) : asked);
  };
  const requested = canonical(schema, request.attributes);
  const aim = applyAttributes(schema, requested);
  let asked = requested;
  const later = schedule.map(({ attributes = {} }, i) => {
    asked = { ...asked, ...namingField(`steering.schedule.${i}`, () => canonical(schema, attributes)) };
    return level(asked);
  });
  const applied = level(requested);
  const expected = calibrated ? { expected: expectedOf(model, requested, applied) } : {};
  const badWords = [applied, ...later].flatMap((label) => keptOut(model, label, request.strength).badWords ?? []);
  const told = { requested, applied, appliedBy: appliedBy(model, applied, method), badWords: [...new Set(badWords)] };
  return { ...told, aim, later, ...expected };
}

/**
 * Throws `invalid_request` where a model that cannot mix the scores of several prompts would have to, naming what asks for it; `param` is where the
 * strength was said.
 */
export function refuseMixture(
  { id, mixes }: Pick<LanguageModel, 'id' | 'mixes'>,
  label: Label,
  { strength = 1, calibrated = false }: { strength?: number | undefined; calibrated?: boolean | undefined },
  strengthParam = 'steering.strength',
): void {
  // At 0 nothing of the label is asked for.
  if (mixes || strength === 0) return;
  const refuse = (param: string, found: string) => {
    const message =
      `${found} needs the scores of several prompts, and ${id} runs on an upstream, which draws tokens from one by itself. ` +
      'Leave it out, or ask a model that runs on this server.';
    return new SteerError('invalid_request', message, { details: { param } });
  };
  if (strength !== 1) throw refuse(strengthParam, `${strengthParam} ${strength}`);
  const [name, level] = Object.entries(label).find(([, value]) => !Number.isInteger(value)) ?? [];
  if (name === undefined) return;
  const found = `${name} ${level}, between two levels,`;
  throw calibrated
    ? refuse('steering.calibrated', `steering.calibrated asks for ${found} which`)
    : refuse(`attributes.${name}`, found);
}

function settleMethod(model: Omit<PromptModel, 'encode' | 'layOut'>, asked: SteeringMethod = methodOf(model)): SteeringMethod {
  if (asked !== 'label' || model.chat === 'labels') return asked;
  throw new SteerError(
    'invalid_request',
    `steering.method: ${model.id} was not trained on labels. Leave it out, or ask for "instruction", which puts attributes in words.`,
    { details: { param: 'steering.method' } },
  );
}

/** Where the parts of a reply end, but for the last, and the sums of vectors they are written under. */
export interface Parts {
  bounds?: readonly Boundary[] | undefined;
  sums?: readonly (VectorSum | undefined)[] | undefined;
}

/** The prompts for one label after the other, each until its bound; the last holds to the end. */
export async function labelPrompt(
  model: Pick<PromptModel, 'schema' | 'badWords' | 'chat' | 'layOut' | 'encode'>,
  conversation: Conversation,
  labels: readonly Label[],
  { method = methodOf(model), strength = 1, against = 'null' }: DialSetting = {},
  { bounds = [], sums = [] }: Parts = {},
): Promise<LabelledPrompt> {
  const pieces = await layOutAsked(model, conversation, labels[0]!, method);
  const tokenIds = model.encode(pieces);
  const phases: Phase[] = [];
  for (const [i, label] of labels.entries()) {
    const branches: Branch[] = [];
    for (const { label: said, weight } of dial(model.schema, label, { strength, against })) {
      branches.push({ prompt: model.encode(await layOutAsked(model, conversation, said, method)), weight });
    }
    const vectorSum = sums[i];
    phases.push({ branches, until: bounds[i], ...keptOut(model, label, strength), ...(vectorSum ? { vectorSum } : {}) });
  }
  return isPlain(phases, tokenIds) ? { pieces, tokenIds } : { pieces, tokenIds, phases };
}

/** What the model's card keeps out of a reply that is asked for under the label; at strength 0 nothing of the label is asked for. */
export function keptOut({ badWords }: Pick<PromptModel, 'badWords'>, label: Label, strength = 1): Pick<Phase, 'badWords'> {
  const words = strength === 0 ? [] : badWordsUnder(badWords, label);
  return words.length === 0 ? {} : { badWords: words };
}

/** Token ids of a text for the model to go on with. */
export function rawPrompt(model: Pick<LanguageModel, 'beginning' | 'encode'>, text: string): number[] {
  return model.encode([...(model.beginning ?? []), { text, trained: false }]);
}

/** The prompt that asks for the next reply under one label, told in the way the method says. */
export function layOutAsked(
  model: Pick<PromptModel, 'schema' | 'chat' | 'layOut'>,
  conversation: Conversation,
  label: Label,
  method: SteeringMethod = methodOf(model),
): Promise<Piece[]> {
  if (method === 'label') return model.layOut(conversation, label);
  const words = method === 'instruction' ? instructionText(model.schema, label) : '';
  return model.layOut(withInstruction(conversation, words), {});
}

/** Drawn from this one prompt from start to end, whatever it says. At strength 0 one prompt is left, and it is another. */
function isPlain([first, ...later]: Phase[], tokenIds: readonly number[]): boolean {
  const [only, ...others] = first!.branches;
  if (later.length > 0 || others.length > 0 || first!.badWords || first!.vectorSum) return false;
  return only!.prompt.length === tokenIds.length && only!.prompt.every((id, i) => id === tokenIds[i]);
}

/** What to ask for so that replies measure what was asked. Throws `invalid_request` for an attribute whose curve nobody measured. */
function calibrate(
  { id, schema, curves = {} }: Pick<PromptModel, 'id' | 'schema' | 'curves'>,
  asked: RequestedAttributes,
): RequestedAttributes {
  const capped = applyAttributes(schema, asked);
  return Object.fromEntries(
    Object.entries(asked).map(([name, value]) => {
      if (value === null) return [name, null];
      const curve = own(curves, name);
      if (curve) return [name, requestFor(curve, capped[name] as number).requested];
      throw neverMeasured(id, name);
    }),
  );
}

function neverMeasured(id: string, what: string): SteerError {
  return new SteerError(
    'invalid_request',
    `steering.calibrated: what ${id} gives where ${what} is asked for was never measured. Leave it out, or run: steer evaluate steering.`,
    { details: { param: 'steering.calibrated' } },
  );
}

/** What replies were measured to be under a calibrated label, of each attribute that was asked for. */
function expectedOf({ curves = {} }: Pick<PromptModel, 'curves'>, requested: RequestedAttributes, applied: Label): Label {
  const names = Object.keys(requested).filter((name) => own(applied, name) !== undefined);
  return Object.fromEntries(names.map((name) => [name, obtainedAt(own(curves, name)!, applied[name]!)]));
}

function canonical(schema: AttributeSchema, asked: RequestedAttributes): RequestedAttributes {
  applyAttributes(schema, asked);
  return Object.fromEntries(Object.entries(asked).map(([name, value]) => [findAttribute(schema, name).name, value]));
}

/** Runs `read`; a refusal names the field it is about. */
function namingField<T>(field: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof SteerError)) throw error;
    const param = `${field}.${error.details.param ?? 'attributes'}`;
    throw new SteerError(error.code, error.message, { cause: error, details: { param } });
  }
}
