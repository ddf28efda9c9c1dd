// An attribute schema somebody wrote, checked and completed: in a file, or in the body of a request.
import { z } from 'zod';

const AttributeName = z.string().regex(/^[a-z][a-z0-9_-]{0,63}$/, 'expected lower-case letters, digits, dashes or underscores');

const WrittenAttribute = z
  .strictObject({
    name: AttributeName,
    aliases: z.array(z.string()).default([]),
    description: z.string().default(''),
    levels: z.array(z.string()).min(2, 'expected at least two levels, lowest first'),
    instructions: z.array(z.string()).optional(),
    default: z.int().min(0).nullable().default(null),
    resting: z.int().min(0).optional(),
    cap: z.int().min(0).optional(),
  })
  .transform(({ cap, ...rest }) => ({ ...rest, cap: cap ?? rest.levels.length - 1 }))
  .refine(({ levels, cap }) => cap < levels.length, { path: ['cap'], error: 'is above the highest level' })
  .refine(({ levels, instructions = levels }) => instructions.length === levels.length, {
    path: ['instructions'],
    error: 'expected one text for each level',
  })
  .refine(({ levels, default: level, resting = 0 }) => Math.max(level ?? 0, resting) < levels.length, {
    path: ['default'],
    error: 'is above the highest level',
  });

/** Gives an AttributeSchema. */
export const WrittenSchema = z.strictObject({
  name: z.string().min(1),
  version: z.int().default(1),
  attributes: z
    .array(WrittenAttribute)
    .min(1)
    .refine((all) => new Set(all.map((each) => each.name)).size === all.length, 'two attributes have the same name'),
});
