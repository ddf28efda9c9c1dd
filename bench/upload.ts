// Is a file ever held in memory? Sends a large one to a server of its own and fetches it back, watching the server's memory all the while.
// Talks to 127.0.0.1 only; ends only the processes it started.
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomStream } from '../src/random.ts';
import { startPostgres } from '../tests/store/postgres-server.ts';
import { recordSection, table } from './results.ts';
import { type Serving, startServing } from './serving.ts';

const MiB = 2 ** 20;

interface UploadFigures {
  /** Resident memory of the server, MiB: ready, after a first small file, and at most while the large one went in and came out. */
  readyMiB: number;
  warmMiB: number;
  uploadPeakMiB: number;
  downloadPeakMiB: number;
  uploadSeconds: number;
  downloadSeconds: number;
}

/** Uploads and downloads `bytes` bytes. Throws when what comes back is not what was sent. */
async function measureUpload(bytes: number, databaseUrl?: string): Promise<UploadFigures> {
  const dataDir = mkdtempSync(join(tmpdir(), 'steer-upload-'));
  const server = await startServing(dataDir, databaseUrl);
  try {
    const readyMiB = server.memoryMiB();
    await roundTrip(server, 8 * MiB);
    const warmMiB = server.memoryMiB();
    return { readyMiB, warmMiB, ...(await roundTrip(server, bytes)) };
  } finally {
    await server.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

type Trip = Pick<UploadFigures, 'uploadPeakMiB' | 'downloadPeakMiB' | 'uploadSeconds' | 'downloadSeconds'>;

async function roundTrip({ url, memoryMiB }: Serving, bytes: number): Promise<Trip> {
  const sent = createHash('sha256');
  const upload = await watched(memoryMiB, () => send(`${url}/v1/files`, lines(bytes), sent));
  const received = createHash('sha256');
  let length = 0;
  const download = await watched(memoryMiB, async () => {
    const reply = await fetch(`${url}/v1/files/${upload.result.id}/content`);
    for await (const chunk of reply.body!) {
      received.update(chunk);
      length += chunk.length;
    }
  });
  const hash = sent.digest('hex');
  if (length !== bytes || received.digest('hex') !== hash || upload.result.sha256 !== hash)
    throw new Error('other bytes came back');
  return {
    uploadPeakMiB: upload.peakMiB,
    uploadSeconds: upload.seconds,
    downloadPeakMiB: download.peakMiB,
    downloadSeconds: download.seconds,
  };
}

async function watched<T>(
  memoryMiB: () => number,
  run: () => Promise<T>,
): Promise<{ result: T; peakMiB: number; seconds: number }> {
  let peakMiB = memoryMiB();
  const timer = setInterval(() => {
    peakMiB = Math.max(peakMiB, memoryMiB());
  }, 10);
  const started = performance.now();
  try {
    const result = await run();
    return { result, seconds: (performance.now() - started) / 1000, peakMiB: Math.max(peakMiB, memoryMiB()) };
  } finally {
    clearInterval(timer);
  }
}

/** Requests of a batch, one a line, with words that pack like words. */
function* lines(bytes: number): Generator<Buffer> {
  const random = randomStream('upload');
  const words = Array.from({ length: 4096 }, () => Math.floor(random() * 36 ** 5).toString(36));
  let row = 0;
  for (let left = bytes; left > 0; ) {
    let text = '';
    while (text.length < Math.min(left, 64 * 1024)) {
      const said = Array.from({ length: 60 }, () => words[Math.floor(random() * words.length)]).join(' ');
      text += `${JSON.stringify({ custom_id: `row-${row++}`, method: 'POST', url: '/v1/attributes/score', body: { messages: [{ role: 'assistant', content: said }] } })}\n`;
    }
    const chunk = Buffer.from(text).subarray(0, left);
    left -= chunk.length;
    yield chunk;
  }
}

async function send(
  url: string,
  content: Iterable<Buffer>,
  hash: ReturnType<typeof createHash>,
): Promise<{ id: string; sha256: string }> {
  async function* form() {
    yield Buffer.from('--X\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nbatch\r\n');
    yield Buffer.from('--X\r\nContent-Disposition: form-data; name="file"; filename="batch.jsonl"\r\n\r\n');
    for (const chunk of content) {
      hash.update(chunk);
      yield chunk;
    }
    yield Buffer.from('\r\n--X--\r\n');
  }
  const headers = { 'content-type': 'multipart/form-data; boundary=X' };
  const reply = await fetch(url, { method: 'POST', headers, body: form(), duplex: 'half' } as unknown as RequestInit);
  if (reply.status !== 200) throw new Error(`the upload was answered with ${reply.status}: ${await reply.text()}`);
  return (await reply.json()) as { id: string; sha256: string };
}

/** 200 MB on both databases; `--quick` for 30 MB. */
export async function run(args: string[]): Promise<void> {
  const bytes = (args.includes('--quick') ? 30 : 200) * MiB;
  const rows = [row('PGlite', await measureUpload(bytes))];
  const postgres = await startPostgres();
  try {
    rows.push(row('Postgres', await measureUpload(bytes, postgres.url)));
  } finally {
    await postgres.stop();
  }
  const intro = `One file of ${bytes / MiB} MiB by POST /v1/files and back by GET /v1/files/{id}/content, over 127.0.0.1; resident memory of the server's process, looked at every 10 ms. The first file, 8 MiB, warms the process up.`;
  const head = ['database', 'ready', 'after 8 MiB', 'most during upload', 'most during download', 'upload', 'download'];
  await recordSection('upload', `${intro}\n\n${table(head, rows)}`);
}

function row(name: string, figures: UploadFigures): string[] {
  const { readyMiB, warmMiB, uploadPeakMiB, downloadPeakMiB, uploadSeconds, downloadSeconds } = figures;
  const memory = [readyMiB, warmMiB, uploadPeakMiB, downloadPeakMiB].map((mebibytes) => `${mebibytes.toFixed(0)} MiB`);
  return [name, ...memory, ...[uploadSeconds, downloadSeconds].map((seconds) => `${seconds.toFixed(1)} s`)];
}
