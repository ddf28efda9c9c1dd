// steer evaluate: how well a model does what it was trained for, as reports to keep. Each kind of evaluation is a command of its own.
import { Command } from 'commander';
import { evaluateLikelihoodCommand } from './evaluate-likelihood.ts';
import { evaluatePredictorCommand } from './evaluate-predictor.ts';
import { evaluateSteeringCommand } from './evaluate-steering.ts';
import type { Surroundings } from './surroundings.ts';

/** The command and what it evaluates. */
export function evaluateCommand(surroundings: Surroundings): Command {
  return new Command('evaluate')
    .summary('measure how good a model is')
    .description('Measures a model on held-out data and writes a report: JSON to compute with, Markdown to read, SVG to look at.')
    .addCommand(evaluatePredictorCommand(surroundings))
    .addCommand(evaluateLikelihoodCommand(surroundings))
    .addCommand(evaluateSteeringCommand(surroundings))
    .addHelpText(
      'after',
      '\nExample:\n  steer evaluate predictor --model apm --dataset ratings\n  steer evaluate steering --model npc --judge apm --dataset talk',
    );
}
