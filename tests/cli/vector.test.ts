// steer vector: what it says and leaves behind.
import { rmSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { writeControlFile } from '../model/vectors/vector-files.ts';
import { writeTinyModel } from '../tiny-model.ts';
import { newWorkshop, steer } from './steer.ts';

const { folder, path } = newWorkshop();
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeAll(async () => {
  await writeTinyModel(path('models/own'), { kind: 'steered', name: 'own', layers: 3, contextLength: 256 });
  await writeControlFile(path('happy.control-vector.gguf'));
});
const vector = (...args: string[]) => steer(folder, ['vector', ...args]);

test('a vector is added, listed, written for llama.cpp and removed', async () => {
  expect(await vector('list')).toMatchObject({ code: 0, stdout: 'It has no vectors. steer vector add brings one.\n' });
  const added = await vector('add', 'happy.control-vector.gguf', '--model', 'own', '--range', '-1,2.5');
  expect(added).toMatchObject({ code: 0, stdout: 'Added happy, from -1 to 2.5.\n' });
  expect((await vector('list', '--model', 'own')).stdout).toBe('vector  lowest  highest\nhappy       -1      2.5\n');
  expect(await vector('export', 'happy', '--out', 'out.gguf')).toMatchObject({ code: 0, stdout: 'Wrote out.gguf.\n' });
  expect(await vector('export', 'happy', '--out', 'out.gguf')).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/--force/),
  });
  expect(await vector('add', 'out.gguf', '--name', 'joy')).toMatchObject({ code: 0, stdout: 'Added joy, from -1 to 1.\n' });
  expect(await vector('remove', 'happy')).toMatchObject({ code: 0, stdout: 'Removed happy.\n' });
  expect((await vector('list')).stdout).toMatch(/\njoy /);
});

test('a reply is written under vectors, several of them added up', async () => {
  await vector('add', 'happy.control-vector.gguf', '--name', 'calm', '--range', '-1,1');
  await vector('add', 'happy.control-vector.gguf', '--name', 'glad', '--range', '-2,2');
  const fixed = ['--model', 'own', '--temperature', '0', '--max-tokens', '8', 'Hello'];
  const said = async (...args: string[]) => {
    const { code, stdout, stderr } = await steer(folder, ['generate', ...args, ...fixed]);
    expect(code, stderr).toBe(0);
    return stdout;
  };
  const once = await said('--vector', 'glad=-1');
  expect(once).not.toBe(await said());
  expect(await said('--vector', 'glad=-2', '--vector', 'calm=1')).toBe(once);
  for (const [asked, message] of [
    ['claim=1', /own has no steering vector "claim"/],
    ['calm=2', /Expected calm between -1 and 1, got 2/],
    ['calm', /Expected NAME=WEIGHT like happy=0\.8/],
  ] as const) {
    const { code, stderr } = await steer(folder, ['generate', '--vector', asked, ...fixed]);
    expect([code, stderr]).toEqual([1, expect.stringMatching(message)]);
  }
  for (const name of ['calm', 'glad']) await vector('remove', name);
});

test('what does not hold is told in one line', async () => {
  const refused = async (...args: string[]) => {
    const { code, stderr } = await vector(...args);
    expect([code, stderr.split('\n').length], stderr).toEqual([1, 2]);
    return stderr;
  };
  expect(await refused('add', 'nothing.gguf')).toMatch(/^error: Expected the file nothing\.gguf, found nothing there/);
  expect(await refused('add', 'happy.control-vector.gguf', '--range', '2')).toMatch(
    /range: expected a lower and a higher number .* found 2\./,
  );
  expect(await refused('remove', 'happpy')).toMatch(/^error: own has no steering vector "happpy"/);
});
