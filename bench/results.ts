// bench/results/: a file per subject, in it a section per bench, replaced whole by each run, with date, commit and machine. RESULTS.md sums up.

import { execFileSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { quantile } from '../src/statistics.ts';
import { nodeMajors, processorKinds } from './real-speed/parts.ts';

/** Parts of bench/real-speed, each for every kind of processor and Node. */
const realSpeedSections = processorKinds.flatMap((kind) =>
  ['decode', 'quality', 'scoring', 'start', 'memory', 'callers', 'characters', 'growth', 'before'].flatMap((part) =>
    nodeMajors.map((major) => `real-speed, ${part}, ${kind}, Node ${major}`),
  ),
);

/** The sections of each file of bench/results, in their order. */
const subjects: Record<string, readonly string[]> = {
  circle: ['circle'],
  training: ['train-step', 'train-step, without 512-bit registers', 'bring-your-own', 'copying', 'methods'],
  predictor: ['predictor', 'ground', 'score', 'ratings', 'label'],
  steering: ['steering', 'likelihood', 'dials', 'grounding', 'toxicity', 'steering-vectors'],
  engine: ['decode', 'decode, without 512-bit registers', 'precision', 'device', 'adapters'],
  serving: ['serve', 'exposed', 'scale', 'upstream', 'chat-upstream'],
  durability: ['crash', 'full-disk', 'upload'],
  people: ['raters'],
  characters: ['npcs', 'npc-real', 'npc-real, talks', 'npc-real, actions', 'examples'],
  'real-models': ['real-model', 'real-model, wordings'],
  'real-speed': realSpeedSections,
  interop: ['interop'],
};

/** Date, commit, machine; undefined where what is measured is no commit. */
function provenance(): string | undefined {
  const git = (...args: string[]) => execFileSync('git', args, { encoding: 'utf8' }).trim();
  if (git('status', '--porcelain', '--', 'src', 'bench/*.ts', 'models', 'tests') !== '') return undefined;
  const commit = git('rev-parse', '--short', 'HEAD');
  return `${new Date().toISOString().slice(0, 10)} · commit ${commit} · ${cpus().length} cores ${cpus()[0]!.model.trim()} · Node ${process.version}`;
}

/** Prints `body` (Markdown) and puts it under `## name` of its subject's file, in place of what stood there: of a clean commit alone. */
export async function recordSection(name: string, body: string): Promise<void> {
  const subject = Object.keys(subjects).find((key) => subjects[key]!.includes(name));
  if (!subject) throw new Error(`Expected ${name} among the sections of bench/results.ts.`);
  const measuredAt = provenance();
  const section = `## ${name}\n\n${measuredAt ?? 'uncommitted changes'}\n\n${body.trim()}\n\n`;
  process.stdout.write(`\n${section}`);
  if (measuredAt === undefined) {
    process.stderr.write(
      'Not written to bench/results: figures there are those of a commit. Commit what has changed and measure again.\n',
    );
    return;
  }
  const path = `bench/results/${subject}.md`;
  const [heading, ...sections] = (await readFile(path, 'utf8')).split(/^(?=## )/m);
  const nameOf = (text: string) => text.split('\n', 1)[0]!.slice('## '.length).trim();
  const others = sections.filter((text) => nameOf(text) !== name);
  const inOrder = [...others, section].toSorted(
    (a, b) => subjects[subject]!.indexOf(nameOf(a)) - subjects[subject]!.indexOf(nameOf(b)),
  );
  await writeFile(path, `${[heading!, ...inOrder].map((text) => text.trim()).join('\n\n')}\n`);
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
