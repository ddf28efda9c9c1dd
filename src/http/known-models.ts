// The models that feedback may speak of, served or not.
import type { KnownModels } from '../feedback/feedback.ts';
import type { Models } from '../registry/models.ts';
import type { Label } from '../steerlm/attributes.ts';

/** What is left of a model that is no longer served is what was applied to its replies: the names, on the scale of 0 to 4. */
export function knownModels(models: Models): KnownModels {
  return {
    schemaOf({ model, applied }) {
      const card = models.list().find(({ id, kind }) => id === model && kind === 'language');
      return card?.schema ?? { name: model, version: 0, attributes: Object.keys(applied).map(attributeOfApplied) };
    },
    isModel(name) {
      return models
        .list()
        .some(({ id, aliases }) => [id, ...aliases].some((known) => known.toLowerCase() === name.toLowerCase()));
    },
  };
}

function attributeOfApplied(name: keyof Label) {
  const levels = Array.from({ length: 5 }, (_, level) => `level ${level}`);
  return { name, aliases: [], description: '', levels, default: null, cap: 4 };
}
