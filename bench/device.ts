// What a graphics device brings: decoding at 1, 16 and 64 streams and a training step, the webgpu provider beside the processor, in fresh
// processes that alternate, medians; and whether both say the same. All of it as JSON, and in bench/results where there is a repository.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { chooseProvider } from '../src/tensor/providers.ts';
import { runOurs } from './peer.ts';
import { median, recordSection, table } from './results.ts';

interface Row {
  figure: string;
  model: string;
  /** Streams decoded, or rows of 128 tokens trained on, at once. */
  width: number;
  cpu: number;
  webgpu: number;
  ratio: number;
}

const options = {
  seconds: { type: 'string', default: '8' },
  rounds: { type: 'string', default: '3' },
  models: { type: 'string', default: 'npc,large' },
  streams: { type: 'string', default: '1,16,64' },
} as const;

export async function run(args: string[]): Promise<void> {
  const { seconds, rounds, models, streams } = parseArgs({ args, options }).values;
  // Refused here in one line, rather than in each process.
  const refusal = await chooseProvider('webgpu').then(
    () => null,
    (error: Error) => error.message,
  );
  if (refusal) {
    process.stderr.write(`${refusal}\n`);
    process.exitCode = 1;
    return;
  }
  const same = await sameOnBoth();
  const rows: Row[] = [];
  for (const model of models.split(',')) {
    const figures = streams.split(',').map((width): [string, number] => ['decode', Number(width)]);
    figures.push(['train', model === 'npc' ? 16 : 8]);
    for (const [figure, width] of figures) rows.push(await measure(figure, model, width, Number(rounds), seconds));
  }
  const device = deviceName();
  const found = { device, cores: cpus().length, processor: cpus()[0]?.model.trim(), node: process.version, same, rows };
  process.stdout.write(`${JSON.stringify(found, null, 2)}\n`);
  if (!existsSync('bench/results')) return;
  const cells = rows.map(({ figure, model, width, cpu, webgpu, ratio }) => [
    figure,
    model,
    width,
    cpu.toFixed(0),
    webgpu.toFixed(0),
    ratio.toFixed(2),
  ]);
  const head = ['figure', 'model', 'streams or rows', 'cpu, tokens/s', 'webgpu, tokens/s', 'webgpu : cpu'];
  await recordSection('device', `${device}. ${rounds} rounds of ${seconds} s, medians. ${same.told}\n\n${table(head, cells)}`);
}

/** Alternating, so that what else the machine does falls on both. */
async function measure(figure: string, model: string, width: number, rounds: number, seconds: string): Promise<Row> {
  const rates = { cpu: [] as number[], webgpu: [] as number[] };
  for (let round = 0; round < rounds; round++) {
    for (const provider of round % 2 === 0 ? (['cpu', 'webgpu'] as const) : (['webgpu', 'cpu'] as const)) {
      const answer = await runOurs<{ tokens_per_s: number }>('device-ours', [provider, model, figure, `${width}`, seconds]);
      rates[provider].push(answer.tokens_per_s);
    }
  }
  const ratio = median(rates.webgpu.map((rate, i) => rate / rates.cpu[i]!));
  const row = { figure, model, width, cpu: median(rates.cpu), webgpu: median(rates.webgpu), ratio };
  process.stderr.write(`${JSON.stringify(row)}\n`);
  return row;
}

interface Said {
  training: { steps: { loss: number }[] };
  decoded: { together: unknown }[];
}

async function sameOnBoth() {
  const { cpu, device } = await runOurs<{ cpu: Said; device: Said }>('device-equality', ['webgpu']);
  const tokens =
    JSON.stringify(cpu.decoded.map(({ together }) => together)) ===
    JSON.stringify(device.decoded.map(({ together }) => together));
  const apart = Math.max(...cpu.training.steps.map(({ loss }, i) => Math.abs(loss - device.training.steps[i]!.loss)));
  const told = `Replies ${tokens ? 'agree token for token' : 'DIFFER'}; losses of six steps differ by at most ${apart.toExponential(1)}.`;
  return { tokens, lossDifference: apart, told };
}

function deviceName(): string {
  try {
    return execFileSync('nvidia-smi', ['--query-gpu=name,driver_version', '--format=csv,noheader'], { encoding: 'utf8' }).trim();
  } catch {
    return 'graphics device without a name';
  }
}
