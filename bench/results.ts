// bench/RESULTS.md: one section per bench, replaced whole by each run, with date, commit and machine.

import { execFileSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { quantile } from '../src/statistics.ts';

const path = 'bench/RESULTS.md';
const heading = `# Results

Every figure here was written by the bench it is named after (\`npm run bench -- <name>\`), peers measured beside it in the same run.
Machines are shared and noisy: read ratios and medians, not absolute times.
`;

function provenance(): string {
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
  const dirty =
    execFileSync('git', ['status', '--porcelain', '--', 'src', 'bench'], { encoding: 'utf8' }).trim() === '' ? '' : ' + changes';
  return `${new Date().toISOString().slice(0, 10)} · commit ${commit}${dirty} · ${cpus().length} cores ${cpus()[0]!.model.trim()} · Node ${process.version}`;
}

/** Puts `body` (Markdown) under `## name`, in place of what stood there. */
export async function recordSection(name: string, body: string): Promise<void> {
  const old = await readFile(path, 'utf8').catch(() => heading);
  const sections = old.split(/^(?=## )/m);
  const section = `## ${name}\n\n${provenance()}\n\n${body.trim()}\n\n`;
  const at = sections.findIndex((text) => text.startsWith(`## ${name}\n`));
  if (at === -1) sections.push(section);
  else sections[at] = section;
  await writeFile(path, `${sections.map((text) => text.trim()).join('\n\n')}\n`);
  process.stdout.write(`\n${section}`);
}

/** A Markdown table. */
export function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const line = (cells: readonly (string | number)[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** With linear interpolation between ranks, as numpy has it; 0 of no values. */
export function percentile(values: readonly number[], percent: number): number {
  return values.length === 0 ? 0 : quantile(values, percent / 100);
}
