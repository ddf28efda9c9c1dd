// The report of a likelihood evaluation: JSON to compute with and Markdown to read. Pure.

import type { ChosenLabels } from '../../datasets/label-makers.ts';
import { counted } from '../../number-text.ts';
import { own } from '../../own.ts';
import { type AttributeSchema, maxLevel } from '../../steerlm/attributes.ts';
import { intervalText, makersText, markdownTable, numberText, percent, plain, roundedDeep } from '../report/report-text.ts';
import type { LikelihoodEvaluation } from './evaluation.ts';
import type { Perplexity } from './fluency.ts';
import type { OverTraining } from './label-figures.ts';
import type { LabelInformation, LengthClass } from './label-information.ts';
import type { Novelty } from './novelty.ts';
import type { Calibration, TokenCalibration } from './token-calibration.ts';

export interface LikelihoodReportHead {
  model: { name: string; revision: string };
  base: { name: string; revision: string };
  data: { name: string; hash: string; split: string; labels: string | readonly string[] };
  /** null for a file. */
  label_makers: ChosenLabels | null;
  seen_in_training: boolean;
  settings: { seed: number; limit: number };
  created_at: string;
}

/** Files of the report by name. */
export function likelihoodReportFiles(
  head: LikelihoodReportHead,
  schema: AttributeSchema,
  evaluation: LikelihoodEvaluation,
  novelty: Novelty | null,
): Record<'likelihood.json' | 'likelihood.md', string> {
  const report = { format_version: 1, ...head, ...evaluation, novelty };
  return {
    'likelihood.json': `${JSON.stringify(roundedDeep(report), null, 2)}\n`,
    'likelihood.md': markdown(head, schema, evaluation, novelty),
  };
}

function markdown(
  { model, base, data, label_makers, seen_in_training, settings, created_at }: LikelihoodReportHead,
  schema: AttributeSchema,
  {
    label_information: information,
    by_length,
    left_out,
    kl_to_base,
    over_training,
    calibration,
    fluency,
    notes,
  }: LikelihoodEvaluation,
  novelty: Novelty | null,
): string {
  const { replies, groups, tokens } = information;
  const left =
    left_out > 0 ? ` Left out, since ${left_out === 1 ? 'it does' : 'they do'} not fit the context: ${left_out} more.` : '';
  const sections = [
    `# Likelihood: ${plain(model.name)}`,
    `What ${plain(model.name)} (${model.revision}) makes of ${counted(replies, 'reply')} of ${plain(data.name)}, split ${data.split}, drawn as ${counted(groups, 'group')} of what hangs together, ${counted(tokens, 'token')}.${left} Base: ${plain(base.name)} (${base.revision}). Seed ${settings.seed}, ${created_at}. Figures stand with the interval that holds 95 % of bootstrap draws.`,
    ...makersText(label_makers),
    ...(seen_in_training ? ['**The model was trained on these replies: the figures tell what it remembers.**'] : []),
    '## What labels tell',
    wholeTable(information),
    'Information is what the true label saves, in nats per token; of a single attribute, against the levels other replies have. A model that ignores an attribute, or was trained on shuffled labels, gains 0.',
    attributeTable(schema, information),
    'Probability is that of the true level given the reply, all levels being as likely before. The last four columns compare the level under which the reply is likeliest with the true one, and mean little where there is no information. In round brackets: who knows nothing.',
    '## Loss by length',
    'Under the true label, by the tokens of the conversation. It falls with length, as there is more to go by; where it rises, the model was not trained on conversations as long.',
    lengthTable(by_length),
    '## Distance from the base',
    distanceText(kl_to_base, over_training),
    ...(calibration ? ['## Calibration', calibrationText(calibration)] : []),
    '## Fluency',
    'Perplexity of replies to the base, which sees no label.',
    fluencyTable(fluency),
    ...(novelty ? ['## Novelty', noveltyTable(novelty)] : []),
    ...notes,
  ];
  return `${sections.join('\n\n')}\n`;
}

function wholeTable({ nll, gain, gain_over_none }: LabelInformation): string {
  const rows = [
    ['under the true label', intervalText(nll, 3)],
    ['more under the label of another reply', intervalText(gain, 3)],
    ['more without a label', intervalText(gain_over_none, 3)],
  ];
  return markdownTable(['whole label', 'nats per token'], rows);
}

function attributeTable(schema: AttributeSchema, { attributes }: LabelInformation): string {
  const heads = [
    'attribute',
    'replies',
    'information',
    'per reply',
    'probability',
    'Spearman',
    'kappa',
    'accuracy',
    'mean error',
  ];
  const rows = schema.attributes.map((attribute) => {
    const name = `${plain(attribute.name)} 0–${maxLevel(attribute)}`;
    const found = own(attributes, attribute.name);
    if (!found) return [name, '0', ...heads.slice(2).map(() => '–')];
    const { recovery, replies, gain, gain_per_reply } = found;
    return [
      name,
      String(replies),
      intervalText(gain, 3),
      intervalText(gain_per_reply),
      `${intervalText(recovery.probability)} (${numberText(recovery.chance.probability)})`,
      intervalText(recovery.spearman),
      intervalText(recovery.kappa),
      `${percent(recovery.accuracy.value)} (${percent(recovery.chance.accuracy)})`,
      `${numberText(recovery.mae.value)} (${numberText(recovery.chance.mae)})`,
    ];
  });
  return markdownTable(heads, rows);
}

function lengthTable(classes: readonly LengthClass[]): string {
  const rows = classes.map(({ above, to, replies, nll }) => [`${above + 1}–${to}`, String(replies), intervalText(nll, 3)]);
  return markdownTable(['tokens', 'replies', 'nats per token'], rows);
}

function distanceText(kl: LikelihoodEvaluation['kl_to_base'], overTraining: OverTraining | null): string {
  const rows = [['KL(model under the label ‖ base)', kl ? intervalText(kl, 3) : '–']];
  if (overTraining) {
    rows.push(
      ['loss on held-out replies', intervalText(overTraining.held_out, 3)],
      [`loss on ${counted(overTraining.trained_replies, 'training reply')}`, intervalText(overTraining.trained, 3)],
      ['held-out less training', intervalText(overTraining.gap, 3)],
    );
  }
  return markdownTable(['', 'nats per token'], rows);
}

function calibrationText({ tokens, before, after, change }: TokenCalibration): string {
  const row = (name: string, { error, overconfidence, accuracy }: Calibration) =>
    [name, error, overconfidence, accuracy].map((cell) => (typeof cell === 'string' ? cell : intervalText(cell, 3)));
  const rows = [row('base, no label', before), row('model, true label', after)];
  const told = `How far the probability of the likeliest next token lies from how often that is the one, over ${counted(tokens, 'token')}; above 0, overconfidence is being too sure.`;
  const table = markdownTable(['', 'expected calibration error', 'overconfidence', 'likeliest is right'], rows);
  return `${told}\n\n${table}\n\nError after tuning less error before: ${intervalText(change, 3)}.`;
}

function fluencyTable({ held_out, written, cost }: LikelihoodEvaluation['fluency']): string {
  const row = (name: string, { replies, tokens, nll, perplexity }: Perplexity) => [
    name,
    String(replies),
    String(tokens),
    intervalText(nll, 3),
    intervalText(perplexity),
  ];
  const rows = [row('held-out', held_out), ...(written ? [row('written', written)] : [])];
  const table = markdownTable(['replies', 'number', 'tokens', 'nats per token', 'perplexity'], rows);
  if (!cost) return table;
  const [value, low, high] = [cost.value, cost.low, cost.high].map((share) => numberText(100 * share, 1));
  return `${table}\n\nCost in perplexity of the written replies: ${value} % [${low}, ${high}].`;
}

function noveltyTable(novelty: Novelty): string {
  const rows = [
    ['found word for word in a training text', percent(novelty.verbatim)],
    ['of at least eight words, found word for word', percent(novelty.verbatim_long)],
    ['equal to a whole training text', percent(novelty.verbatim_whole)],
    ['4-grams no training text holds', percent(novelty.novel_4grams)],
    ['8-grams no training text holds', percent(novelty.novel_8grams)],
  ];
  return markdownTable(
    [`${counted(novelty.replies, 'written reply')}, ${counted(novelty.texts, 'training text')}`, 'share'],
    rows,
  );
}
