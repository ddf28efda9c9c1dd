// The dials a chat request may turn beyond its attributes, and what each choice tells of them.
import { z } from '@hono/zod-openapi';
import { vectorTokenChoices } from '../../engine/vector-sums.ts';
import { steeringMethods } from '../../generation/steered-prompt.ts';
import { recordOf } from '../../record-of.ts';
import { opposites } from '../../steerlm/guidance.ts';
import { RequestedAttributes } from './messages.ts';

const mostStrength = 5;
const mostCandidates = 16;
const mostParts = 8;

const Boundary = z
  .union([z.strictObject({ tokens: z.int().min(1) }), z.strictObject({ sentences: z.int().min(1).max(1000) })], {
    error: 'expected {"tokens": N} or {"sentences": N}, counted from the start of the reply',
  })
  .openapi('Boundary', { description: 'A place in the reply, counted from its start' });

export const VectorWeights = recordOf(z.string().max(64), z.number()).openapi({
  description: 'Weight by name of a steering vector, within its range (GET /v1/models/{id}/vectors); several add up',
  example: { happy: 0.8 },
});

/** What is said of vectors with a reply of any kind. */
export const vectorFields = {
  vectors: VectorWeights.nullish(),
  vector_tokens: z.enum(vectorTokenChoices).nullish().openapi({
    description:
      'The tokens vectors are added to: from the last one of the prompt on (`reply`, the default), or all (`all`), as llama.cpp does it, which reads the whole prompt anew for each request',
  }),
};

const SchedulePart = z
  .strictObject({ after: Boundary, attributes: RequestedAttributes.nullish(), vectors: VectorWeights.nullish() })
  .refine(({ attributes, vectors }) => attributes || vectors, { error: 'expected attributes, vectors or both' });

export const SteeringRequest = z
  .strictObject({
    measure: z
      .boolean()
      .nullish()
      .openapi({ description: 'Rate each reply with the predictor and tell it in `steering.measured`' }),
    predictor: z.string().max(256).nullish().openapi({
      description:
        'Model that rates replies for measure and best_of. Absent: the one of the attributes that the model was trained on; for any other model it has to be named',
    }),
    method: z
      .enum(steeringMethods)
      .nullish()
      .openapi({
        description:
          'How the attributes reach the model: as the `label` it was trained on, as an `instruction` in words at the end of what the user says, or not at all (`none`). ' +
          'Absent: the label where the model was trained on labels, else the instruction',
      }),
    strength: z
      .number()
      .min(0)
      .max(mostStrength)
      .nullish()
      .openapi({
        description:
          'How far the reply is pushed towards its attributes (classifier-free guidance): 1 or absent is the plain prompt, more exaggerates, ' +
          '0 ignores them. Other than 1 it runs a second sequence beside each reply',
      }),
    calibrated: z
      .boolean()
      .nullish()
      .openapi({
        description:
          'The attributes say what the reply should measure, not what the prompt should say: each is turned into what was measured to lead there ' +
          '(`obtained` of GET /v1/attributes). A level the model never reached becomes the nearest it did, and `steering.expected` of the reply tells which; for strength 1',
      }),
    against: z.enum(opposites).nullish().openapi({
      description:
        'What strength pushes away from: a prompt without attributes (`null`, the default) or one with the `opposite` of each',
    }),
    best_of: z.int().min(1).max(mostCandidates).nullish().openapi({
      description:
        'Write so many candidates for each reply and keep the one whose measured attributes lie nearest to those asked for',
    }),
    schedule: z.array(SchedulePart).min(1).max(mostParts).nullish().openapi({
      description:
        'Attributes and weights of vectors that change on the way: from each place on these hold on top of those before. 0 switches a vector off',
    }),
    ...vectorFields,
  })
  .superRefine(({ best_of, schedule, calibrated, strength }, context) => {
    if (calibrated && (strength ?? 1) !== 1) {
      const message = 'what leads where was measured at strength 1; leave calibrated or strength out';
      context.addIssue({ code: 'custom', path: ['calibrated'], message });
    }
    if ((best_of ?? 1) === 1 || !schedule) return;
    const message = 'candidates are compared under one set of attributes; leave best_of or schedule out';
    context.addIssue({ code: 'custom', path: ['best_of'], message });
  })
  .openapi('SteeringRequest');
