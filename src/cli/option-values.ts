// Option values from the command line: text to what the program works with, refused in one line that says what was expected.
import { InvalidArgumentError } from 'commander';
import { type FormatName, formatNames } from '../datasets/formats/table.ts';
import type { LabelChoice } from '../datasets/samples.ts';
import type { VectorWeights } from '../generation/vector-weights.ts';
import type { RequestedAttributes } from '../steerlm/attributes.ts';
import { labelSources } from '../store/schema.ts';

/** Parser of whole numbers not below `least`. */
export function whole(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value >= least) return value;
    throw new InvalidArgumentError(`Expected a whole number, ${least} or more.`);
  };
}

/** Parser of numbers from `least` to `most`. */
export function between(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() !== '' && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`Expected a number from ${least} to ${most}.`);
  };
}

/** Parser of an option that may be given several times. */
export function collect(text: string, before: string[]): string[] {
  return [...before, text];
}

/** Name of a dataset format. */
export function format(text: string): FormatName {
  const known = formatNames.find((name) => name === text);
  if (known) return known;
  throw new InvalidArgumentError(`Expected one of ${formatNames.join(', ')}.`);
}

/** `latest`, or sources of labels in order of preference. */
export function labelChoice(text: string): LabelChoice {
  if (text === 'latest') return 'latest';
  return text.split(',').map((name) => {
    const source = labelSources.find((known) => known === name.trim());
    if (source) return source;
    throw new InvalidArgumentError(`Expected latest, or a list of ${labelSources.join(', ')}.`);
  });
}

/** `happy=0.8` added to the steering vectors asked for. */
export function vectorWeight(text: string, before: VectorWeights): VectorWeights {
  const [, name, value] = /^([^=\s]+)=([+-]?(?:\d+\.?\d*|\.\d+))$/.exec(text) ?? [];
  if (name !== undefined) return { ...before, [name]: Number(value) };
  throw new InvalidArgumentError('Expected NAME=WEIGHT like happy=0.8.');
}

/** `humor=4` added to the attributes asked for; `humor=open` leaves it to the model. */
export function attributeLevel(text: string, before: RequestedAttributes): RequestedAttributes {
  const [, name, value] = /^([^=\s]+)=(open|\d+(?:\.\d+)?)$/.exec(text) ?? [];
  if (name !== undefined) return { ...before, [name]: value === 'open' ? null : Number(value) };
  throw new InvalidArgumentError('Expected NAME=LEVEL like humor=4, or NAME=open to leave it to the model.');
}
