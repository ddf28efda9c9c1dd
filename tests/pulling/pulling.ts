// A hub with a model that can be read, and a folder to pull it into, for the tests of a file.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { exportGguf } from '../../src/model/formats/gguf.ts';
import { readAsked } from '../../src/pulling/asked.ts';
import type { HubSettings } from '../../src/pulling/hub.ts';
import { type Pulled, type PullOptions, pullModel } from '../../src/pulling/pull.ts';
import { writeTinyModel } from '../tiny-model.ts';
import { HubServer } from './hub-server.ts';

export const firstSha = 'a'.repeat(40);
export const secondSha = 'b'.repeat(40);
const template = "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}";

/** A tiny model as a repository holds it: its files by name, and the same in one GGUF. */
export interface TinyFiles {
  files: Record<string, Buffer>;
  gguf: Buffer;
}

/** Writes a model that can chat, and reads its files back. */
export async function tinyFiles(folder: string, chats = true): Promise<TinyFiles> {
  const at = join(folder, 'tiny');
  await writeTinyModel(at, { kind: 'base', name: 'tiny' });
  rmSync(join(at, 'steerlm.json'));
  const path = join(at, 'tokenizer_config.json');
  const settings = JSON.parse(readFileSync(path, 'utf8'));
  writeFileSync(path, JSON.stringify({ ...settings, chat_template: chats ? template : undefined }));
  const files = Object.fromEntries(readdirSync(at).map((name) => [name, readFileSync(join(at, name))]));
  await exportGguf(at, join(folder, 'tiny.gguf'), 'f16');
  return { files, gguf: readFileSync(join(folder, 'tiny.gguf')) };
}

export interface Place {
  hub: HubServer;
  tiny: TinyFiles;
  /** What was told on the way. */
  notes: string[];
  /** Pauses that were asked for, without being waited for. */
  pauses: number[];
  /** A path in the folder of the test. */
  at(...parts: string[]): string;
  settings(hub?: Partial<HubSettings>): HubSettings;
  pull(asked: string, options?: Partial<PullOptions> & { hub?: Partial<HubSettings> }): Promise<Pulled>;
  /** Names in the folder of pulled models. */
  there(): string[];
}

/** A fresh hub with `maker/tiny` (safetensors) and `maker/tiny-GGUF`, and a fresh folder, for each test of the calling file. */
export function openPlace(): Place {
  let folder = '';
  let source = '';
  const place = {
    notes: [] as string[],
    pauses: [] as number[],
    at: (...parts: string[]) => join(folder, ...parts),
    settings: (hub: Partial<HubSettings> = {}): HubSettings => ({
      endpoint: place.hub.url,
      home: join(folder, 'home'),
      offline: false,
      ...hub,
    }),
    pull: async (asked: string, { hub, ...options }: Partial<PullOptions> & { hub?: Partial<HubSettings> } = {}) => {
      const settings = place.settings(hub);
      return await pullModel(
        readAsked(asked, settings.endpoint),
        { pulledDir: join(folder, 'data', 'models'), modelsDir: join(folder, 'models'), hub: settings },
        {
          signal: new AbortController().signal,
          onNote: (text) => void place.notes.push(text),
          onBytes: () => {
            place.hub.taken();
            place.hub.store?.taken();
          },
          sleep: async (ms) => void place.pauses.push(ms),
          ...options,
        },
      );
    },
    there: () => readdirSync(join(folder, 'data', 'models')).sort(),
  } as Place;
  beforeAll(async () => {
    source = mkdtempSync(join(tmpdir(), 'steer-tiny-'));
    place.tiny = await tinyFiles(source);
  });
  afterAll(() => rmSync(source, { recursive: true, force: true }));
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'steer-pull-'));
    mkdirSync(join(folder, 'models'));
    place.hub = await HubServer.open();
    place.notes.length = 0;
    place.pauses.length = 0;
    const { files, gguf } = place.tiny;
    place.hub.repositories.set('maker/tiny', { sha: firstSha, files, licence: 'mit' });
    place.hub.repositories.set('maker/tiny-GGUF', {
      sha: firstSha,
      files: { 'README.md': Buffer.from('hello'), 'tiny-Q8_0.gguf': gguf },
    });
  });
  afterEach(async () => {
    await place.hub.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return place;
}
