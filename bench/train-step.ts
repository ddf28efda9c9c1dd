// How fast one training step is: tokens per second at 5.8 M parameters (batch 16 × 128, fp32, 2 threads) beside PyTorch eager in alternating
// fresh processes, and as a share of the runtime's own peak in one large matrix product.
import { peersInstalled, runOurs, runPeer } from './peer.ts';
import { median, recordSection, table } from './results.ts';

interface Answer {
  tokens_per_s: number;
  sgemm_gflops: number;
  gflops?: number;
}

/** Alternates ours and PyTorch and writes the medians. */
export async function run(args: string[]): Promise<void> {
  const [rounds, seconds] = args.includes('--quick') ? [1, 8] : [3, 15];
  const ours: Answer[] = [];
  const torch: Answer[] = [];
  const peers = peersInstalled();
  for (let round = 0; round < rounds; round++) {
    const turns = [
      async () => ours.push(await runOurs<Answer>('train-step-ours', [`${seconds}`])),
      async () => peers && torch.push(await runPeer<Answer>('train_step.py', ['--threads', '2', '--seconds', `${seconds}`])),
    ];
    for (const turn of round % 2 === 0 ? turns : turns.toReversed()) await turn();
  }
  const rate = (answers: Answer[]) => median(answers.map(({ tokens_per_s }) => tokens_per_s));
  const share = median(ours.map(({ gflops, sgemm_gflops }) => gflops! / sgemm_gflops));
  const peak = median(ours.map(({ sgemm_gflops }) => sgemm_gflops));
  const rows = [['ours', rate(ours).toFixed(0), '1.00', `${(100 * share).toFixed(0)} % of ${peak.toFixed(0)} GFLOP/s`]];
  if (torch.length > 0) {
    const ratios = median(ours.map(({ tokens_per_s }, i) => tokens_per_s / torch[i]!.tokens_per_s));
    const theirs = median(torch.map(({ sgemm_gflops }) => sgemm_gflops));
    rows.push([
      'PyTorch eager',
      rate(torch).toFixed(0),
      `ours is ${ratios.toFixed(2)} ×`,
      `its own sgemm peak: ${theirs.toFixed(0)} GFLOP/s`,
    ]);
  }
  const head = ['training step', 'tokens/s', 'ratio', 'share of the sgemm peak'];
  await recordSection('train-step', `${rounds} rounds of ${seconds} s each, medians.\n\n${table(head, rows)}`);
}
