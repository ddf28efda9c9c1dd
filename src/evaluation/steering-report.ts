// The report of an evaluation of steering: JSON to compute with, Markdown to read, pictures to look at. Writes no files.
import { type AttributeSchema, maxLevel } from '../steerlm.ts';
import type { ConditionFigures } from './condition-figures.ts';
import { drawHeatMaps } from './heat-map.ts';
import { type Chart, drawCharts } from './plot.ts';
import { roundedDeep } from './report-text.ts';
import { steeringMarkdown } from './steering-markdown.ts';

export interface ModelInReport {
  name: string;
  revision: string;
}

export interface SteeringReportHead {
  model: ModelInReport & { precision: string };
  judge: ModelInReport;
  judge_shares_training: boolean;
  /** What the judge shares with a model of the report; null when nothing is known. */
  shared: string | null;
  prompts: { source: string; hash: string; split: string; count: number; seen_in_training: boolean };
  /** Model the perplexity of replies was measured under. */
  base: string | null;
  settings: {
    seeds: number;
    targets: number;
    max_tokens: number;
    temperature: number;
    top_p: number;
    frequency_penalty: number;
    seed: number;
    draws: number;
  };
  attributes: string[];
  /** Attributes of the model that the judge does not rate. */
  not_measured: string[];
  created_at: string;
}

export interface ConditionReport extends ConditionFigures {
  name: string;
  /** A model of its own to compare with, not the one that is evaluated. */
  control: boolean;
  model: ModelInReport;
  strength: number;
  against: string;
  best_of: number;
  chooser: ModelInReport | null;
  chooser_is_judge: boolean;
  text_instruction: boolean;
  /** The model knows no attributes, so that nothing could be asked of it. */
  without_label: boolean;
}

export const steeringFormatVersion = 1;

/** Contents of the report's files, by name. The first condition is the model as it is. */
export function steeringReportFiles(head: SteeringReportHead, schema: AttributeSchema, conditions: readonly ConditionReport[]) {
  const body = { format_version: steeringFormatVersion, kind: 'steering', ...head, conditions };
  return {
    'steering.json': `${JSON.stringify(roundedDeep(body), null, 2)}\n`,
    'steering.md': steeringMarkdown(head, conditions),
    'steering-curves.svg': curvesPicture(head, schema, conditions),
    'steering-leakage.svg': leakagePicture(head, conditions),
  };
}

function curvesPicture(
  { model, attributes }: SteeringReportHead,
  schema: AttributeSchema,
  conditions: readonly ConditionReport[],
) {
  const charts = attributes.map((name): Chart => {
    const max = maxLevel(schema.attributes.find((attribute) => attribute.name === name)!);
    const lines = conditions.map((condition) => ({
      name: condition.name,
      points: condition.attributes[name]!.curve.map(({ requested, obtained }) => ({ x: requested, y: obtained.value })),
    }));
    const ideal = { name: 'as asked for', points: [0, max].map((level) => ({ x: level, y: level })), reference: true };
    const axis = (label: string) => ({ label, min: 0, max });
    return { title: name, x: axis('requested'), y: axis('obtained'), lines: [...lines, ideal] };
  });
  return drawCharts(`${model.name}: levels obtained for levels requested`, charts);
}

function leakagePicture({ model, attributes }: SteeringReportHead, conditions: readonly ConditionReport[]) {
  const shape = { rowLabel: 'obtained', columnLabel: 'requested', names: attributes };
  const maps = conditions.map(({ name, leakage }) => {
    return { ...shape, title: name, values: leakage.matrix.map((row) => row.map(({ value }) => value)) };
  });
  const data = conditions[0]?.leakage.data;
  const labels = data ? [{ ...shape, title: 'labels of the data', columnLabel: 'rated', rowLabel: 'rated', values: data }] : [];
  return drawHeatMaps(`${model.name}: levels obtained per level requested`, [...maps, ...labels]);
}
