// upstream.json of a model's folder: where the model runs, in place of weights beside it.
import { join } from 'node:path';
import { z } from 'zod';
import { SteerError } from '../errors.ts';
import { exists, readJson } from '../model/formats/json-file.ts';
import { faultText } from '../shape-faults.ts';

export interface UpstreamSettings {
  /** Address below which /models and /completions are, without a slash at its end. */
  url: string;
  /** Name of the model there. */
  model: string;
  /** Longest silence of the upstream, before the reply or in it. */
  timeoutMs: number;
  /** Replies asked for at once of one caller, above which its further requests are refused; a quarter more is kept for others. */
  maxReplies: number;
}

export const upstreamFile = 'upstream.json';

const whole = (least: number, most: number) => z.int().min(least).max(most);
const schema = z.strictObject({
  url: z
    .url({ protocol: /^https?$/, error: 'expected an address like http://host:8000/v1' })
    .refine((url) => !/^\w+:\/\/[^/]*@/.test(url), 'expected no user name or password; set UPSTREAM_API_KEY')
    .transform((url) => url.replace(/\/+$/, '')),
  model: z.string().min(1),
  // What waits longer is cut off by Node's own fetch.
  timeout_ms: whole(100, 300_000).default(60_000),
  max_replies: whole(1, 100_000).default(256),
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
  const { url, model, timeout_ms: timeoutMs, max_replies: maxReplies } = parsed.data;
  return { url, model, timeoutMs, maxReplies };
}
