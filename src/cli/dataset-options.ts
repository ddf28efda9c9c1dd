// Values of the options that say how a dataset is read: its format, and whose labels count.
import { InvalidArgumentError } from 'commander';
import { type FormatName, formatNames } from '../datasets/formats/table.ts';
import type { LabelChoice } from '../datasets/samples.ts';
import { labelSources } from '../store/schema.ts';

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
