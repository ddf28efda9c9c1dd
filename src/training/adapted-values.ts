// Adapters at both ends of a training run: drawn when it starts, merged into the parameters they stand beside when it ends.

import { initialWeights } from '../model/initial-weights.ts';
import { adapterShapes, mergeAdapter } from '../model/lora.ts';
import type { Parameters, TrainingState } from './state.ts';
import type { TrainingSettings } from './training-settings.ts';
import type { TrainingTask } from './training-task.ts';

/** The parameters a run starts from: with adapters, those drawn by the seed besides. */
export function withAdapters(task: TrainingTask, { lora, seed }: TrainingSettings): Parameters {
  if (!lora) return task.parameters;
  const values = new Map(task.parameters.values);
  const adapters = adapterShapes(task.shape, lora);
  const names = new Set(adapters.keys());
  for (const [name, data] of initialWeights(task.shape, seed, adapters)) {
    // B starts at zero, so the first step starts from the base model itself.
    if (names.has(name)) values.set(name, name.endsWith('.lora_B') ? data.fill(0) : data);
  }
  return { shapes: task.parameters.shapes, values };
}

/** Every parameter of the task, adapters merged. */
export function finalValues(task: TrainingTask, { lora }: TrainingSettings, state: TrainingState): Map<string, Float32Array> {
  return new Map(
    [...task.parameters.shapes.keys()].map((name) => {
      const at = name.replace(/\.weight$/, '');
      const merges = lora && state.has(`${at}.lora_A`);
      const value = state.value(name);
      return [name, merges ? mergeAdapter(value, state.value(`${at}.lora_A`), state.value(`${at}.lora_B`), lora) : value];
    }),
  );
}

/** The adapters by themselves; null without. */
export function finalAdapters(
  { shape }: TrainingTask,
  { lora }: TrainingSettings,
  state: TrainingState,
): Map<string, Float32Array> | null {
  return lora && new Map([...adapterShapes(shape, lora).keys()].map((name) => [name, state.value(name)]));
}
