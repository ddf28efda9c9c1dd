// Whose labels a command takes, said on standard error with the option that chooses others.
import { type ChosenLabels, describeLabels } from '../datasets/label-makers.ts';
import { note } from './surroundings.ts';

/** Notes it for each dataset. */
export function noteLabels(chosen: readonly ChosenLabels[]): void {
  for (const line of chosen.flatMap((each) => describeLabels(each, labelsOption))) note(line);
}

/** The option that prefers these sources. */
export const labelsOption = (sources: string) => `--labels ${sources}`;
