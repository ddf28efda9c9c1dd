// What each shipped model is made from, and on what it is measured. Makes nothing.

/** What every shipped card says of its model, shown wherever it is. */
export const description =
  "An offline demonstration and the tests' model: it knows its own small game world and nothing else. For a real language model: npx steer pull smollm2-135m";

export const models = { base: 'npc-base', predictor: 'npc-predictor', steered: 'npc' };

/**
 * Rows of a batch, and tokens of a row: exchanges are short, a whole conversation fills a row as long as the context. Only replies are trained, a third
 * of an exchange's tokens and four in nine of a conversation's.
 */
const short = { B: 4, T: 256 };
const whole = { B: 2, T: 512 };
const labelled = { B: 4, T: 512 };

/**
 * Conversations each model is made from; every run has a seed of its own, so the predictor judges replies it was not trained beside.
 * Copies come first: lines said again and questions after what was just said are what keeps the induction heads a new model starts with, until it
 * finds everything by them; without those minutes it lost them within some hundred steps. Some stay in every
 * run: among whole conversations alone it forgets them.
 * Exchanges are next: among whole conversations a new model learns what replies sound like long before it learns to look at the player's
 * line, and a line with its plain answer teaches that soonest. A model that went through fewer of them, with jokes and registers among them,
 * never quite listened, whatever it was taught later.
 * Labelled conversations come in two rounds: after the first the held-out loss still falls, jokes and images are often left out, and a name of rare
 * pieces (Balthasar) is cut short or kept back. In the second round a third of the characters and towns have names of any letters.
 * A tenth of the replies the predictor learns from answer something else than what was asked, so that talking past a question is no help.
 */
export const recipes = {
  copies: { seed: 6, conversations: 22_000, epochs: 1, learningRate: 2e-3, repeats: 0.3, lookups: 0.35, ...short },
  exchanges: { seed: 1, conversations: 130_000, epochs: 1, learningRate: 2e-3, repeats: 0.05, lookups: 0.25, ...short },
  base: { seed: 2, conversations: 25_000, epochs: 1, learningRate: 2e-3, copies: 0.4, ...whole },
  predictor: { seed: 3, conversations: 40_000, epochs: 1, learningRate: 7e-4, strays: 0.1, ...short },
  steered: { seed: 4, conversations: 90_000, epochs: 1, learningRate: 1.5e-3, copies: 0.4, ...labelled },
  settled: { seed: 5, conversations: 75_000, epochs: 1, learningRate: 1e-3, copies: 0.4, spelled: 0.6, ...labelled },
};

/** How much of its labels the steered model is not told; callers mostly send whole labels, since every attribute has a default. */
export const dropout = { label: 0.1, attribute: 0.05, partial: 0.25 };

/**
 * How the steered model's replies are drawn where a caller does not say: what it is measured at. Having learnt to copy, it says a sentence of its own again
 * now and then; the penalty makes that rarer.
 */
export const drawn = { temperature: 0.5, topP: 0.95, frequencyPenalty: 0.5 };

/** Conversations held out of every run. */
export const heldOut = 400;
