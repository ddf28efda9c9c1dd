// Steering measured by what replies a model writes: asks for them, has a predictor judge them, and turns that into figures, condition by
// condition. Reads and writes no files.

import { SteerError } from '../../errors.ts';
import type { LanguageModel } from '../../generation/language-model.ts';
import type { Predictor } from '../../predictor/predictor.ts';
import { type AttributeSchema, type Label, maxLevel } from '../../steerlm/attributes.ts';
import type { Conversation } from '../../steerlm/conversation.ts';
import { figuresApart } from '../figures-apart.ts';
import type { ReplyFluency } from '../likelihood/fluency.ts';
import type { ConditionFigures } from './condition-figures.ts';
import type { JudgeGround } from './report-data.ts';
import { type AskingOptions, answerAsks, type Condition, planAsks, type Said } from './run.ts';

export interface EvaluationOptions extends AskingOptions {
  /** Slopes between the labels of data, for the leakage it explains; null without. */
  data: number[][] | null;
  /** Draws of the intervals and of the permutation test. */
  draws: number;
  /** How likely the last turn of each conversation is under a model that never saw a label. */
  fluency?: ((conversations: Conversation[], signal: AbortSignal) => Promise<ReplyFluency[]>) | undefined;
  /** Told after each reply. */
  onReply?: (() => void) | undefined;
  signal: AbortSignal;
}

/** The attributes of a model that a predictor can judge. Throws invalid_request when there are none, or when the two mean other levels by one. */
export function attributesJudged(schema: AttributeSchema, judge: Pick<Predictor, 'id' | 'schema'>, model: string): string[] {
  if (schema.attributes.length === 0) {
    throw new SteerError(
      'invalid_request',
      `Expected a model that was trained with attributes, ${model} has none to steer. Fine-tune it first: steer finetune.`,
    );
  }
  const judged = schema.attributes.flatMap((attribute) => {
    const theirs = judge.schema.attributes.find(({ name }) => name === attribute.name);
    if (!theirs) return [];
    if (theirs.levels.length === attribute.levels.length) return [attribute.name];
    throw new SteerError(
      'invalid_request',
      `${model} knows ${attribute.name} from 0 to ${maxLevel(attribute)}, ${judge.id} rates it from 0 to ${maxLevel(theirs)}. Name a predictor of the same scale.`,
    );
  });
  if (judged.length > 0) return judged;
  const [own, theirs] = [schema, judge.schema].map(({ attributes }) => attributes.map(({ name }) => name).join(', '));
  throw new SteerError('invalid_request', `${judge.id} rates none of ${own}; it rates ${theirs}. Name another predictor.`);
}

/** Replies that `onReply` will be told of for each condition. */
export function repliesPlanned(schema: AttributeSchema, prompts: number, options: AskingOptions): number {
  return planAsks(schema, prompts, options).length;
}

/** The figures of one way of asking. `schema` is the evaluated model's, so that a control is asked the same. Throws what the models throw. */
export async function evaluateCondition(
  { model, judge, schema }: { model: LanguageModel; judge: Predictor; schema: AttributeSchema },
  condition: Condition,
  prompts: readonly Conversation[],
  options: EvaluationOptions,
): Promise<ConditionFigures & { ground?: JudgeGround }> {
  const { attributes, data, draws, seed, signal, onReply = () => {} } = options;
  const asks = planAsks(schema, prompts.length, options);
  const said = await answerAsks(model, condition, prompts, asks, { ...options, onReply });
  const { obtained, ground } = await judgeAll(judge, said, attributes, signal);
  const judged = said.map((each, i) => ({ ...each, obtained: obtained[i]! }));
  const fluency = options.fluency
    ? await options.fluency(
        said.map(({ conversation }) => conversation),
        signal,
      )
    : null;
  const figures = await figuresApart('condition', { schema, attributes, judged, fluency, data, draws, seed }, signal);
  return { ...figures, ...(ground && { ground }) };
}

/** Replies judged at once. */
const judgedTogether = 64;

async function judgeAll(
  judge: Predictor,
  said: readonly Said[],
  names: readonly string[],
  signal: AbortSignal,
): Promise<{ obtained: Label[]; ground: JudgeGround | null }> {
  const obtained: Label[] = [];
  let [known, unlike] = [false, 0];
  for (let from = 0; from < said.length; from += judgedTogether) {
    const part = said.slice(from, from + judgedTogether).map(({ conversation }) => conversation);
    for (const { attributes, ground } of await judge.score(part, signal)) {
      known ||= ground !== undefined;
      if (ground?.unlike) unlike++;
      obtained.push(Object.fromEntries(names.map((name) => [name, attributes[name]!.value])));
    }
  }
  return { obtained, ground: known ? { replies: said.length, unlike } : null };
}
