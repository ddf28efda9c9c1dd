// Does anything get lost or done twice when processes die? A server and a worker on one real Postgres are ended by force at random while they
// label 5,000 rows and while they fine-tune; what comes out is held against a run nobody disturbed.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crashFinetuning, crashLabelling, makeCrashSite } from '../tests/runtime/crash-scenes.ts';
import { recordSection, table } from './results.ts';

/** Runs both scenes and writes their rows; `--kills 20`, `--rows 5000`, `--seed 1`. */
export async function run(args: string[]): Promise<void> {
  const option = (name: string, fallback: number) => (args.includes(name) ? Number(args[args.indexOf(name) + 1]) : fallback);
  const [kills, rows, seed] = [option('--kills', 20), option('--rows', 5000), option('--seed', 1)];
  const folder = await mkdtemp(join(tmpdir(), 'steer-crash-'));
  const site = await makeCrashSite(folder);
  try {
    const labelling = await crashLabelling(site, { kills, rows, seed, predictor: 'npc-predictor' });
    const training = await crashFinetuning(site, { kills, epochs: 30, seed });
    const head = ['job', 'ends by force', 'attempts', 'seconds', 'result'];
    const body = table(head, [
      [
        `labelling ${rows} rows`,
        labelling.kills,
        labelling.attempts,
        labelling.seconds.toFixed(0),
        `${labelling.once} rows exactly once, ${labelling.missing} missing, ${labelling.twice} twice, order ${labelling.inOrder ? 'kept' : 'LOST'}`,
      ],
      [
        `fine-tuning, ${training.steps} steps`,
        training.kills,
        training.attempts,
        training.seconds.toFixed(0),
        `every step once in the curve; largest difference of a step's loss from the undisturbed run: ${training.largestDifference}`,
      ],
    ]);
    await recordSection(
      'crash',
      `Server and worker on one Postgres, either ended by SIGKILL at random (seed ${seed}).\n\n${body}`,
    );
  } finally {
    await site.stop();
    await rm(folder, { recursive: true, force: true });
  }
}
