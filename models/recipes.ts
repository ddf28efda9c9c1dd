// What each shipped model is made from, and on what it is measured. Makes nothing.

export const models = { base: 'npc-base', predictor: 'npc-predictor', steered: 'npc' };

/** Rows of a batch, and tokens of a row: replies that stand alone are short, a whole conversation fills a row as long as the context. */
const short = { B: 8, T: 256 };
const whole = { B: 4, T: 512 };

/**
 * Conversations each model is made from; every run has a seed of its own, so the predictor judges replies it was not trained beside.
 * Exchanges come first: among whole conversations a new model learns what replies look like long before it learns to look at the
 * player's line, and short replies right after a line teach that in a few hundred steps.
 */
export const recipes = {
  exchanges: { seed: 1, conversations: 120_000, epochs: 2, learningRate: 2e-3, ...short },
  base: { seed: 2, conversations: 40_000, epochs: 1, learningRate: 2e-3, ...whole },
  predictor: { seed: 3, conversations: 40_000, epochs: 1, learningRate: 8e-4, ...short },
  steered: { seed: 4, conversations: 110_000, epochs: 1, learningRate: 1.5e-3, ...whole },
};

/** Conversations held out of every run. */
export const heldOut = 400;
