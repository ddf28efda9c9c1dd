// Checkpoints that a power cut left torn: an older whole one is taken, and where there is none that is said.
import { stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { listCheckpoints } from '../../src/training/checkpoint.ts';
import { folder, run, shown } from './counting.ts';

it.each(['position.json', 'state.safetensors'])(
  'goes on from the newest whole checkpoint where a newer %s is torn',
  async (file) => {
    const { curve } = await run(`torn-${file}`, 7);
    const at = (step: number) => join(folder, `torn-${file}`, `step-0000000${step}`, file);
    await truncate(at(7), Math.floor((await stat(at(7))).size / 2));
    const told: string[] = [];
    const { curve: again } = await run(`torn-${file}`, 1, {}, (text) => told.push(text));
    expect(again.map(shown)).toEqual(curve.slice(4, 5).map(shown));
    expect(told).toContainEqual(expect.stringMatching(/^passing over the checkpoint step-00000007, which is not whole: /));
    expect(await listCheckpoints(join(folder, `torn-${file}`))).toEqual(['step-00000004', 'step-00000005']);
  },
);

it('says so where no checkpoint is whole', async () => {
  await run('none-whole', 6);
  for (const step of [4, 6]) await truncate(join(folder, 'none-whole', `step-0000000${step}`, 'position.json'), 0);
  await expect(run('none-whole')).rejects.toMatchObject({
    code: 'conflict',
    message: expect.stringMatching(/Expected a whole checkpoint in .*none-whole, found none\. .*step-00000006/),
  });
  expect(await listCheckpoints(join(folder, 'none-whole'))).toHaveLength(2);
});
