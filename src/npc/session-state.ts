// What a session has come to: a pure fold over its log. The same entries give the same state, whoever reads them and whenever.
import { isDeepStrictEqual } from 'node:util';
import type { VectorTokens } from '../engine/vector-sums.ts';
import { SteerError } from '../errors.ts';
import type { VectorWeights } from '../generation/vector-weights.ts';
import type { Label } from '../steerlm/attributes.ts';
import type { Turn } from '../steerlm/conversation.ts';
import type { Character, Rule } from './character.ts';
import { type Effect, isLeft } from './mood.ts';

/** What a log holds, in order. Times are seconds on the clock of the session. */
export type Entry =
  /** Something happened in the game; what it does stands in the rules. */
  | ({ kind: 'event'; type: string; data?: EventData | undefined; playerName?: string | undefined } & When)
  /** The game sets a mood by hand. */
  | ({ kind: 'scene' } & Scene & When)
  /** The player speaks; what is asked of the vectors of the answer is kept for who plays it again. */
  | ({ kind: 'heard'; text: string } & AskedVectors & When)
  /** The character answers, or says its greeting. */
  | ({ kind: 'spoke' } & Spoken & When)
  /** What the player is now known to like. */
  | ({ kind: 'preferences'; offsets: Label } & When);

export interface When {
  atS: number;
  /** The game told the time. */
  told?: boolean | undefined;
}

export type EventData = Record<string, string | number | boolean>;

export interface Scene {
  name?: string | undefined;
  changes: Label;
  halfLifeS?: number | undefined;
  /** Seconds after which it is over. */
  lastsS?: number | undefined;
  priority: number;
  note?: string | undefined;
  playerName?: string | undefined;
}

/** Read with macros filled in. */
export interface RememberedNote {
  text: string;
  /** What the event says, told as text whatever it holds. */
  data?: EventData | undefined;
  /** Of the player then, whoever goes on with the session; absent means that of the session. */
  playerName?: string | undefined;
}

export interface AskedVectors {
  vectors?: VectorWeights | undefined;
  vectorTokens?: VectorTokens | undefined;
}

export interface Spoken extends AskedVectors {
  text: string;
  /** What the line was written under, vectors beside it; empty for one nobody wrote. */
  applied: Label;
  action?: string | undefined;
  /** Not the model's line. */
  fallback: boolean;
  /** Broken off by the player or the game: this is what had been said by then. */
  interrupted?: boolean | undefined;
  /** Under which it can be rated. */
  completionId?: string | undefined;
}

export interface Beginning {
  /** -1 to 1, as it was left when the two last met. */
  relationship: number;
  preferences: Label;
  /** On the game's clock, where it told the time. */
  atS?: number | undefined;
  /** What chance in the character's texts follows from, for forks with seeds of their own too; absent means the seed of the session. */
  seed?: number | undefined;
}

export interface SessionState extends Pick<Beginning, 'relationship' | 'preferences'> {
  effects: Effect[];
  /** As it was said; undefined where it was not. */
  greeting: string | undefined;
  /** What was said, oldest first; only as much as a prompt could ever hold. */
  turns: Turn[];
  /** What the character remembers of what happened, oldest first. */
  notes: RememberedNote[];
  /** Lines the character was asked for; the next one draws with this. */
  heard: number;
  /** The player waits for an answer. */
  waiting: boolean;
  /** Of the last entry, or of the beginning. */
  atS: number | undefined;
  /** Whether the session runs on the game's clock. */
  toldTime: boolean;
  /** Something happened besides the greeting. */
  begun: boolean;
}

const mostTurns = 200;
const mostNotes = 40;

export function beginState({ relationship, preferences, atS }: Beginning): SessionState {
  return {
    relationship,
    preferences,
    effects: [],
    greeting: undefined,
    turns: [],
    notes: [],
    heard: 0,
    waiting: false,
    atS,
    toldTime: atS !== undefined,
    begun: false,
  };
}

/** The state after one more entry. */
export function follow(state: SessionState, entry: Entry, character: Pick<Character, 'rules'>): SessionState {
  const greets = entry.kind === 'spoke' && !state.waiting;
  const next: SessionState = {
    ...state,
    atS: entry.atS,
    toldTime: state.toldTime || entry.told === true,
    begun: state.begun || !greets,
    greeting: greets ? entry.text : state.greeting,
  };
  switch (entry.kind) {
    case 'event':
      return rulesOf(character, entry.type).reduce((held, rule) => applyRule(held, rule, entry), next);
    case 'scene': {
      const { name, changes, halfLifeS, lastsS, priority, note, atS, playerName } = entry;
      const untilS = lastsS === undefined ? undefined : atS + lastsS;
      return remember(move(next, { source: 'scene', event: name, changes, atS, halfLifeS, untilS, priority }), note, {
        playerName,
      });
    }
    case 'heard':
      return { ...say(next, { role: 'user', content: entry.text }), heard: state.heard + 1, waiting: true };
    case 'spoke': {
      const turn = { role: 'assistant' as const, content: entry.text, label: entry.applied };
      return { ...(entry.text === '' ? next : say(next, turn)), waiting: false };
    }
    case 'preferences':
      return { ...next, preferences: entry.offsets };
  }
}

/** Rules an event sets off. Throws invalid_request for one that the character has no rule for. */
export function rulesOf({ rules }: Pick<Character, 'rules'>, type: string): Rule[] {
  const found = rules.filter(({ event }) => event === type);
  if (found.length > 0) return found;
  const known = [...new Set(rules.map(({ event }) => event))].join(', ') || 'none';
  throw new SteerError(
    'invalid_request',
    `type: this character has no rule for the event ${JSON.stringify(type.slice(0, 128))}. It knows: ${known}.`,
    { details: { param: 'type' } },
  );
}

function applyRule(state: SessionState, rule: Rule, { atS, data, playerName }: Entry & { kind: 'event' }): SessionState {
  const { event, changes, halfLifeS, priority, clamp } = rule;
  const moved = move(state, { source: 'rule', event, changes, atS, halfLifeS, priority, clamp });
  // To a millionth, or a tenth taken three times would leave a trace of itself.
  const together = Math.round(1e6 * (state.relationship + rule.relationship)) / 1e6;
  const relationship = Math.min(1, Math.max(-1, together));
  return remember({ ...moved, relationship }, rule.note, { data, playerName });
}

/** What has faded away is forgotten on the way, and what stays is counted, so that a long session stays as quick as a short one. */
function move(state: SessionState, effect: Effect): SessionState {
  const effects = state.effects.filter((held) => isLeft(held, effect.atS));
  const same = effects.findIndex((held) => isTheSameAgain(held, effect));
  if (same === -1) return { ...state, effects: [...effects, effect] };
  const held = effects[same]!;
  effects[same] = { ...held, count: (held.count ?? 1) + 1 };
  return { ...state, effects };
}

/** Whether the two go on alike for ever, so that one of them and their number tell both. */
function isTheSameAgain({ atS: _, count: __, ...held }: Effect, { atS: ___, ...effect }: Effect): boolean {
  const { event, halfLifeS, untilS } = effect;
  return halfLifeS === undefined && untilS === undefined && held.event === event && isDeepStrictEqual(held, effect);
}

function remember(state: SessionState, text: string | undefined, told: Omit<RememberedNote, 'text'>): SessionState {
  return text === undefined ? state : { ...state, notes: [...state.notes, { text, ...told }].slice(-mostNotes) };
}

function say(state: SessionState, turn: Turn): SessionState {
  return { ...state, turns: [...state.turns, turn].slice(-mostTurns) };
}
