// steer pull, models and remove as commands: what they say and leave behind, interrupted as well.
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { openPlace } from '../pulling/pulling.ts';
import { writeTinyModel } from '../tiny-model.ts';
import { startSteer, steer } from './steer.ts';

const place = openPlace();
const env = () => ({ HF_ENDPOINT: place.hub.url, HF_HOME: place.at('home'), HF_TOKEN: 'hf_mine' });
const run = (...args: string[]) => steer(place.at(), args, { env: env() });

test('a model is pulled, listed, found by name and removed', async () => {
  await writeTinyModel(place.at('models', 'own'), { kind: 'steered', name: 'own' });
  const pulled = await run('pull', 'maker/tiny');
  expect(pulled).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^tiny lies in .*data\/models\/tiny, .* MB, checked\.\n$/),
  });
  expect(pulled.stderr).toMatch(/Its licence is mit: .*\n/);
  expect(pulled.stderr).toMatch(/\[#{10}\] .* MB of .* MB {2}.* MB\/s/);
  expect(pulled.stderr).toMatch(/It is the default now/);
  expect(pulled.stderr).not.toContain('hf_mine');
  const { stdout } = await run('models');
  const rows = stdout
    .trim()
    .split('\n')
    .map((line) => line.split(/\s{2,}/).map((cell) => cell.trim()));
  expect(rows).toEqual([
    ['model', 'kind', 'size', 'context', 'licence', 'attributes', 'default'],
    ['tiny', 'language', expect.stringMatching(/MB$/), '64', 'mit', 'instruction', 'yes'],
    ['own', 'language', expect.stringMatching(/MB$/), '64', '–', 'label'],
  ]);
  const exported = await run('export-model', '--model', 'tiny', '--out', place.at('copy.gguf'));
  expect(exported.code, exported.stderr).toBe(0);
  expect(await run('remove', 'own')).toMatchObject({ code: 1, stderr: expect.stringMatching(/own was not pulled: it lies in/) });
  expect(await run('remove', 'tiny')).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^Removed tiny; .* are free\.\n$/),
  });
  expect(place.there()).toEqual([]);
  expect(await run('remove', 'tiny')).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/No pulled model is named "tiny"/),
  });
});

test('a default that somebody wrote into MODELS_DIR stays, and that is told', async () => {
  await writeTinyModel(place.at('models', 'own'), { kind: 'steered', name: 'own' });
  writeFileSync(place.at('models', 'default'), 'own\n');
  expect((await run('pull', 'maker/tiny')).stderr).toMatch(/The default stays own\./);
  expect(readFileSync(place.at('models', 'default'), 'utf8')).toBe('own\n');
});

test('an interrupt keeps the part, and the same command goes on from there', async () => {
  place.hub.cuts = [5000];
  const running = startSteer(place.at(), ['pull', 'maker/tiny-GGUF'], { env: env() });
  const part = place.at('data', 'models', '.tiny.partial', 'tiny-Q8_0.gguf.part');
  while (!existsSync(part) || statSync(part).size < 5000) await sleep(10);
  running.kill('SIGINT');
  expect(await running.ended).toMatchObject({ code: 130, stderr: expect.stringMatching(/Stopped\. What was fetched is kept/) });
  expect(place.there()).toEqual(['.tiny.partial']);
  expect(await run('pull', 'maker/tiny-GGUF')).toMatchObject({ code: 0 });
  expect(place.hub.fetched.at(-1)!.headers.range).toBe('bytes=5000-');
  expect(place.there()).toEqual(['default', 'tiny']);
});

test('the catalogue is listed, refusals are one line, and a half-pulled model is removed as well', async () => {
  expect((await run('pull')).stdout).toMatch(/^name .*\nsmollm2-135m +98 MB +apache-2\.0 +yes /);
  expect(await run('pull', 'smollm2-135')).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^error: .*Did you mean smollm2-135m\?.*\n$/),
  });
  mkdirSync(place.at('data', 'models', '.half.partial'), { recursive: true });
  writeFileSync(place.at('data', 'models', '.half.partial', 'a.gguf.part'), 'x'.repeat(100));
  expect((await run('remove', 'half')).code).toBe(0);
  expect(place.there()).toEqual([]);
});
