// Ctrl-C while training: the work so far is kept, and the same command goes on from there.
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { afterAll, expect, test } from 'vitest';
import { newWorkshop, startSteer, steer, tiny, writeTalk } from './steer.ts';

const { folder, path } = newWorkshop();
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('an interrupted run continues from its checkpoint', async () => {
  writeTalk(folder);
  const command = ['pretrain', '--name', 'base', '--data', 'talk.jsonl', ...tiny, '--steps', '120', '--seed', '5'];
  const first = startSteer(folder, command);
  await first.said('step 12/120');
  first.kill('SIGINT');
  const stopped = await first.ended;
  expect(stopped).toMatchObject({
    code: 130,
    stdout: expect.stringMatching(/^Stopped at step \d+ of 120\. Run the same command again/),
  });
  const step = Number(/step (\d+)/.exec(stopped.stdout)?.[1]);
  expect(step).toBeLessThan(120);
  expect(readdirSync(path('data/runs/base'))).toContain(`step-${String(step).padStart(8, '0')}`);
  expect(existsSync(path('models/base'))).toBe(false);

  const other = await steer(folder, [...command, '--learning-rate', '0.01']);
  expect(other).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/other settings or data\..* To start over, add --fresh\.\n$/),
  });

  const second = await steer(folder, command);
  expect(second).toMatchObject({ code: 0, stdout: expect.stringMatching(/Wrote \S+base: 120 steps/) });
  expect(second.stderr).toContain(`continuing from ${path('data/runs/base')}/step-`);
  const told = [...second.stderr.matchAll(/step (\d+)\/120/g)].map(([, number]) => Number(number));
  expect(Math.min(...told)).toBeGreaterThan(step);
  expect(JSON.parse(readFileSync(path('models/base/steerlm.json'), 'utf8'))).toMatchObject({ recipe: { seed: 5, steps: 120 } });

  const name = await steer(folder, ['pretrain', '--name', 'base', '--data', 'talk.jsonl', '--run-folder', path('elsewhere')]);
  expect(name).toMatchObject({ code: 1, stderr: expect.stringMatching(/^error: There is a model in \S+ already\./) });
});
