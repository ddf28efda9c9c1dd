// Whose labels a job or an export took, and whose were passed over, as callers see it.
import { z } from '@hono/zod-openapi';
import type { ChosenLabels } from '../../datasets/label-makers.ts';
import { labelSources } from '../../store/schema.ts';

const LabelMaker = z.object({
  source: z.enum(labelSources),
  author: z.string().openapi({ description: 'Raters, model, format or rule' }),
  revision: z.string().nullable(),
  labels: z.int(),
});

export const ChosenLabelsObject = z
  .object({
    dataset: z.string(),
    choice: z
      .union([z.literal('latest'), z.array(z.enum(labelSources))])
      .openapi({ description: 'The newest label of a turn and attribute, or makers of labels by preference' }),
    counted: z.array(LabelMaker),
    passed_over: z
      .array(LabelMaker)
      .openapi({ description: 'Labels in whose place another counts, or of makers that were not asked for' }),
  })
  .openapi('ChosenLabels');

/** Makers of either kind in a header, which has little room. */
const mostMakers = 20;

/** As JSON in the characters a header may hold. */
export function toLabelsHeader({ counted, passed_over, ...rest }: ChosenLabels): string {
  const told = { ...rest, counted: counted.slice(0, mostMakers), passed_over: passed_over.slice(0, mostMakers) };
  const escaped = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return JSON.stringify(told).replaceAll(/[^\x20-\x7e]/g, escaped);
}
