// What tells text unlike the shipped predictor's training: learnt from the conversations it was made from, without training it again.
import { writeGround } from '../src/model/ground.ts';
import { learnGround } from '../src/predictor/learn-ground.ts';
import { ratedReplies } from '../src/predictor/readings.ts';
import { conversationsOf } from './corpus-files.ts';
import { heldOut, recipes } from './recipes.ts';

/** Replies of the predictor's run on either side, as many held out as the run holds. */
export function taughtReplies(): { training: string[]; heldOut: string[] } {
  const sides = { train: [] as string[], validation: [] as string[] };
  let held = 0;
  for (const { conversation, split } of conversationsOf(recipes.predictor)) {
    if (split === 'validation' && ++held > heldOut) continue;
    for (const reply of ratedReplies({ kind: 'conversation', conversation }))
      sides[split].push(reply.conversation.turns.at(-1)!.content);
  }
  return { training: sides.train, heldOut: sides.validation };
}

/** Writes it into the predictor's folder. */
export async function makeGround(folder: string): Promise<void> {
  const { training, heldOut } = taughtReplies();
  await writeGround(folder, learnGround(training, heldOut));
}
