// How long a run is, on the command line: made longer, given minutes, and published as it stands.
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { newWorkshop, startSteer, steer, tiny, writeTalk } from './steer.ts';

const { folder, path } = newWorkshop();
const train = (name: string, ...more: string[]) => ['pretrain', '--name', name, '--data', 'talk.jsonl', ...tiny, ...more];
const recipeOf = (name: string) => JSON.parse(readFileSync(path(`models/${name}/steerlm.json`), 'utf8')).recipe;

beforeAll(() => writeTalk(folder));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('a finished run is made longer by more steps, which its card tells, and never shorter', async () => {
  expect(await steer(folder, train('longer', '--steps', '10'))).toMatchObject({ code: 0 });
  const { code, stdout, stderr } = await steer(folder, train('longer', '--steps', '15'));
  expect([code, stdout]).toEqual([0, expect.stringMatching(/^Wrote \S+longer: 15 steps, /)]);
  expect([...stderr.matchAll(/step (\d+)\/15/g)].map(([, step]) => Number(step))[0]).toBe(11);
  const cycles = [
    { from: 0, to: 10 },
    { from: 10, to: 15 },
  ];
  expect(recipeOf('longer')).toMatchObject({ steps: 15, cycles });
  const shorter = await steer(folder, train('longer', '--steps', '12'));
  expect([shorter.code, shorter.stderr]).toEqual([
    1,
    expect.stringMatching(/error: The run has made 15 of 15 steps already and cannot end at 12\. .*--fresh\.\n$/),
  ]);
  expect(shorter.stderr).not.toContain('building the graph');
  const card = readFileSync(path('models/longer/steerlm.json'), 'utf8');
  const again = await steer(folder, train('longer', '--steps', '15'));
  expect([again.code, again.stdout]).toEqual([
    0,
    expect.stringMatching(/^\S+longer is finished: 15 steps, held-out loss \d.*Nothing was trained/),
  ]);
  expect(again.stderr).not.toContain('building the graph');
  expect(readFileSync(path('models/longer/steerlm.json'), 'utf8')).toBe(card);
  rmSync(path('models/longer/model.safetensors'));
  expect((await steer(folder, train('longer', '--steps', '15'))).stdout).toMatch(/^Wrote \S+longer: 15 steps/);
});

test('a run with other settings is refused at once, and told which', async () => {
  expect(await steer(folder, train('other', '--steps', '2'))).toMatchObject({ code: 0 });
  const { code, stderr } = await steer(folder, train('other', '--steps', '2', '--learning-rate', '0.5', '--row-tokens', '64'));
  expect([code, stderr]).toEqual([
    1,
    expect.stringMatching(
      /with other settings or data: row tokens 64 instead of 128, learning rate 0\.5 instead of 0\.001\. .*--fresh/,
    ),
  ]);
  expect(stderr).not.toContain('building the graph');
});

test('something is said before the graph is built, and how much of the held-out data is read', async () => {
  const { code, stderr } = await steer(folder, train('told', '--steps', '2', '--held-out-replies', '4'));
  expect(code).toBe(0);
  const order = ['reading the data', 'reading model and data', 'of them read', 'building the graph', 'step 1/2'];
  expect(order.map((text) => stderr.indexOf(text))).toEqual(order.map((text) => stderr.indexOf(text)).toSorted((a, b) => a - b));
  expect(stderr).toMatch(/M parameters, 56 training and 4 held-out samples, 2 of them read\n/);
});

test('a stopped run is published as it stands, and goes on all the same', async () => {
  expect(await steer(folder, train('early', '--steps', '100000', '--publish'))).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/error: Expected a checkpoint to publish in \S+early, found none\./),
  });
  const run = startSteer(folder, train('early', '--steps', '100000'));
  await run.said('step 1/100000');
  run.kill('SIGTERM');
  const { stdout } = await run.ended;
  const [, step] = /^Stopped at step (\d+) of 100000\. .*--publish/.exec(stdout)!;
  expect(existsSync(path('models/early'))).toBe(false);
  const published = await steer(folder, train('early', '--steps', '100000', '--publish'));
  expect(published.stdout).toMatch(new RegExp(`^Wrote \\S+early: ${step} of 100000 steps, held-out loss \\d`));
  expect(recipeOf('early')).toMatchObject({ steps: Number(step), cycles: [{ from: 0, to: 100000 }] });
  const end = String(Number(step) + 3);
  expect(await steer(folder, train('early', '--steps', end))).toMatchObject({
    code: 0,
    stdout: expect.stringContaining(`: ${end} steps`),
  });
});

test('a run of minutes is one of as many steps as they take', async () => {
  const { code, stdout } = await steer(folder, train('timed', '--minutes', '0.05'));
  expect(code).toBe(0);
  const steps = Number(/: (\d+) steps?/.exec(stdout)?.[1]);
  expect(recipeOf('timed')).toMatchObject({ minutes: 0.05, steps, cycles: [{ from: 0, to: steps }] });
  expect(await steer(folder, train('both', '--minutes', '1', '--steps', '3'))).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/--steps <n>' cannot be used with option '--minutes <n>'/),
  });
});
