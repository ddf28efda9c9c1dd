// The report of an evaluation of steering: JSON to compute with, Markdown to read, pictures to look at. Writes no files.
import { type AttributeSchema, maxLevel } from '../../steerlm/attributes.ts';
import { drawHeatMaps } from '../report/heat-map.ts';
import { type Chart, drawCharts } from '../report/plot.ts';
import { roundedDeep } from '../report/report-text.ts';
import { steeringMarkdown } from './markdown.ts';
import type { ConditionReport, SteeringReportHead } from './report-data.ts';

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
