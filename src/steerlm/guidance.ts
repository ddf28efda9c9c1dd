// The dial: from what a caller asks to the labels whose prompts are mixed, each with its weight. Guidance after Ho & Salimans 2022 (classifier-free)
// and Sanchez et al. 2023 (language models): strength · asked + (1 − strength) · against.
import { own } from '../own.ts';
import { type AttributeSchema, type Label, maxLevel } from './attributes.ts';

/** What replies are pushed away from: no label at all, or the opposite end of every scale that was asked for. */
export const opposites = ['null', 'opposite'] as const;
export type Against = (typeof opposites)[number];

export interface WeightedLabel {
  label: Label;
  weight: number;
}

/**
 * Labels of whole levels whose weights sum to 1 and whose weighted mean is `label`: with k values between levels, at most k + 1 of them.
 * The corners of the simplex that holds the point, so that neighbouring values share all labels but one (Kuhn 1960).
 */
export function betweenLevels(label: Label): WeightedLabel[] {
  const floor = Object.fromEntries(Object.entries(label).map(([name, value]) => [name, Math.floor(value)]));
  const rest = Object.entries(label)
    .map(([name, value]) => ({ name, part: value - Math.floor(value) }))
    .filter(({ part }) => part > 0)
    .toSorted((a, b) => b.part - a.part);
  let corner: Label = floor;
  let before = 1;
  const corners: WeightedLabel[] = [];
  for (const { name, part } of rest) {
    corners.push({ label: corner, weight: before - part });
    corner = { ...corner, [name]: corner[name]! + 1 };
    before = part;
  }
  corners.push({ label: corner, weight: before });
  return corners.filter(({ weight }) => weight > 0);
}

/** The labels a reply is mixed from. strength 1 is the label as it is, 0 what it is pushed away from, above 1 further than was asked. */
export function dial(schema: AttributeSchema, label: Label, { strength = 1, against = 'null' as Against } = {}): WeightedLabel[] {
  const asked = betweenLevels(label).map((corner) => ({ ...corner, weight: strength * corner.weight }));
  if (strength === 1) return asked;
  const away = against === 'null' ? {} : opposite(schema, label);
  return [...asked, { label: away, weight: 1 - strength }].filter(({ weight }) => weight !== 0);
}

/** Every value at the other end of its scale, the farther one from the middle. */
function opposite(schema: AttributeSchema, label: Label): Label {
  return Object.fromEntries(
    schema.attributes.flatMap((attribute) => {
      const value = own(label, attribute.name);
      return value === undefined ? [] : [[attribute.name, 2 * value > maxLevel(attribute) ? 0 : maxLevel(attribute)]];
    }),
  );
}
