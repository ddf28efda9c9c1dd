// onnxruntime-node reports to its maker unless told not to before it loads; it then leaves files in the temporary and home folders.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { builtEntry } from '../../src/tensor/built-entry.ts';

const built = (file: string): string => builtEntry(new URL('../../src/tensor/x.ts', import.meta.url).href, `./${file}`).href;

/** Files that loading the runtime leaves behind in an empty home and temporary folder. */
function traces(script: string): string[] {
  const home = mkdtempSync(join(tmpdir(), 'steer-telemetry-'));
  try {
    // Nothing else of the environment: the runtime also holds back when it believes to be on a build server.
    const env = { PATH: process.env.PATH, HOME: home, TMPDIR: home, XDG_CACHE_HOME: join(home, '.cache') };
    execFileSync(process.execPath, ['--input-type=module', '-e', script], { env, stdio: 'pipe' });
    return readdirSync(home, { recursive: true, encoding: 'utf8' }).filter((name) => /mat-debug|onnxruntime/.test(name));
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

const use =
  'await ort.InferenceSession.create(new Uint8Array(3)).catch(() => {}); await new Promise((done) => setTimeout(done, 500));';

it('loads the runtime without telemetry', () => {
  const script = `import { Session } from ${JSON.stringify(built('session.ts'))}; const ort = { InferenceSession: { create: (b) => Session.open(b) } };`;
  expect(traces(`${script} ${use}`)).toEqual([]);
});

it('starts engine threads without telemetry', () => {
  const entry = `data:text/javascript,${encodeURIComponent(
    `import { Session } from ${JSON.stringify(built('session.ts'))}; const ort = { InferenceSession: { create: (b) => Session.open(b) } }; ${use}`,
  )}`;
  const script = `import { EngineThread } from ${JSON.stringify(built('engine-thread.ts'))}; const thread = EngineThread.start(new URL(${JSON.stringify(entry)}), null).catch(() => {});`;
  expect(traces(`${script} await new Promise((done) => setTimeout(done, 1500));`)).toEqual([]);
});

it.runIf(process.platform === 'linux')('would find telemetry: a runtime loaded plainly leaves traces', () => {
  expect(traces(`import ort from 'onnxruntime-node'; ${use}`)).not.toEqual([]);
});
