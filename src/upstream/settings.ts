// upstream.json of a model's folder: where the model runs, in place of weights beside it.
import { join } from 'node:path';
import { z } from 'zod';
import { SteerError } from '../errors.ts';
import { exists, readJson } from '../model/formats/json-file.ts';
import { upstreamFile } from '../model/model-folder.ts';
import { faultText } from '../shape-faults.ts';

/** completions: prompts are laid out here and go there as token ids; chat: the upstream is sent messages and lays them out itself. */
const protocols = ['completions', 'chat'] as const;

export interface UpstreamSettings {
  /** Address below which /models and the routes of completions are, without a slash at its end. */
  url: string;
  /** Name of the model there. */
  model: string;
  protocol: (typeof protocols)[number];
  /** Environment variable that holds the key of this upstream alone; undefined where the common one is sent. */
  apiKeyEnv: string | undefined;
  /** Of a model that is asked by messages: most tokens of prompt and reply together; undefined where nobody says. */
  contextLength: number | undefined;
  /** Of a model that is asked by messages: what its upstream calls the length of a reply. */
  maxTokensField: 'max_tokens' | 'max_completion_tokens';
  /** Of a model that is asked by messages: fields its upstream knows beyond the protocol, sent with each request as they are. */
  extraBody: Record<string, unknown>;
  /** Longest silence of the upstream, before the reply or in it. */
  timeoutMs: number;
  /** Replies asked for at once of one caller, above which its further requests are refused; a quarter more is kept for others. */
  maxReplies: number;
}

/** What says nothing beside token ids. */
const chatFields = ['context_length', 'max_tokens_field', 'extra_body'] as const;

const whole = (least: number, most: number) => z.int().min(least).max(most);
const fields = z.strictObject({
  url: z
    .url({ protocol: /^https?$/, error: 'expected an address like http://host:8000/v1' })
    .refine(
      (url) => !/^\w+:\/\/[^/]*@/.test(url),
      'expected no user name or password; set UPSTREAM_API_KEY, or the variable that api_key_env names',
    )
    .transform((url) => url.replace(/\/+$/, '')),
  model: z.string().min(1),
  // What waits longer is cut off by Node's own fetch.
  timeout_ms: whole(100, 300_000).default(60_000),
  max_replies: whole(1, 100_000).default(256),
  protocol: z.enum(protocols).default('completions'),
  api_key_env: z
    .string()
    .regex(/^[A-Z][A-Z0-9_]*$/, 'expected the name of an environment variable like OPENAI_API_KEY, never the key itself')
    .optional(),
  context_length: whole(64, 100_000_000).optional(),
  max_tokens_field: z.enum(['max_tokens', 'max_completion_tokens']).optional(),
  extra_body: z.record(z.string(), z.unknown()).optional(),
});
const schema = fields.superRefine((given, context) => {
  if (given.protocol === 'chat') return;
  const stray = chatFields.find((field) => given[field] !== undefined);
  if (stray)
    context.addIssue({ code: 'custom', path: [stray], message: 'is read beside "protocol": "chat" alone; leave it out' });
});

/** Whether the model of that folder runs on an upstream, whatever else lies there. */
export function isUpstream(folder: string): Promise<boolean> {
  return exists(join(folder, upstreamFile));
}

/** Throws invalid_model naming the field that does not hold. */
export async function readUpstreamSettings(folder: string): Promise<UpstreamSettings> {
  const path = join(folder, upstreamFile);
  const parsed = schema.safeParse(await readJson(path));
  if (!parsed.success) {
    throw new SteerError('invalid_model', `${path}: ${faultText(parsed.error, 'content')}.`);
  }
  const { url, model, protocol, timeout_ms: timeoutMs, max_replies: maxReplies, api_key_env: apiKeyEnv } = parsed.data;
  const {
    context_length: contextLength,
    max_tokens_field: maxTokensField = 'max_tokens',
    extra_body: extraBody = {},
  } = parsed.data;
  return { url, model, protocol, timeoutMs, maxReplies, apiKeyEnv, contextLength, maxTokensField, extraBody };
}
