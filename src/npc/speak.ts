// A line within a session: the player is heard, the character answers under its mood, and both are logged, the answer with as much of it as was said.
// One line at a time; who speaks next may break it off.
import type { VectorTokens } from '../engine/vector-sums.ts';
import { SteerError } from '../errors.ts';
import type { LanguageModel } from '../generation/language-model.ts';
import { layOutAsked, refuseMixture } from '../generation/steered-prompt.ts';
import type { AddedVectors, SettledVectors, VectorWeights } from '../generation/vector-weights.ts';
import { randomStream } from '../random.ts';
import type { Label } from '../steerlm/attributes.ts';
import type { Conversation } from '../steerlm/conversation.ts';
import { lineLabel } from './character-layout.ts';
import { timeOf } from './clock.ts';
import { matchAhead, recentText } from './fact-keys.ts';
import { type LineEvent, type LineRequest, type WrittenLine, writeLine } from './line.ts';
import { lineVectors } from './line-vectors.ts';
import { fillMacros, type Speakers } from './macros.ts';
import { moodOf, requestOf } from './mood.ts';
import { type LeftOut, layOutMemory } from './prompt.ts';
import type { Present, SessionLog } from './session-log.ts';
import type { Session } from './session-rows.ts';
import { type Entry, follow, type SessionState, type Spoken } from './session-state.ts';

export interface SayRequest {
  npcId: string;
  sessionId: string;
  text: string;
  /** On the game's clock. */
  atS?: number | undefined;
  /** When it was asked for, on the clock of performance.now(), and how long after that the line must be there. */
  startedMs: number;
  maxMs?: number | undefined;
  /** Said where the line does not come in time; absent means one of the character's own. */
  fallback?: string | undefined;
  strength: number;
  /** Of the line, on top of the character's own. */
  vectors?: VectorWeights | undefined;
  vectorTokens?: VectorTokens | undefined;
  /** Breaks off a line that is still being said; otherwise that is a conflict. */
  interrupt: boolean;
  /** Under which the line can be rated; absent where it is not kept. */
  completionId?: string | undefined;
  /** Whose turn the line takes at the engine. */
  caller?: string | undefined;
}

/** Everything there is to tell of a line. */
export interface SaidLine extends WrittenLine {
  session: Session;
  /** Entries of the session by now. */
  length: number;
  conversation: Conversation;
  requested: Label;
  applied: Label;
  seed: number;
  leftOut: LeftOut;
  vectors?: AddedVectors | undefined;
}

export type SayEvent = Extract<LineEvent, { kind: 'sentence' }> | { kind: 'line'; line: SaidLine };

/** Where the characters of this process speak. */
export class Stage {
  readonly #log: SessionLog;
  readonly #speaking = new Map<string, { stop: AbortController; over: Promise<void> }>();

  constructor(log: SessionLog) {
    this.#log = log;
  }

  /** Breaks off the line that the session's character is saying and waits for its end; false where it says none. */
  async interrupt(sessionId: string): Promise<boolean> {
    const speaking = this.#speaking.get(sessionId);
    speaking?.stop.abort(new SteerError('cancelled', 'The line was broken off.'));
    await speaking?.over;
    return speaking !== undefined;
  }

  /**
   * Has the model read what is known by now, without steering vectors, so that the next line begins sooner; nothing is logged. Answers how many tokens
   * that were. Throws what `layOutMemory` and the model throw.
   */
  async warm(
    model: LanguageModel,
    { npcId, sessionId, caller }: Pick<SayRequest, 'npcId' | 'sessionId' | 'caller'>,
    signal: AbortSignal,
  ): Promise<number> {
    const { session, state } = await this.#log.open(npcId, sessionId);
    const heard = follow(state, { kind: 'heard', ...timeOf(state, undefined), text: '?' }, session.character);
    await readAhead({ session, state }, '?');
    const { line } = await planLine(model, session, heard, { strength: 1 });
    for await (const _ of writeLine(model, { ...line, lineTokens: 1, actions: [], caller }, signal));
    return model.encode(await layOutAsked(model, line.conversation, line.label)).length;
  }

  /**
   * Sentences as they are said, then the line. Throws `conflict` while another line is said or where the session was rewound meanwhile,
   * `cancelled` when it is broken off (what was said by then stays), and what `timeOf`, `layOutMemory` and `writeLine` throw.
   */
  async *say(model: LanguageModel, request: SayRequest, signal: AbortSignal): AsyncGenerator<SayEvent> {
    const { sessionId, interrupt, startedMs, maxMs } = request;
    const brokeOff = interrupt && (await this.interrupt(sessionId));
    if (this.#speaking.has(sessionId)) throw stillSpeaking(sessionId);
    const stop = new AbortController();
    let end = () => {};
    this.#speaking.set(sessionId, { stop, over: new Promise((resolve) => (end = resolve)) });
    try {
      // What was said of the broken line is read too.
      if (brokeOff) await readAhead(await this.#log.open(request.npcId, sessionId), request.text);
      const deadlineMs = maxMs === undefined ? undefined : startedMs + maxMs;
      yield* this.#speak(model, request, deadlineMs, AbortSignal.any([signal, stop.signal]));
    } finally {
      this.#speaking.delete(sessionId);
      end();
    }
  }

  async *#speak(
    model: LanguageModel,
    request: SayRequest,
    deadlineMs: number | undefined,
    signal: AbortSignal,
  ): AsyncGenerator<SayEvent> {
    const { npcId, sessionId, completionId } = request;
    // Planned before the player is heard, so that a line nobody could answer leaves nothing behind.
    let plan!: Plan;
    let steered!: SettledVectors;
    const heard = await this.#log.append(npcId, sessionId, async ({ session, state }) => {
      const { text, vectors, vectorTokens } = request;
      const entry = { kind: 'heard' as const, ...timeOf(state, request.atS), text, vectors, vectorTokens };
      steered = await lineVectors(model, session.character, request);
      plan = await planLine(model, session, follow(state, entry, session.character), request);
      return entry;
    });
    const { requested, line, conversation, leftOut } = plan;
    const { label: applied, seed } = line;
    const { vectors, sums } = steered;
    const under = { applied, vectors: vectors?.weights, vectorTokens: vectors?.tokens };
    let said = '';
    let written: WrittenLine | undefined;
    try {
      const asked = { ...line, vectorSum: sums[0], vectorTokens: vectors?.tokens, deadlineMs, caller: request.caller };
      for await (const event of writeLine(model, asked, signal)) {
        if (event.kind === 'line') written = event.line;
        else {
          said += event.text;
          yield event;
        }
      }
    } finally {
      // The caller has left, or the line was broken off: it has been said as far as that.
      if (!written && said !== '') await this.#logLine(heard, { text: said, ...under, fallback: false, interrupted: true });
    }
    const { text, action, fallback } = written!;
    const kept = fallback ? { applied: {} } : { ...under, action, completionId };
    const { session, length } = await this.#logLine(heard, { text, fallback, ...kept });
    yield { kind: 'line', line: { ...written!, session, length, conversation, requested, applied, seed, leftOut, vectors } };
  }

  async #logLine({ session, state: { heard } }: Present, spoken: Spoken): Promise<Present> {
    const { npcId, id } = session;
    return await this.#log.append(npcId, id, ({ state }): Entry => {
      if (state.waiting && state.heard === heard) return { kind: 'spoke', atS: state.atS as number, ...spoken };
      throw new SteerError('conflict', `The session ${id} was rewound while its character spoke, so the line is not part of it.`);
    });
  }
}

interface Plan {
  line: LineRequest;
  /** As it is remembered. */
  conversation: Conversation;
  requested: Label;
  leftOut: LeftOut;
}

/** Looks for the keys of facts, others let in between, so that planning the line finds the answers there. */
export async function readAhead({ session, state }: Pick<Present, 'session' | 'state'>, text: string): Promise<void> {
  const turns = [...state.turns, { role: 'user' as const, content: text }];
  await matchAhead(session.character.facts, recentText(turns), speakersOf(session));
}

/** What the model is asked for in this state, in which the player has just been heard. */
async function planLine(
  model: LanguageModel,
  session: Session,
  state: SessionState,
  { strength, fallback }: Pick<SayRequest, 'strength' | 'fallback'>,
): Promise<Plan> {
  const { character } = session;
  refuseMixture(model, {}, { strength }, 'strength');
  const moods = moodOf(model.schema, character, state, state.atS as number);
  const label = lineLabel(model, character, moods);
  const speakers = speakersOf(session);
  const random = randomStream(session.seed, 'line', state.heard);
  const seed = Math.floor(random() * 2 ** 32);
  const spare = fallback ?? character.fallback[Math.floor(random() * character.fallback.length)];
  const { asked, conversation, leftOut } = await layOutMemory(model, character, state, label, speakers);
  const actions = character.actions.map(({ name, when }) => ({ name, when: when && fillMacros(when, speakers) }));
  return {
    requested: requestOf(moods),
    conversation,
    leftOut,
    line: {
      ...{
        conversation: asked,
        label,
        strength,
        seed,
        lineTokens: character.lineTokens,
        actions,
        heard: state.turns.at(-1)?.content ?? '',
      },
      fallback: spare && fillMacros(spare, speakers, undefined, state.heard),
    },
  };
}

/** What the macros of a character's texts stand for. */
export function speakersOf({
  character,
  playerName,
  beginning,
  seed,
}: Pick<Session, 'character' | 'playerName' | 'beginning' | 'seed'>): Speakers {
  return { char: character.name, user: playerName, seed: beginning.seed ?? seed };
}

function stillSpeaking(sessionId: string): SteerError {
  const message = `The character of ${sessionId} is still speaking. Wait for the end of its line, or send "interrupt": true.`;
  return new SteerError('conflict', message, { details: { param: 'interrupt' } });
}
