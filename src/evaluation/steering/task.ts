// What an evaluation of steering is asked to do, and what follows from that before a model is opened: ways of asking, and attributes that all
// models understand alike.
import { SteerError } from '../../errors.ts';
import type { AttributeSchema } from '../../steerlm/attributes.ts';
import type { Against } from '../../steerlm/guidance.ts';
import type { Split } from '../../store/schema.ts';
import { attributesJudged } from './evaluation.ts';
import type { Condition } from './run.ts';

export interface Control {
  name: string;
  model: string;
}

export interface SteeringTask {
  model: string | undefined;
  judge: string;
  split: Split | 'all';
  promptsCount: number;
  seeds: number;
  grid: number;
  strength: readonly number[];
  against: Against;
  bestOf?: number | undefined;
  chooser?: string | undefined;
  controls: readonly Control[];
  textInstruction: boolean;
  base?: string | undefined;
  maxTokens: number;
  temperature: number;
  topP: number;
  frequencyPenalty: number;
  draws: number;
  force: boolean;
  seed: number;
}

export const steeringDefaults = {
  promptsCount: 40,
  seeds: 2,
  grid: 8,
  strength: [1],
  against: 'null',
  maxTokens: 160,
  temperature: 0.7,
  topP: 0.95,
  frequencyPenalty: 0,
  draws: 1000,
} as const;

/** What a control may be called. */
export const controlName = /^[A-Za-z0-9][A-Za-z0-9 ._-]{0,39}$/;

const plain: Condition = { name: 'plain prompt', strength: 1, against: 'null', bestOf: 1, inWords: false };

/** Ways of asking the model that is evaluated, the plain prompt first. */
export function conditionsOf({ strength, against, bestOf, textInstruction }: SteeringTask): Condition[] {
  const away = against === 'opposite' ? ', against the opposite' : '';
  const pushed = [...new Set(strength)].filter((x) => x !== 1);
  return [
    plain,
    ...pushed.map((x) => ({ ...plain, name: `strength ${x}${away}`, strength: x, against })),
    ...(bestOf === undefined ? [] : [{ ...plain, name: `best of ${bestOf}`, bestOf }]),
    ...(textInstruction ? [{ ...plain, name: 'asked in words', inWords: true }] : []),
  ];
}

/** How a control is asked. */
export function controlCondition(name: string): Condition {
  return { ...plain, name };
}

/** Throws invalid_request where only one of best-of and its chooser is named. */
export function refuseUnclear({ bestOf, chooser }: Pick<SteeringTask, 'bestOf' | 'chooser'>): void {
  if ((bestOf === undefined) === (chooser === undefined)) return;
  throw new SteerError(
    'invalid_request',
    'Expected --best-of N and --chooser MODEL together: the one says how many, the other which.',
  );
}

interface Described {
  id: string;
  schema: AttributeSchema;
}

/**
 * What all can be asked for and judged by. A control without attributes stands for no labels at all and is no reason to refuse. Throws invalid_request
 * when another control or the chooser lacks an attribute, or means other levels by it.
 */
export function attributesOfAll(
  own: Described,
  { judge, chooser, controls }: { judge: Described; chooser: Described | null; controls: readonly Described[] },
): string[] {
  const attributes = attributesJudged(own.schema, judge, own.id);
  const others = [
    ...controls
      .filter(({ schema }) => schema.attributes.length > 0)
      .map(({ id, schema }) => ({ id, known: attributesJudged(schema, judge, id) })),
    ...(chooser ? [{ id: chooser.id, known: attributesJudged(own.schema, chooser, own.id) }] : []),
  ];
  for (const { id, known } of others) {
    const missing = attributes.filter((name) => !known.includes(name));
    if (missing.length === 0) continue;
    throw new SteerError(
      'invalid_request',
      `Expected ${id} to know every attribute of ${own.id}, but it lacks ${missing.join(', ')}. Compare models of one schema.`,
    );
  }
  return attributes;
}
