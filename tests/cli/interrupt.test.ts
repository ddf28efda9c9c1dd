// Interrupts while training, from a terminal or whatever else ends processes: the work so far is kept, and the same command goes on from there.
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
    stderr: expect.stringMatching(
      /other settings or data: learning rate 0\.01 instead of 0\.001\..* To start over, add --fresh\.\n$/,
    ),
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

test.each(['SIGTERM', 'SIGHUP'] as const)('%s to the whole group, told twice, stops a run with its step kept', async (signal) => {
  const name = signal.toLowerCase();
  const command = ['pretrain', '--name', name, '--data', 'talk.jsonl', ...tiny, '--steps', '100000'];
  const run = startSteer(folder, command);
  await run.said('step 1/100000');
  // `timeout` signals the command itself and then its group.
  run.kill(signal);
  run.killGroup(signal);
  const { code, stdout, stderr } = await run.ended;
  expect(`${code} ${stderr.split('\n').slice(-2).join('')}`).toMatch(/^130 /);
  const [, step] = /^Stopped at step (\d+) of 100000\. Run the same command again/.exec(stdout)!;
  expect(readdirSync(path(`data/runs/${name}`))).toContain(`step-${step!.padStart(8, '0')}`);
});

test('a run whose first steps are being timed stops at once and says so', async () => {
  // A step of minutes.
  const command = ['pretrain', '--name', 'slow', '--data', 'talk.jsonl', ...tiny, '--accumulation', '100000', '--minutes', '60'];
  const run = startSteer(folder, command);
  await run.said('timing up to 10 steps');
  run.kill('SIGINT');
  const { code, stdout, stderr } = await run.ended;
  expect([code, stdout]).toEqual([130, '']);
  expect(stderr).toMatch(/\nStopped while the first steps were timed; nothing was trained\. .*--steps N\.\n$/);
  expect(stderr).not.toContain('stopping after the step in hand');
});

test('a training process that is killed with its command stopping is told as it stands', async () => {
  const command = [
    'pretrain',
    '--name',
    'killed',
    '--data',
    'talk.jsonl',
    ...tiny,
    '--steps',
    '100000',
    '--checkpoint-every',
    '1',
  ];
  const run = startSteer(folder, command);
  await run.said('step 1/100000');
  const checkpoints = () => readdirSync(path('data/runs/killed')).filter((file) => /^step-\d+$/.test(file));
  await expect.poll(checkpoints).not.toEqual([]);
  const { pid } = JSON.parse(readFileSync(path('data/runs/killed/lock'), 'utf8'));
  process.kill(pid, 'SIGSTOP');
  run.kill('SIGINT');
  await run.said('stopping after the step in hand');
  process.kill(pid, 'SIGKILL');
  const { code, stdout } = await run.ended;
  const told = /^The training process was ended after step (\d+) of 100000; the newest checkpoint is of step (\d+)\./.exec(
    stdout,
  );
  expect([code, told === null], stdout).toEqual([130, false]);
  const newest = checkpoints().sort().at(-1);
  expect(newest).toBe(`step-${told![2]!.padStart(8, '0')}`);
});
