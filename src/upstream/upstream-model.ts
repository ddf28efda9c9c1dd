// A language model that runs on an upstream which speaks the OpenAI protocol: vLLM serving its safetensors, a second instance of this server, or
// whatever answers chats. Finds out what is known of it and opens it.

import { join } from 'node:path';
import { SteerError } from '../errors.ts';
import type { LanguageModel } from '../generation/language-model.ts';
import { readModelText } from '../generation/model-text.ts';
import { readModelCard, refusePredictor, upstreamFile } from '../model/model-folder.ts';
import { type CallOptions, UpstreamCalls } from './calls.ts';
import { chatDialect, chatRoute, defaultContext } from './chat-dialect.ts';
import { Connection } from './connection.ts';
import type { Dialect, KnownModel } from './dialect.ts';
import { UpstreamFault } from './faults.ts';
import { readUpstreamSettings, type UpstreamSettings } from './settings.ts';
import { tokenDialect, tokenRoute } from './token-dialect.ts';

export interface UpstreamOptions extends CallOptions {
  /** Sent as a bearer token to an upstream that has no key of its own. */
  apiKey?: string | undefined;
  /** The key in an environment variable; undefined where it is not set. */
  keyOf?: ((variable: string) => string | undefined) | undefined;
}

/** Opens the model that upstream.json in `folder` tells of. Throws invalid_model, invalid_config or not_ready in one clear line. */
export async function openUpstreamModel(folder: string, options: UpstreamOptions = {}): Promise<LanguageModel> {
  const settings = await readUpstreamSettings(folder);
  const key = keyFor(settings, folder, options);
  const open = settings.protocol === 'chat' ? openByMessages : openByTokens;
  const { dialect, connection } = await open(folder, settings, key, options);
  const calls = new UpstreamCalls(dialect, settings, connection, options);
  return {
    ...dialect.model,
    mixes: false,
    complete: (request, signal) => dialect.split(calls.complete(request, signal), request),
    dispose: () => calls.dispose(),
  };
}

/** What is known of the model without asking its upstream. Throws invalid_model. */
export async function readUpstreamModel(folder: string): Promise<KnownModel> {
  const settings = await readUpstreamSettings(folder);
  const { protocol, model, contextLength = defaultContext } = settings;
  const { model: known } =
    protocol === 'chat'
      ? await chatDialect(folder, await readModelCard(folder), settings, contextLength)
      : await tokenDialect(folder, await readModelText(folder), model);
  return known;
}

type Opened = Promise<{ dialect: Dialect; connection: Connection }>;

async function openByTokens(
  folder: string,
  settings: UpstreamSettings,
  key: string | undefined,
  options: UpstreamOptions,
): Opened {
  const text = await readModelText(folder);
  const connection = new Connection(settings, tokenRoute, key);
  const contextLength = Math.min(text.contextLength, await findThere(connection, settings, folder, options));
  return { connection, dialect: await tokenDialect(folder, { ...text, contextLength }, settings.model) };
}

async function openByMessages(
  folder: string,
  settings: UpstreamSettings,
  key: string | undefined,
  options: UpstreamOptions,
): Opened {
  const card = await readModelCard(folder);
  refusePredictor(folder, card);
  const connection = new Connection(settings, chatRoute, key);
  const there = await contextThere(connection, settings, options);
  const contextLength = Math.min(settings.contextLength ?? there ?? defaultContext, there ?? Number.POSITIVE_INFINITY);
  return { connection, dialect: await chatDialect(folder, card, settings, contextLength) };
}

/** Throws invalid_config where the model's own key is missing. */
function keyFor({ apiKeyEnv }: UpstreamSettings, folder: string, { apiKey, keyOf }: UpstreamOptions): string | undefined {
  if (apiKeyEnv === undefined) return apiKey;
  const key = keyOf?.(apiKeyEnv);
  if (key !== undefined) return key;
  const message = `${join(folder, upstreamFile)} says that ${apiKeyEnv} holds its key, and that is not set. Set it and start again.`;
  throw new SteerError('invalid_config', message);
}

/** Most tokens the upstream takes; Infinity where it does not say. Throws when it does not answer, or has no such model. */
async function findThere(
  connection: Connection,
  { url, model }: UpstreamSettings,
  folder: string,
  { onFault }: UpstreamOptions,
): Promise<number> {
  const listed = await connection.models().catch((error) => {
    if (error instanceof UpstreamFault) onFault?.(error.reason);
    throw error;
  });
  const found = listed.find(({ names }) => names.includes(model));
  if (found) return found.contextLength ?? Number.POSITIVE_INFINITY;
  const known = listed.map(({ names }) => names[0]).join(', ') || 'none';
  throw new SteerError(
    'invalid_model',
    `${join(folder, upstreamFile)}: expected a model ${JSON.stringify(model)} at ${url}, found: ${known}. Correct model or url.`,
  );
}

/**
 * Most tokens the upstream takes; undefined where it does not say. Hosts list what they please, some nothing, and take names that they do not list, so
 * that only the first reply shows whether there is such a model. Throws when nobody answers or the key is refused.
 */
async function contextThere(
  connection: Connection,
  { model }: UpstreamSettings,
  options: UpstreamOptions,
): Promise<number | undefined> {
  try {
    const listed = await connection.models();
    return listed.find(({ names }) => names.includes(model))?.contextLength;
  } catch (error) {
    if (!(error instanceof UpstreamFault)) throw error;
    if (!['not_ready', 'invalid_config'].includes(error.code)) return undefined;
    options.onFault?.(error.reason);
    throw error;
  }
}
