// Models as people look for them: the checkpoints of a training run under the model that it makes, since a short run leaves more of them than there are models.
import type { Model } from '../../openapi/schemas.d.ts';

export interface ModelGroup {
  name: string;
  /** Undefined while the run goes on. */
  model: Model | undefined;
  /** The latest first. */
  checkpoints: { step: number; model: Model }[];
}

/** As the server names the model of a checkpoint: that of the run, and the step. */
const checkpointName = /^(.+):ckpt-step-(\d+)$/;

/** In the order of the models. */
export function groupModels(models: readonly Model[]): ModelGroup[] {
  const groups = new Map<string, ModelGroup>();
  for (const model of models) {
    const [, run, step] = checkpointName.exec(model.id) ?? [];
    const name = run ?? model.id;
    const group = groups.get(name) ?? { name, model: undefined, checkpoints: [] };
    groups.set(name, group);
    if (run === undefined) group.model = model;
    else group.checkpoints.push({ step: Number(step), model });
  }
  for (const { checkpoints } of groups.values()) checkpoints.sort((a, b) => b.step - a.step);
  return [...groups.values()];
}
