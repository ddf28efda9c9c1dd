// What a model was made from, over all the runs behind it. Pure.
import type { ModelCard } from './model-folder.ts';

type Datasets = ModelCard['datasets'];

/**
 * Data of a run after that of the model it goes on from: what a second round was trained on was seen in the first. A run that teaches labels leaves
 * out the texts of a base, which taught nobody a label: a judge made from the same base is no worse for them.
 */
export function datasetsBehind(own: Datasets, parent: ModelCard | null, teaches: 'texts' | 'labels'): Datasets {
  const earlier = parent && (teaches === 'texts' || parent.kind !== 'base') ? parent.datasets : [];
  return [...earlier.filter(({ hash }) => own.every((each) => each.hash !== hash)), ...own];
}
