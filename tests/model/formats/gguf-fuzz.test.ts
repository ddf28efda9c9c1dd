// Damaged GGUF files: whatever is wrong with them, one clear line says so, or the model opens as if nothing were.
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { SteerError } from '../../../src/errors.ts';
import { exportGguf } from '../../../src/model/formats/gguf.ts';
import { readModel } from '../../../src/model/model.ts';
import { readSampling } from '../../../src/model/sampling-defaults.ts';
import { readChatTemplate } from '../../../src/model/tokenizer/tokenizer.ts';
import { randomStream } from '../../../src/random.ts';
import { writeTinyModel } from '../../tiny-model.ts';
import { ggufFile } from './gguf-file.ts';
import { llama, tensors } from './small-gguf.ts';

const scratch = await mkdtemp(join(tmpdir(), 'gguf-fuzz-'));
afterAll(() => rm(scratch, { recursive: true }));

/** What lengths, counts and offsets are turned into. */
const evil = [0n, 1n, 0xffn, 0xffff_ffffn, 2n ** 31n, 2n ** 53n, 2n ** 60n, 2n ** 63n, 2n ** 64n - 1n];

/** One of the ways in which a file is damaged. */
function damaged(whole: Buffer, random: () => number): Buffer {
  const below = (most: number) => Math.floor(random() * most);
  const bytes = Buffer.from(whole);
  switch (below(4)) {
    case 0:
      return bytes.subarray(0, below(bytes.length));
    case 1:
      bytes.writeBigUInt64LE(evil[below(evil.length)]!, below(bytes.length - 8));
      return bytes;
    case 2:
      for (let i = 0; i <= below(8); i++) bytes.writeUInt8(below(256), below(bytes.length));
      return bytes;
    default: {
      const [at, length] = [below(bytes.length), 1 + below(16)];
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]);
    }
  }
}

async function opens(folder: string): Promise<void> {
  await readModel(folder);
  await readChatTemplate(folder);
  await readSampling(folder);
}

test.each(['small', 'exported'])('a %s one, damaged in a thousand ways', async (kind) => {
  const folder = join(scratch, kind);
  await mkdir(folder);
  const path = join(folder, 'model.gguf');
  let whole: Buffer = ggufFile(llama(), tensors);
  if (kind === 'exported') {
    await writeTinyModel(join(scratch, 'source'), { kind: 'steered', name: 'tiny' });
    await exportGguf(join(scratch, 'source'), path, 'f16');
    whole = await readFile(path);
  }
  const counts = { opened: 0, refused: 0 };
  for (let seed = 0; seed < 1000; seed++) {
    // The header alone of the larger one: its numbers are most of it, and any of them are numbers.
    const random = randomStream('gguf-fuzz', kind, seed);
    const header = whole.subarray(0, Math.min(whole.length, 40_000));
    await writeFile(path, Buffer.concat([damaged(header, random), whole.subarray(header.length)]));
    const fault: unknown = await opens(folder).then(
      () => null,
      (cause) => cause,
    );
    if (fault === null) counts.opened++;
    else {
      counts.refused++;
      const { code, message } = fault as SteerError;
      const told = fault instanceof SteerError && code === 'invalid_model' && message.includes(folder) && !message.includes('\n');
      expect(told, `seed ${seed}: ${String(fault)}`).toBe(true);
    }
  }
  expect(counts.refused).toBeGreaterThan(300);
});
