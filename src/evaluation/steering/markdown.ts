// The report of an evaluation of steering as a person reads it: what was compared first, then the model by itself.
import { counted } from '../../number-text.ts';
import { own } from '../../own.ts';
import { unlikeText } from '../../predictor/ground-text.ts';
import type { Interval } from '../../statistics.ts';
import { intervalText, makersText, markdownTable, numberText, percent, plain } from '../report/report-text.ts';
import type { FollowedAttribute } from './condition-figures.ts';
import type { FollowingFigures } from './figures.ts';
import type { ConditionReport, SteeringReportHead } from './report-data.ts';

/** The whole report. The first condition is the model as it is. */
export function steeringMarkdown(head: SteeringReportHead, conditions: readonly ConditionReport[]): string {
  const [own] = conditions as [ConditionReport];
  const parts = [
    `# Steering of ${plain(head.model.name)}`,
    opening(head),
    ...makersText(head.label_makers),
    ...warnings(head, conditions),
    '## How closely replies follow',
    'Spearman of requested and obtained level within a prompt, mean over prompts: 1 is perfect order, 0 is none.',
    markdownTable(
      ['condition', ...head.attributes.map(plain)],
      conditions.map((condition) => [
        plain(condition.name),
        ...head.attributes.map((name) => intervalText(condition.attributes[name]!.figures.within_spearman)),
      ]),
    ),
    `## ${plain(own.name)}, attribute by attribute`,
    attributeTable(head, own),
    ...curves(head, own),
    ...leakage(head, conditions),
    ...grid(conditions),
    ...text(conditions),
    ...proxies(own),
  ];
  return `${parts.join('\n\n')}\n`;
}

function opening({ model, judge, prompts, settings, base }: SteeringReportHead): string {
  const split = prompts.split === 'all' ? '' : `, ${prompts.split} split`;
  const words = [
    `Revision ${plain(model.revision)} at ${model.precision}, judged by ${plain(judge.name)} ${plain(judge.revision)}.`,
    `${counted(prompts.count, 'prompt')} of ${plain(prompts.source)}${split}, ${counted(settings.seeds, 'reply')} to each at each level and ${settings.targets} to random targets,`,
    `temperature ${settings.temperature}, top_p ${settings.top_p}, frequency penalty ${settings.frequency_penalty}, at most ${settings.max_tokens} tokens, seed ${settings.seed}.`,
    ...(base === null ? [] : [`Perplexity under ${plain(base)}.`]),
    'Brackets hold 95 % intervals over prompts.',
  ];
  return words.join(' ');
}

function warnings(head: SteeringReportHead, conditions: readonly ConditionReport[]): string[] {
  const found = [
    ...(head.judge_shares_training ? [`The judge is not independent: ${plain(head.shared ?? '')}.`] : []),
    ...(head.ground?.unlike ? [unlikeText(plain(head.judge.name), head.ground, 'ratings')] : []),
    ...(head.prompts.seen_in_training ? ['The prompts were seen in training.'] : []),
    ...conditions
      .filter(({ without_label }) => without_label)
      .map(({ name }) => `${plain(name)} knows no attributes: it is asked without a label, the same for every level.`),
    ...conditions
      .filter((each) => each.text_instruction)
      .map(({ name }) => `${plain(name)}: where the words leave a reply no room, the oldest exchanges are left out.`),
    ...conditions
      .filter((each) => each.chooser_is_judge)
      .map(({ name }) => `${plain(name)}: the judge chose among the candidates.`),
    ...(head.not_measured.length > 0
      ? [`Not measured, since the judge does not rate it: ${head.not_measured.map(plain).join(', ')}.`]
      : []),
  ];
  return found.map((line) => `> ${line}`);
}

const rows: [string, (figures: FollowingFigures) => string][] = [
  ['Spearman within prompts', (figures) => intervalText(figures.within_spearman)],
  ['Kendall tau-b within prompts', (figures) => intervalText(figures.within_kendall)],
  ['Spearman, all replies', (figures) => intervalText(figures.pooled_spearman)],
  ['gain, levels per level', (figures) => intervalText(figures.gain)],
  ['range, levels', (figures) => intervalText(figures.range)],
  ['range, standard deviations', (figures) => intervalText(figures.range_sd, 1)],
  ['mean distance, levels', (figures) => intervalText(figures.mae)],
  ['the same, calibrated', (figures) => intervalText(figures.mae_calibrated)],
  ['neighbouring levels in order', (figures) => shareText(figures.monotone)],
  ['prompts going the other way', (figures) => shareText(figures.anti_steerable)],
];

function attributeTable({ attributes }: SteeringReportHead, { attributes: found }: ConditionReport): string {
  const each = attributes.map((name) => found[name] as FollowedAttribute);
  return markdownTable(
    ['', ...attributes.map(plain)],
    [
      ...rows.map(([name, of]) => [name, ...each.map(({ figures }) => of(figures))]),
      ['p, shuffled within prompts', ...each.map(({ p_value }) => pText(p_value))],
      ['p among all (Holm)', ...each.map(({ p_holm }) => pText(p_holm))],
    ],
  );
}

function curves({ attributes }: SteeringReportHead, { attributes: found, fluency }: ConditionReport): string[] {
  const levels = [...new Set(attributes.flatMap((name) => found[name]!.curve.map(({ requested }) => requested)))].sort(
    (a, b) => a - b,
  );
  const lines = attributes.flatMap((name) => {
    const points = new Map(found[name]!.curve.map((point) => [point.requested, point]));
    const cells = (of: (point: (typeof found)[string]['curve'][number]) => string) =>
      levels.map((level) => (points.has(level) ? of(points.get(level)!) : ''));
    const perplexities = new Map(own(fluency?.levels, name)?.map((point) => [point.requested, point.perplexity]));
    return [
      [plain(name), ...cells(({ obtained }) => intervalText(obtained))],
      ['words', ...cells(({ words }) => numberText(words, 1))],
      ...(fluency ? [['perplexity', ...levels.map((level) => perplexityText(perplexities.get(level)))]] : []),
    ];
  });
  return [
    `Level obtained for each level requested, and words${fluency ? ' and perplexity' : ''} of the replies:`,
    markdownTable(['requested', ...levels.map(String)], lines),
  ];
}

function leakage({ attributes }: SteeringReportHead, conditions: readonly ConditionReport[]): string[] {
  const [own] = conditions as [ConditionReport];
  const { matrix } = own.leakage;
  const explained = own.leakage.excess !== null;
  return [
    '## What else moves',
    `Levels obtained (rows) per level requested (columns), ${plain(own.name)}:`,
    markdownTable(
      ['', ...attributes.map(plain)],
      attributes.map((name, j) => [plain(name), ...matrix[j]!.map((slope) => intervalText(slope))]),
    ),
    `Sizes beside the diagonal as a share of its root mean square; by chance is what would be seen of a model that leaks nothing${explained ? '; in excess is what the labels of the data do not explain' : ''}. A dash stands where a condition follows next to nothing:`,
    markdownTable(
      ['condition', 'root mean square', 'by chance', 'largest', ...(explained ? ['in excess', 'largest in excess'] : [])],
      conditions.map(({ name, leakage }) => {
        const { rms, chance, max, excess } = leakage;
        const figures = [max, ...(excess ? [excess.rms, excess.max] : [])].map((value) => intervalText(value));
        return [plain(name), intervalText(rms), numberText(chance), ...figures];
      }),
    ),
  ];
}

function grid(conditions: readonly ConditionReport[]): string[] {
  const measured = conditions.flatMap(({ name, grid }) => (grid ? [{ name, grid }] : []));
  if (measured.length === 0) return [];
  return [
    '## Every attribute at once',
    'Random targets, every scale of length 1. Steerability 1 is on target, 0 is as far from it as a reply that is asked for nothing.',
    markdownTable(
      ['condition', 'replies', 'steering error', 'miscalibration', 'orthogonality', 'steerability'],
      measured.map(({ name, grid }) => [
        plain(name),
        String(grid.replies),
        ...[grid.steering_error, grid.miscalibration, grid.orthogonality, grid.steerability].map((value) => intervalText(value)),
      ]),
    ),
  ];
}

function text(conditions: readonly ConditionReport[]): string[] {
  const fluent = conditions.some(({ fluency }) => fluency !== null);
  const heads = [
    'condition',
    'replies',
    'words',
    'distinct 1',
    'distinct 2',
    'distinct 3',
    'repeated 4-grams',
    'says a sentence twice',
    'empty',
    'unfinished',
    'label echo',
  ];
  return [
    '## The text itself',
    markdownTable(
      [...heads, ...(fluent ? ['perplexity', 'more than unlabelled', 'more than at defaults'] : [])],
      conditions.map(({ name, text, fluency }) => [
        plain(name),
        String(text.replies),
        intervalText(text.words, 1),
        ...[text.distinct_1, text.distinct_2, text.distinct_3].map((value) => numberText(value, 3)),
        ...[text.repeated_4grams, text.repeated_sentence, text.empty, text.unfinished, text.label_echo].map(shareText),
        ...(fluency ? [intervalText(fluency.perplexity), ...[fluency.cost, fluency.cost_of_asking].map(shareText)] : []),
      ]),
    ),
  ];
}

function proxies({ name, proxies: table }: ConditionReport): string[] {
  const attributes = Object.keys(table);
  const counts = Object.keys(table[attributes[0]!] ?? {});
  return [
    '## What changed in the words',
    `Spearman within prompts of the level requested (columns) and plain counts of the text (rows), ${plain(name)}. Marks are counted per word.`,
    markdownTable(
      ['', ...attributes.map(plain)],
      counts.map((count) => [
        count.replaceAll('_', ' '),
        ...attributes.map((attribute) => intervalText(table[attribute]![count]!)),
      ]),
    ),
  ];
}

const perplexityText = (perplexity: Interval | undefined) => (perplexity ? intervalText(perplexity) : '');

/** `12.5 % [3, 20]`: shares are small where all is well. */
function shareText({ value, low, high }: Interval): string {
  if (!Number.isFinite(value)) return '–';
  const range = Number.isFinite(low) ? ` [${numberText(100 * low, 0)}, ${numberText(100 * high, 0)}]` : '';
  const small = value > 0 && value < 0.1;
  return `${small ? `${numberText(100 * value, 1)} %` : percent(value)}${range}`;
}

function pText(p: number): string {
  return p < 0.01 ? p.toFixed(4) : p.toFixed(2);
}
