// Lines of characters in the shapes callers see, whatever carries them: sentences as they are said, then the line with its steering.
import type { z } from '@hono/zod-openapi';
import { appliedBy, keptOut } from '../generation/steered-prompt.ts';
import { SessionLog } from '../npc/session-log.ts';
import { readAhead, type SaidLine, Stage } from '../npc/speak.ts';
import { findChatModel } from '../registry/models.ts';
import type { Conversation } from '../steerlm/conversation.ts';
import { type AppContext, databaseOf, type RequestContext } from './app-context.ts';
import { predictorOf, prepareMeasure } from './measure.ts';
import { recordReplies } from './record.ts';
import type { LineObject, SayBody, SentenceObject } from './schemas/npc-sessions.ts';
import { countBadWords, fingerprintOf, type Steering, tellVectors, toReplyHead } from './schemas/replies.ts';

/** What all routes of characters share. */
export interface NpcService {
  readonly log: SessionLog;
  readonly stage: Stage;
}

/** Opened with the first request, so that a server without a database refuses only what needs one. */
export function npcService(context: AppContext): () => NpcService {
  let npcs: NpcService | undefined;
  return () => {
    if (npcs) return npcs;
    const log = new SessionLog(databaseOf(context));
    npcs = { log, stage: new Stage(log) };
    return npcs;
  };
}

export interface Asked {
  npcId: string;
  sessionId: string;
  body: z.infer<typeof SayBody>;
}

export type SaidObject = z.infer<typeof SentenceObject> | z.infer<typeof LineObject>;

/** The sentences, then the line. Throws what `Stage.say` does, model_not_found and not_ready. */
export async function* sayLine(
  c: RequestContext,
  context: AppContext,
  { log, stage }: NpcService,
  { npcId, sessionId, body }: Asked,
  signal: AbortSignal,
): AsyncGenerator<SaidObject> {
  const startedMs = performance.now();
  const caller = c.get('caller');
  const present = await log.open(npcId, sessionId);
  const { session } = present;
  const model = await context.models.language(findChatModel(context.models, session.character.model).id);
  const head = toReplyHead('npcline', model);
  const { text, at: atS, max_ms: maxMs, fallback, strength, interrupt, store, measure } = body;
  const { vectors, vector_tokens: vectorTokens } = body.steering ?? {};
  // Before anything is said that would be lost.
  if (measure) predictorOf(context.models, model, body.predictor);
  await readAhead(present, text);
  const asked = { vectors: vectors ?? undefined, vectorTokens: vectorTokens ?? undefined };
  const request = { npcId, sessionId, startedMs, text, atS, maxMs, fallback, strength, interrupt, ...asked };
  let index = 0;
  for await (const event of stage.say(model, { ...request, completionId: store ? head.id : undefined, caller }, signal)) {
    if (event.kind === 'sentence') {
      yield { object: 'npc.sentence', index: index++, text: event.text };
      continue;
    }
    const { line } = event;
    const steering: Steering = {
      requested: line.requested,
      applied: line.applied,
      applied_by: line.fallback ? {} : appliedBy(model, line.applied),
      ...countBadWords(line.fallback ? [] : keptOut(model, line.applied, strength).badWords),
      ...tellVectors(line.fallback ? undefined : line.vectors),
      ...(line.deadline ? { deadline: true } : {}),
    };
    if (measure && !line.fallback) {
      const rate = await prepareMeasure(context.models, model, line.conversation, { chosen: body.predictor, signal, caller });
      Object.assign(steering, (await rate([line.text]))[0]);
    }
    const kept = store && !line.fallback;
    const prompt = { model, tokenIds: { length: line.promptTokens }, requested: line.requested, applied: line.applied };
    const { finishReason, completionTokens, seed } = line;
    const replies = [{ text: line.text, finishReason, completionTokens, steering }];
    const written = { ...head, system_fingerprint: fingerprintOf(model, line.vectors) };
    const under = line.vectors ? { steering: tellVectors(line.vectors) } : {};
    const messages = toMessages(line.conversation);
    const request = { messages, attributes: line.applied, ...under, npc: npcId, npc_session: sessionId };
    const stored = kept ? await recordReplies(c, context, { head: written, request, prompt, seed, replies }) : {};
    yield { ...toLineObject(line, kept && stored.stored !== false ? head.id : null, steering), ...stored };
  }
}

function toLineObject(line: SaidLine, id: string | null, steering: Steering): z.infer<typeof LineObject> {
  const { session, text, action, fallback, reason, length, promptTokens, completionTokens, leftOut } = line;
  return {
    object: 'npc.line',
    id,
    session_id: session.id,
    text,
    steering,
    ...(action === undefined ? {} : { action }),
    fallback,
    ...(reason === undefined ? {} : { reason }),
    entries: length,
    ...(Object.values(leftOut).some((count) => count > 0) ? { left_out: leftOut } : {}),
    usage: { prompt_tokens: promptTokens, completion_tokens: completionTokens, total_tokens: promptTokens + completionTokens },
  };
}

/** The conversation as it would be asked for over /v1/chat/completions, so that what people say of the line can be harvested. */
function toMessages({ system, turns }: Conversation) {
  const said = turns.map(({ role, content, label }) => ({ role, content, ...(label ? { attributes: label } : {}) }));
  return [...(system === '' ? [] : [{ role: 'system' as const, content: system }]), ...said];
}
