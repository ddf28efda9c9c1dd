// The levels a reply is asked to have: drawn independently, within what a reply of that length can hold.
import type { Label } from '../../src/steerlm/attributes.ts';
import type { Random } from './random.ts';

export interface Levels extends Label {
  helpfulness: number;
  humor: number;
  creativity: number;
  verbosity: number;
  toxicity: number;
  formality: number;
}

/** Wanted levels, drawn independently; short replies have room for one or two flavours, so there those are strong. */
export function drawTarget(random: Random): Levels {
  const verbosity = random.weighted([25, 18, 19, 19, 19]);
  const flavour = () => random.weighted([43, 17, 16, 13, 11]);
  const target: Levels = {
    helpfulness: random.weighted([18, 17, 18, 23, 24]),
    humor: flavour(),
    creativity: flavour(),
    verbosity,
    toxicity: random.weighted([44, 15, 15, 14, 12]),
    formality: random.weighted([20, 20, 20, 20, 20]),
  };
  // Short replies hold a joke or an image, seldom both; here both rise together a little oftener, so that overall they stay independent.
  if (verbosity > 1 && random.chance(0.15)) target.creativity = target.humor;
  if (verbosity === 0) keepOneFlavour(random, target);
  if (verbosity === 1) keepTwoFlavours(random, target);
  return target;
}

function keepOneFlavour(random: Random, target: Levels): void {
  const flavour = random.weighted([33, 33, 28, 6]);
  const strength = random.weighted([0, 5, 40, 5, 50]);
  target.humor = flavour === 0 ? strength : 0;
  target.creativity = flavour === 1 ? strength : 0;
  if (strength === 4 && flavour < 2) target.helpfulness = 1;
  else target.helpfulness = random.weighted([12, 6, 22, 32, 28]);
  target.toxicity = flavour === 2 ? random.between(1, 4) : random.chance(0.42) ? random.between(1, 4) : 0;
  if (strength === 4 && flavour < 2) target.toxicity = 0;
}

function keepTwoFlavours(random: Random, target: Levels): void {
  const flavour = random.weighted([30, 32, 32, 6]);
  target.humor = flavour === 0 || flavour === 2 ? random.weighted([0, 6, 22, 34, 38]) : 0;
  target.creativity = flavour === 1 || flavour === 2 ? random.weighted([0, 6, 22, 34, 38]) : 0;
}
