// How fast the predictor scores: conversations per second at 5.8 M parameters beside PyTorch, alternating fresh processes, the same token ids.
import { mkdir, writeFile } from 'node:fs/promises';
import { configJson } from '../src/model/config-json.ts';
import { randomStream } from '../src/random.ts';
import { helpSteer } from '../src/steerlm/schemas.ts';
import { benchShape as shape } from './bench-shape.ts';
import { peersInstalled, runOurs, runPeer } from './peer.ts';
import { median, recordSection, table } from './results.ts';

const file = 'bench/out/score.json';

/** Lengths spread like those of chats: log-normal around 130 tokens, at most the context. */
function conversations(count: number): number[][] {
  const random = randomStream('score');
  return Array.from({ length: count }, () => {
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    const length = Math.min(512, Math.max(8, Math.round(Math.exp(Math.log(130) + 0.6 * normal))));
    return Array.from({ length }, () => Math.floor(random() * shape.vocabSize));
  });
}

interface Answer {
  conversations_per_s: number;
  tokens_per_s: number;
}

/** Alternates ours and PyTorch and writes the medians. */
export async function run(args: string[]): Promise<void> {
  const [rounds, seconds] = args.includes('--quick') ? [1, 3] : [3, 8];
  const levels = helpSteer.attributes.map((attribute) => attribute.levels.length);
  await mkdir('bench/out', { recursive: true });
  await writeFile(
    file,
    JSON.stringify({ shape: { ...configJson(shape, 'float32', {}), levels }, conversations: conversations(200) }),
  );
  const ours: Answer[] = [];
  const torch: Answer[] = [];
  const peers = peersInstalled();
  for (let round = 0; round < rounds; round++) {
    const turns = [
      async () => ours.push(await runOurs<Answer>('score-ours', [file, `${seconds}`])),
      async () => peers && torch.push(await runPeer<Answer>('score.py', ['--threads', '2', '--seconds', '2', file])),
    ];
    for (const turn of round % 2 === 0 ? turns : turns.toReversed()) await turn();
  }
  const row = (name: string, answers: Answer[], ratio: string) => [
    name,
    median(answers.map(({ conversations_per_s }) => conversations_per_s)).toFixed(0),
    median(answers.map(({ tokens_per_s }) => tokens_per_s)).toFixed(0),
    ratio,
  ];
  const rows = [row('ours', ours, '1.00')];
  if (torch.length > 0) {
    const ratio = median(ours.map(({ conversations_per_s }, i) => conversations_per_s / torch[i]!.conversations_per_s));
    rows.push(row('PyTorch eager, its best batch size', torch, `ours is ${ratio.toFixed(2)} ×`));
  }
  const intro = `${rounds} rounds, medians; 200 conversations of random tokens, log-normal lengths, 2 threads.`;
  await recordSection('score', `${intro}\n\n${table(['predictor scoring', 'conversations/s', 'tokens/s', 'ratio'], rows)}`);
}
