// Marta, an innkeeper, with an application that has her and nobody else, and the ways a game plays with her.
import { afterAll, beforeAll, beforeEach, expect } from 'vitest';
import type { CompletionEvent, CompletionRequest } from '../../src/generation/language-model.ts';
import { gameCharacters } from '../../src/steerlm/schemas.ts';
import type { Store } from '../../src/store/connect.ts';
import { feedback } from '../../src/store/feedback-schema.ts';
import { npcEntries, npcs } from '../../src/store/npc-schema.ts';
import { completions } from '../../src/store/schema.ts';
import { Gate } from '../gate.ts';
import type { TestDatabase } from '../store/databases.ts';
import { type House, knock, openHouse, post } from './knock.ts';
import { ParrotModel } from './small-models.ts';

export class Talker extends ParrotModel {
  override readonly schema = gameCharacters;
  override readonly contextLength = 2048;
  readonly choices = new Gate();
  /** Its time is up after so many pieces. */
  lateAfter = Number.POSITIVE_INFINITY;

  override async *complete(request: CompletionRequest, signal: AbortSignal): AsyncGenerator<CompletionEvent> {
    this.requests.push(request);
    if (this.failure) throw this.failure.error;
    const { constraint } = request;
    const pieces =
      constraint?.kind === 'choice' ? [constraint.choices[1]!] : ['Aye. ', `Seed ${request.seed}! `, 'Well', ' then.'];
    const said = constraint ? pieces : pieces.slice(0, this.lateAfter);
    let text = '';
    for (const piece of said) {
      await (constraint ? this.choices : this.gate).pass(signal);
      signal.throwIfAborted();
      text += piece;
      const tokens = [...piece].map((char) => ({ token: char.charCodeAt(0) + 3, logprob: 0, top: [] }));
      yield { kind: 'delta', index: 0, text: piece, ...(constraint ? { tokens } : {}) };
    }
    const ended =
      said === pieces || said.length === pieces.length
        ? { finishReason: 'stop' as const }
        : { finishReason: 'length' as const, deadline: true as const };
    yield { kind: 'end', index: 0, text, completionTokens: said.length, ...ended };
  }
}

export const marta = {
  ...{
    id: 'marta',
    name: 'Marta',
    persona: 'You are {{char}}, an innkeeper. You talk to {{user}}.',
    greeting: 'Welcome, {{user}}!',
  },
  attributes: { humor: 2, toxicity: 0 },
  caps: { toxicity: 2 },
  rules: [
    {
      event: 'player.insulted',
      changes: { humor: -1, toxicity: 2 },
      half_life_s: 60,
      relationship: -0.4,
      note: '{{user}} insulted you.',
    },
    { event: 'quest.completed', changes: { humor: 1 }, relationship: 0.5, note: '{{user}} brought {{item}}.' },
  ],
  relationship: { helpfulness: 2 },
  facts: [
    'The inn has nine rooms.',
    { content: 'The cellar floods in spring.', keys: ['cellar'] },
    { content: 'Rats live there.', keys: ['cellar'], also: ['rat'] },
  ],
  fallback: '{{char}} nods.',
};

/** What a test finds: a store that holds Marta alone, an application over it, and the model she speaks with. */
interface Inn {
  store: Store;
  house: House;
  talker: Talker;
}

/** An inn on the database for the tests beside the call; before each, Marta is made anew and all that was said is forgotten. */
export function openInn(database: TestDatabase) {
  const inn = {} as Inn;
  beforeAll(async () => {
    inn.store = await database.open();
  }, 60_000);
  afterAll(() => inn.store.close());
  beforeEach(async () => {
    for (const table of [feedback, completions, npcs, npcEntries]) await inn.store.db.delete(table);
    inn.house = openHouse({}, { db: inn.store.db });
    inn.talker = new Talker();
    inn.house.shelf.languages = [inn.talker];
    expect((await post(inn.house, '/v1/npcs', marta)).status).toBe(200);
  });

  const begin = async (fields: object = {}) => {
    const { status, body } = await post(inn.house, '/v1/npcs/marta/sessions', {
      player_id: 'ann',
      player_name: 'Ann',
      seed: 5,
      ...fields,
    });
    expect(status, JSON.stringify(body)).toBe(200);
    return body.id as string;
  };
  const at = (sid: string, part: string) => `/v1/npcs/marta/sessions/${sid}/${part}`;
  const tell = (sid: string, type: string, when?: number, data?: object) =>
    post(inn.house, at(sid, 'events'), { type, at: when, data });
  const say = (sid: string, text: string, fields: object = {}) => post(inn.house, at(sid, 'say'), { text, ...fields });
  const line = async (sid: string, text: string, fields: object = {}) => {
    const { status, body } = await say(sid, text, fields);
    expect(status, JSON.stringify(body)).toBe(200);
    return body;
  };
  const mood = async (sid: string, when?: number) =>
    (await knock(inn.house, `${at(sid, 'mood')}${when === undefined ? '' : `?at=${when}`}`)).body;
  const log = async (sid: string) => (await knock(inn.house, at(sid, 'log'))).body.data as { kind: string; text?: string }[];
  /** What the model read, control tokens left out. */
  const read = (request = inn.talker.requests.at(-1)!) =>
    request.prompt
      .filter((id) => id > 2)
      .map((id) => String.fromCharCode(id - 3))
      .join('');
  return { inn, begin, at, tell, say, line, mood, log, read };
}
