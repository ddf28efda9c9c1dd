// The playground as a browser finds it: a server over a small model that parrots, on a database of its own, and pages opened on it.
import { readFileSync } from 'node:fs';
import type { Browser } from 'puppeteer-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import type { createApp } from '../../src/http/app.ts';
import { type Listening, listen } from '../../src/http/server.ts';
import { gameCharacters } from '../../src/steerlm/schemas.ts';
import type { Store } from '../../src/store/connect.ts';
import { type House, openHouse } from '../http/knock.ts';
import { ParrotModel } from '../http/small-models.ts';
import { openPglite } from '../store/databases.ts';
import { openBrowser, type Visit, visit } from './browser.ts';

class Parrot extends ParrotModel {
  override readonly schema = gameCharacters;
}

/** One browser and database for the tests of a file, a server for each test. */
export class ServedPlayground {
  browser!: Browser;
  store!: Store;
  house!: House;
  parrot!: Parrot;
  server!: Listening;
  readonly #visits: Visit[] = [];

  async start(): Promise<void> {
    this.browser = await openBrowser();
    this.store = await openPglite();
  }

  async stop(): Promise<void> {
    await this.browser.close();
    await this.store.close();
  }

  /** Serves the playground, in place of a server before. */
  async open(settings: Record<string, string> = {}): Promise<void> {
    this.house = openHouse(settings, { db: this.store.db });
    this.parrot = new Parrot();
    this.house.shelf.languages = [this.parrot];
    const path = new URL('../../models/npc/evaluation/steering.json', import.meta.url);
    const report = JSON.parse(readFileSync(path, 'utf8'));
    this.house.shelf.report = async () => ({ measured: {}, evaluations: { steering: report } });
    await this.serve(this.house.app);
  }

  async serve(app: ReturnType<typeof createApp>): Promise<void> {
    await this.server?.close(0);
    this.server = await listen(app, { host: '127.0.0.1', port: 0 });
  }

  /** Leaves every page; none may have met a fault. */
  async leave(): Promise<void> {
    for (const { faults, page } of this.#visits.splice(0)) {
      await page.browserContext().close();
      expect(faults).toEqual([]);
    }
    await this.server.close(0);
  }

  async go(path: string, options: Parameters<typeof visit>[3] = {}): Promise<Visit> {
    const made = await visit(this.browser, this.server.url, path, options);
    this.#visits.push(made);
    return made;
  }

  /** The reply to a request that succeeds; with a body it is a POST. */
  async ask<T>(path: string, body?: object): Promise<T> {
    const init = body && { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
    const reply = await fetch(this.server.url + path, init);
    expect(reply.status, await reply.clone().text()).toBe(200);
    return (await reply.json()) as T;
  }
}

/** For the tests of the calling file. */
export function servePlayground(): ServedPlayground {
  const served = new ServedPlayground();
  beforeAll(() => served.start(), 60_000);
  afterAll(() => served.stop());
  beforeEach(() => served.open());
  afterEach(() => served.leave());
  return served;
}
