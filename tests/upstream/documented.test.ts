// The examples of docs/upstreams.md are read as they stand there.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readModelCard } from '../../src/model/model-folder.ts';
import { readUpstreamSettings } from '../../src/upstream/settings.ts';

const page = await readFile(new URL('../../docs/upstreams.md', import.meta.url), 'utf8');
const blocks = [...page.matchAll(/^```json\n([\s\S]*?)^```/gm)].map(([, block]) => block!);
const isCard = (block: string) => block.includes('"format_version"');
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'steer-documented-'));
});
afterAll(() => rm(folder, { recursive: true }));

test.each(blocks.filter((block) => !isCard(block)))('%s', async (block) => {
  await writeFile(join(folder, 'upstream.json'), block);
  expect(await readUpstreamSettings(folder)).toMatchObject({ protocol: 'chat', model: JSON.parse(block).model });
});

test('the card', async () => {
  const [block] = blocks.filter(isCard);
  await writeFile(join(folder, 'steerlm.json'), block!);
  expect(await readModelCard(folder)).toMatchObject({ name: 'guard', attributeSchema: { name: 'mood' } });
});
