// Option values from the command line: text to what the program works with, refused in one line that says what was expected.
import { InvalidArgumentError } from 'commander';
import type { VectorWeights } from '../generation/vector-weights.ts';
import type { RequestedAttributes } from '../steerlm/attributes.ts';

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
