// The file of a training run's samples, read back as it was written.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { SampleContent } from '../../src/datasets/sample.ts';
import { readSnapshot, writeSnapshot } from '../../src/datasets/snapshot.ts';
import { collect } from './collect.ts';

test('a text with line and paragraph separators is one line of the file', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'steer-snapshot-'));
  try {
    const samples: SampleContent[] = [
      { kind: 'text', text: 'a\u2028b\u2029c\u0085d\r\ne' },
      { kind: 'conversation', conversation: { system: '', turns: [{ role: 'assistant', content: '\u2028', trained: false }] } },
    ];
    const path = join(folder, 'train.jsonl');
    expect(await writeSnapshot(path, samples)).toMatchObject({ samples: 2 });
    expect(await collect(readSnapshot(path))).toEqual(samples);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
