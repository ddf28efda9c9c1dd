// The application: every route behind request ids, logs, the key and the size limit, with one place where failures become replies.
import { randomUUID } from 'node:crypto';
import { OpenAPIHono } from '@hono/zod-openapi';
import { bodyLimit } from 'hono/body-limit';
import { requestId } from 'hono/request-id';
import { SteerError } from '../errors.ts';
import { awaitRoom } from '../event-loop.ts';
import { requireKey } from './access.ts';
import type { AppContext, AppEnv, RequestContext } from './app-context.ts';
import { logRequests } from './log.ts';
import { npcService } from './npc-lines.ts';
import { refuseForeign } from './origins.ts';
import { mayHoldLongList, refuseUnwieldy, renderFailure, renderUnknownRoute, toInvalidRequest } from './problem.ts';
import { addAttributes } from './routes/attributes.ts';
import { addBatches } from './routes/batches.ts';
import { addChatCompletions } from './routes/chat-completions.ts';
import { addCompletions } from './routes/completions.ts';
import { addDatasetContents } from './routes/dataset-contents.ts';
import { addDatasets } from './routes/datasets.ts';
import { addEvaluation } from './routes/evaluation.ts';
import { addFeedbackRoutes } from './routes/feedback.ts';
import { addFiles } from './routes/files.ts';
import { addFineTuning } from './routes/fine-tuning.ts';
import { addHealth } from './routes/health.ts';
import { addJobs } from './routes/jobs.ts';
import { addLabelling } from './routes/labelling.ts';
import { addModelPulls } from './routes/model-pulls.ts';
import { addModelVectors } from './routes/model-vectors.ts';
import { addModels } from './routes/models.ts';
import { addNpcPlay } from './routes/npc-play.ts';
import { addNpcSessions } from './routes/npc-sessions.ts';
import { addNpcSocket } from './routes/npc-socket.ts';
import { addNpcs } from './routes/npcs.ts';
import { addPlayground } from './routes/playground.ts';
import { addRaters } from './routes/raters.ts';
import { addRemembered } from './routes/remembered.ts';
import { failureUnder, follow } from './stopping.ts';
import { mediaType, pictureBytes, refuseEncoded, takesPicture, takesUpload } from './uploads.ts';

/** The whole application as one function from Request to Response; `listen` puts it on a port. */
export function createApp(context: AppContext): OpenAPIHono<AppEnv> {
  const app = new OpenAPIHono<AppEnv>({
    defaultHook: (result) => {
      if (!result.success) throw toInvalidRequest(result.error);
      refuseUnwieldy(result.data);
    },
  });
  app.use(requestId({ limitLength: 128, generator: () => `req_${randomUUID().replaceAll('-', '')}` }));
  app.use(logRequests(context.log));
  app.use(async (c, next) => {
    // Taken before anything replaces the request: only the original one hears of the connection.
    const abort = new AbortController();
    const { signal } = c.req.raw;
    if (signal.aborted) abort.abort();
    else signal.addEventListener('abort', () => abort.abort(), { once: true });
    c.set('abort', abort);
    const unfollow = follow(c.env?.stopping?.graceOver, abort);
    if (!c.req.path.startsWith('/health/')) await awaitRoom();
    await next();
    const streamed = c.get('streamed');
    if (streamed) void streamed.finally(unfollow);
    else unfollow();
  });
  app.use(refuseForeign(context.config));
  app.use(requireKey(context.config.apiKey, context.db));
  const limited = limitBody(context.config.limits.bodyBytes, 'Send less, or raise MAX_BODY_BYTES.');
  const limitedPicture = limitBody(pictureBytes, 'Send a smaller picture; the card in it stays the same.');
  app.use((c, next) => {
    refuseEncoded(c);
    if (takesUpload(c)) return next();
    return takesPicture(c) ? limitedPicture(c, next) : limited(c, next);
  });
  app.use(refuseLongLists);
  addChatCompletions(app, context);
  addCompletions(app, context);
  addRemembered(app, context);
  addModelPulls(app, context);
  addModels(app, context);
  addModelVectors(app, context);
  addAttributes(app, context);
  addFiles(app, context);
  addFineTuning(app, context);
  addDatasets(app, context);
  addDatasetContents(app, context);
  addLabelling(app, context);
  addEvaluation(app, context);
  addBatches(app, context);
  addJobs(app, context);
  addFeedbackRoutes(app, context);
  addRaters(app, context);
  const npcs = npcService(context);
  addNpcs(app, context);
  addNpcSessions(app, context, npcs);
  addNpcPlay(app, context, npcs);
  addNpcSocket(app, context, npcs);
  addHealth(app, context);
  addPlayground(app);
  app.notFound(renderUnknownRoute(app));
  app.onError((error, c) => renderFailure(c, c.env?.givenUp?.() ?? failureUnder(c.get('abort').signal, error)));
  return app;
}

/** A list too long for its checks is refused before they begin. */
async function refuseLongLists(c: RequestContext, next: () => Promise<void>): Promise<void> {
  const asked = ['POST', 'PUT'].includes(c.req.method) && !takesUpload(c);
  if (asked && mediaType(c.req.header('content-type')) === 'application/json' && mayHoldLongList(await c.req.text())) {
    refuseUnwieldy(await c.req.json().catch(() => undefined));
  }
  await next();
}

function limitBody(bytes: number, remedy: string) {
  return bodyLimit({
    maxSize: bytes,
    onError: () => {
      throw new SteerError('body_too_large', `Expected a body of at most ${bytes} bytes. ${remedy}`);
    },
  });
}
