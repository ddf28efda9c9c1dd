// The formats by name, in the order in which detection asks them: the particular before the general.
import { alpaca } from './alpaca.ts';
import type { Format } from './format.ts';
import { helpsteer } from './helpsteer.ts';
import { nemo } from './nemo.ts';
import { nemoRegression } from './nemo-regression.ts';
import { openai } from './openai.ts';
import { openassistant } from './openassistant.ts';
import { preference } from './preference.ts';
import { sharegpt } from './sharegpt.ts';
import { plainText } from './text.ts';
import { topicalChat } from './topical-chat.ts';

export const formats = {
  openassistant,
  'topical-chat': topicalChat,
  'nemo-regression': nemoRegression,
  preference,
  nemo,
  sharegpt,
  openai,
  helpsteer,
  alpaca,
  text: plainText,
} as const satisfies Record<string, Format>;

export type FormatName = keyof typeof formats;
export const formatNames = Object.keys(formats) as FormatName[];

/** `name: description` of every format, one per line. */
export function describeFormats(): string {
  return formatNames.map((name) => `  ${name}: ${formats[name].description}`).join('\n');
}
