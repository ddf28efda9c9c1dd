// Steering measured by what replies a model writes: asks for them, has a predictor judge them, and turns that into figures, condition by
// condition. Reads and writes no files.
import type { Predictor } from '../attributes/predictor.ts';
import { SteerError } from '../errors.ts';
import type { LanguageModel } from '../generation/language-model.ts';
import { type Interval, mean } from '../statistics.ts';
import { type AttributeSchema, type Conversation, type Label, maxLevel } from '../steerlm.ts';
import { perplexityCost, perplexityOf, type ReplyFluency } from './fluency.ts';
import { type GridReport, gridOf } from './grid-figures.ts';
import { type LeakageReport, leakageOf } from './leakage.ts';
import { byPrompt, type WrittenReply } from './observations.ts';
import { holm, permutationP } from './permutation.ts';
import { type AttributeFollowing, type DrawOptions, followingOf } from './steering-figures.ts';
import { type Ask, type AskingOptions, answerAsks, type Condition, planAsks, type Said } from './steering-run.ts';
import { healthOf, type TextHealth } from './text-health.ts';
import { proxyTable } from './text-proxies.ts';

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

export interface FollowedAttribute extends AttributeFollowing {
  /** Chance that replies which follow nothing look as steered, alone and among all attributes (Holm). */
  p_value: number;
  p_holm: number;
}

export interface ConditionFigures {
  attributes: Record<string, FollowedAttribute>;
  leakage: LeakageReport;
  grid: GridReport | null;
  text: TextHealth;
  /** Under a model that never saw a label: perplexity of what was asked for, and how much more that is than without a label; null unless measured. */
  fluency: { perplexity: Interval; cost: Interval } | null;
  /** [attribute][count]: rank correlation within prompts of what is asked for and a count of the text. */
  proxies: ReturnType<typeof proxyTable>;
}

type Judged = Said & WrittenReply;

/** The attributes of a model that a predictor can judge. Throws invalid_request when there are none, or when the two mean other levels by one. */
export function attributesJudged(schema: AttributeSchema, judge: Pick<Predictor, 'id' | 'schema'>, model: string): string[] {
  if (schema.attributes.length === 0) {
    throw new SteerError(
      'invalid_request',
      `Expected a model that was trained with attributes, ${model} has none to steer. Fine-tune it first: steer finetune --help.`,
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
): Promise<ConditionFigures> {
  const { signal, onReply = () => {} } = options;
  const asks = planAsks(schema, prompts.length, options);
  const said = await answerAsks(model, condition, prompts, asks, { ...options, onReply });
  const obtained = await judgeAll(judge, said, options.attributes, signal);
  const judged = said.map((each, i) => ({ ...each, obtained: obtained[i]! }));
  const fluency = await options.fluency?.(
    said.map(({ conversation }) => conversation),
    signal,
  );
  return { ...figuresOf(schema, judged, options), fluency: fluency ? fluencyOf(judged, fluency, options.seed) : null };
}

function fluencyOf(judged: readonly Judged[], found: readonly ReplyFluency[], seed: number): ConditionFigures['fluency'] {
  const replies = judged.map(({ kind, prompt }, i) => ({ kind, ...found[i]!, group: String(prompt) }));
  const asked = replies.filter(({ kind }) => kind === 'sweep' || kind === 'target');
  const free = replies.filter(({ kind }) => kind === 'unlabelled');
  return { perplexity: perplexityOf(asked, seed).perplexity, cost: perplexityCost(asked, free, seed) };
}

/** Replies judged at once. */
const judgedTogether = 64;

async function judgeAll(
  judge: Predictor,
  said: readonly Said[],
  names: readonly string[],
  signal: AbortSignal,
): Promise<Label[]> {
  const obtained: Label[] = [];
  for (let from = 0; from < said.length; from += judgedTogether) {
    const part = said.slice(from, from + judgedTogether).map(({ conversation }) => conversation);
    for (const { attributes } of await judge.score(part, signal)) {
      obtained.push(Object.fromEntries(names.map((name) => [name, attributes[name]!.value])));
    }
  }
  return obtained;
}

function figuresOf(
  schema: AttributeSchema,
  judged: readonly Judged[],
  { attributes, data, draws, seed }: EvaluationOptions,
): Omit<ConditionFigures, 'fluency'> {
  const drawing: DrawOptions = { draws, seed };
  const sweep = ofKind(judged, 'sweep').map((reply) => {
    const [[attribute, requested]] = Object.entries(reply.asked) as [[string, number]];
    return { ...reply, attribute, requested };
  });
  const targets = ofKind(judged, 'target').map((reply) => ({ ...reply, target: reply.asked }));
  const followed = attributes.map((name) => followingOf(name, sweep, drawing));
  const p = attributes.map((name) => permutationP(name, sweep, drawing));
  const adjusted = holm(p);
  const scales = Object.fromEntries(
    schema.attributes.filter(({ name }) => attributes.includes(name)).map((attribute) => [attribute.name, maxLevel(attribute)]),
  );
  return {
    attributes: Object.fromEntries(
      attributes.map((name, i) => [name, { ...followed[i]!, p_value: p[i]!, p_holm: adjusted[i]! }]),
    ),
    leakage: leakageOf(attributes, sweep, { data, ...drawing }),
    grid: gridOf(scales, targets, originsOf(judged, attributes), drawing),
    text: healthOf(schema, [...sweep, ...targets], drawing),
    proxies: proxyTable(attributes, sweep, drawing),
  };
}

function ofKind(judged: readonly Judged[], kind: Ask['kind']): Judged[] {
  return judged.filter((reply) => reply.kind === kind);
}

/** What is obtained of each prompt when nothing is asked for. */
function originsOf(judged: readonly Judged[], attributes: readonly string[]): Map<number, Label> {
  const groups = byPrompt(ofKind(judged, 'origin'));
  return new Map(
    groups.map((group) => [
      group[0]!.prompt,
      Object.fromEntries(attributes.map((name) => [name, mean(group.map(({ obtained }) => obtained[name]!))])),
    ]),
  );
}
