// The report of a predictor's evaluation, as it is stored (JSON), read (Markdown) and looked at (SVG).

import type { ChosenLabels } from '../../datasets/label-makers.ts';
import { counted } from '../../number-text.ts';
import { type AttributeSchema, maxLevel } from '../../steerlm/attributes.ts';
import { drawCharts } from '../report/plot.ts';
import { intervalText, makersText, markdownTable, numberText, percent, plain, roundedDeep } from '../report/report-text.ts';
import { type AttributeEvaluation, leastRatings } from './attribute-evaluation.ts';
import type { PredictorEvaluation } from './evaluation.ts';
import { leastChange, type ProbeName, probeNames } from './probes.ts';

/** Raised when a field changes its meaning or goes. */
const formatVersion = 1;

export interface PredictorReportHead {
  model: { name: string; revision: string };
  /** `labels` is null for a file, which has only its own. */
  data: { name: string; hash: string; split: string; labels: string | readonly string[] | null };
  /** null for a file. */
  label_makers: ChosenLabels | null;
  /** The predictor was trained on what it is judged by; the report was forced. */
  seen_in_training: boolean;
  settings: { seed: number; limit: number | null };
  created_at: string;
}

/** Files of the report by name. */
export function predictorReportFiles(
  head: PredictorReportHead,
  schema: AttributeSchema,
  evaluation: PredictorEvaluation,
): { 'predictor.json': string; 'predictor.md': string; 'predictor.svg': string } {
  const json = { format_version: formatVersion, kind: 'predictor', ...head, ...evaluation };
  return {
    'predictor.json': `${JSON.stringify(roundedDeep(json), null, 2)}\n`,
    'predictor.md': predictorMarkdown(head, evaluation),
    'predictor.svg': predictorPlot(head, schema, evaluation),
  };
}

const baselineTitles: Record<string, string> = { mean: 'mean', length: 'length', ngrams: 'words' };

/** The report as a person reads it. */
export function predictorMarkdown(head: PredictorReportHead, evaluation: PredictorEvaluation): string {
  const all = Object.entries(evaluation.attributes);
  const judged = all.filter(([, { figures }]) => figures);
  const parts = [
    `# ${plain(head.model.name)} as a predictor`,
    opening(head, evaluation),
    ...makersText(head.label_makers),
    ...(head.seen_in_training
      ? ['**Seen in training: the predictor was trained on replies it is judged by here. These figures tell what it remembers.**']
      : []),
    verdict(judged),
    '## Agreement with the ratings',
    agreementTable(judged),
    '## Beside the baselines',
    `Rank correlation of the mean rating, of a line over the length of the reply and of its words (hashed one- and two-grams), ${fittedOn(head)}. *Ahead* is the distance to the best of them.`,
    baselineTable(judged),
    '## Calibration',
    calibrationTable(judged),
    '![Mean rating for each predicted value](predictor.svg)',
    '## When replies are changed',
    probeText(evaluation),
    probeTable(evaluation),
    ...notes(all),
    '## How to read this',
    readingAid,
  ];
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

/** No baseline is compared on replies it was fitted on. */
function fittedOn({ data: { split } }: PredictorReportHead): string {
  if (split === 'validation') return 'each fitted on the training split';
  return 'each fitted on the training split, which is judged too: five fits, each compared only on groups of replies it has not seen';
}

function opening({ model, data, settings, created_at }: PredictorReportHead, evaluation: PredictorEvaluation): string {
  const { replies, groups, truncated } = evaluation;
  const cut = truncated > 0 ? ` ${counted(truncated, 'conversation')} lost the start to fit.` : '';
  const split = data.split === 'all' ? 'both splits' : `the ${data.split} split`;
  return `Revision ${plain(model.revision)} on ${counted(replies, 'rated reply')} to ${counted(groups, 'separate prompt')}, ${split} of ${plain(data.name)} (${data.hash.slice(0, 12)}), seed ${settings.seed}, ${created_at.slice(0, 10)}.${cut} In brackets: 95 % intervals when prompts are drawn anew.`;
}

function verdict(judged: [string, AttributeEvaluation][]): string {
  const asked = judged.filter(([, { beats_baselines }]) => beats_baselines !== null);
  if (asked.length === 0) return '';
  const ahead = asked.filter(([, { beats_baselines }]) => beats_baselines);
  const behind = asked.filter(([, { beats_baselines }]) => !beats_baselines).map(([name]) => plain(name));
  const rest = behind.length > 0 ? `; not shown for ${behind.join(', ')}` : '';
  return `**It ranks replies better than every baseline in ${ahead.length} of ${counted(asked.length, 'attribute')}${rest}.**`;
}

function agreementTable(judged: [string, AttributeEvaluation][]): string {
  const binary = judged.some(([, { figures }]) => Number.isFinite(figures!.auc.value));
  const heads = ['attribute', 'n', 'Spearman', 'Pearson', '… given length', 'MAE', 'kappa', 'within one', 'pairs'];
  const rows = judged.map(([name, { n, figures: f }]) => [
    plain(name),
    String(n),
    intervalText(f!.spearman),
    intervalText(f!.pearson),
    numberText(f!.partial_pearson.value),
    intervalText(f!.mae),
    numberText(f!.kappa.value),
    percent(f!.within_one.value),
    percent(f!.pairwise_accuracy.value),
    ...(binary ? [intervalText(f!.auc)] : []),
  ]);
  return rows.length === 0 ? nothing : markdownTable([...heads, ...(binary ? ['AUC'] : [])], rows);
}

const nothing = `No attribute is rated ${leastRatings} times, so there is nothing to tell.`;

function baselineTable(judged: [string, AttributeEvaluation][]): string {
  const known = judged.filter(([, { baselines }]) => baselines);
  if (known.length === 0) return 'The training split holds too few ratings to fit any.';
  const names = Object.keys(known[0]![1].baselines!);
  const rows = known.map(([name, { figures, baselines, beats_baselines }]) => {
    const nearest = names.map((each) => baselines![each]!.spearman_ahead).sort((a, b) => a.value - b.value)[0]!;
    const theirs = names.map((each) => numberText(baselines![each]!.spearman.value));
    return [plain(name), numberText(figures!.spearman.value), ...theirs, intervalText(nearest), beats_baselines ? 'yes' : 'no'];
  });
  return markdownTable(
    ['attribute', 'predictor', ...names.map((name) => baselineTitles[name] ?? name), 'ahead', 'beats all'],
    rows,
  );
}

function calibrationTable(judged: [string, AttributeEvaluation][]): string {
  const heads = ['attribute', 'mean rating', 'bias', 'slope', 'spread', 'right level', 'calibration error', 'confidence'];
  const rows = judged.map(([name, { rated, figures: f }]) => [
    plain(name),
    numberText(rated!.mean),
    intervalText(f!.bias),
    intervalText(f!.calibration_slope),
    numberText(f!.std_ratio.value),
    percent(f!.accuracy.value),
    intervalText(f!.calibration_error),
    numberText(f!.confidence_auc.value),
  ]);
  return rows.length === 0 ? nothing : markdownTable(heads, rows);
}

const probeTitles: Record<ProbeName, string> = {
  truncated: 'cut in half',
  duplicated: 'said twice',
  swapped: 'under another prompt',
};

function probeText({ probes }: PredictorEvaluation): string {
  const counts = probeNames.map((name) => `${probeTitles[name]} (${Object.values(probes[name])[0]?.n ?? 0})`);
  return `Mean change of the predicted value in levels, and the shares of replies whose value fell and rose by more than ${leastChange}, when the same reply is ${counts.join(', ')}.`;
}

function probeTable({ probes, attributes }: PredictorEvaluation): string {
  const heads = ['attribute', ...probeNames.flatMap((name) => [probeTitles[name], 'fell', 'rose'])];
  const rows = Object.keys(attributes).map((attribute) => [
    plain(attribute),
    ...probeNames.flatMap((name) => {
      const { mean_change, fell, rose } = probes[name][attribute]!;
      return [intervalText(mean_change), percent(fell), percent(rose)];
    }),
  ]);
  return markdownTable(heads, rows);
}

function notes(all: [string, AttributeEvaluation][]): string[] {
  const told = all.flatMap(([name, { note }]) => (note === null ? [] : [`- ${plain(name)}: ${note}.`]));
  return told.length === 0 ? [] : ['## Notes', told.join('\n')];
}

const readingAid = [
  '- Spearman, Pearson: correlation of predicted values with ratings; 1 is perfect, 0 is chance. *Given length*: what is left when the length of the reply is known.',
  '- MAE: mean distance to the rating, in levels. Kappa: agreement of rounded levels beyond chance, far misses weighing more. *Pairs*: of two replies to one prompt that are rated differently, how often the better rated one is predicted higher.',
  '- Bias: predicted less rated, on average. Slope: how many levels the rating rises for one predicted level; 1 is right, more means the predictor is too timid. Spread: standard deviation of predictions over that of ratings.',
  '- Calibration error: mean distance between the probability of the likeliest level and how often that level is right. Confidence: chance that a reply it gets right has a higher confidence than one it gets wrong; 0.5 says nothing.',
].join('\n');

/** Mean rating for each predicted value, a panel for each attribute. */
function predictorPlot({ model }: PredictorReportHead, schema: AttributeSchema, evaluation: PredictorEvaluation): string {
  const charts = schema.attributes.flatMap((attribute) => {
    const { reliability } = evaluation.attributes[attribute.name]!;
    if (reliability.length === 0) return [];
    const max = maxLevel(attribute);
    const ideal = [0, max].map((level) => ({ x: level, y: level }));
    return [
      {
        title: attribute.name,
        x: { label: 'predicted', min: 0, max },
        y: { label: 'rated', min: 0, max },
        lines: [
          { name: 'rated as predicted', points: ideal, reference: true },
          { name: 'mean rating', points: reliability.map(({ predicted, rated }) => ({ x: predicted, y: rated })) },
        ],
      },
    ];
  });
  return drawCharts(`What ${model.name} predicts, and how it is rated`, charts);
}
