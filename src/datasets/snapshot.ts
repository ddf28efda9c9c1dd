// The samples of a training run as a file of their own, so that a training process needs no database and a resumed run sees the same data.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { writingTo } from '../errors.ts';
import { decodeText, readLines } from '../files/lines.ts';
import { privateFile } from '../private-files.ts';
import type { SampleContent } from './sample.ts';

/** Writes one sample a line; answers how many there were and the SHA-256 of the file's content. */
export async function writeSnapshot(
  path: string,
  samples: AsyncIterable<SampleContent> | Iterable<SampleContent>,
): Promise<{ samples: number; hash: string }> {
  const file = await open(path, 'w', privateFile);
  const hash = createHash('sha256');
  let count = 0;
  let pending = '';
  const flush = async (): Promise<void> => {
    hash.update(pending);
    // Not write(), which a disk that is nearly full may cut short without a word.
    await writingTo(dirname(path), () => file.writeFile(pending));
    pending = '';
  };
  try {
    for await (const sample of samples) {
      pending += `${JSON.stringify(sample)}\n`;
      count++;
      if (pending.length > 1 << 20) await flush();
    }
    await flush();
  } finally {
    await file.close();
  }
  return { samples: count, hash: hash.digest('hex') };
}

/** Samples of a snapshot this program wrote, in order. */
export async function* readSnapshot(path: string): AsyncGenerator<SampleContent> {
  for await (const line of readLines(decodeText(createReadStream(path)))) {
    if (line !== '') yield JSON.parse(line) as SampleContent;
  }
}
