// Does a model that is asked by messages say here what its server says, and is it steered by words? Any chat server at hand, named by its address; this
// server in front of it with nothing but an upstream.json.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { instructionText } from '../src/steerlm/instructions.ts';
import { everyday } from '../src/steerlm/schemas.ts';
import { median, recordSection, table } from './results.ts';
import { startServing } from './serving.ts';

/** Address with its /v1, and the model's name there. */
const { CHAT_UPSTREAM: upstreamUrl, CHAT_MODEL: upstreamModel } = process.env;

const questions = [
  'What is the capital of France?',
  'Why is the sky blue?',
  'How do I make pancakes?',
  'What does a beekeeper do all year?',
  'How can I fall asleep faster?',
  'Why do leaves turn red in autumn?',
];
/** At each of which every question is asked; null asks nothing. */
const levels = [null, 0, 4];
const maxTokens = 80;
const mostSame = 3;

interface Answer {
  choices: { message: { content: string }; finish_reason: string }[];
  usage: { prompt_tokens: number; completion_tokens: number };
}

async function ask<T>(url: string, body: object): Promise<T> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify({ max_tokens: maxTokens, ...body }) });
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${await response.text()}`);
  return (await response.json()) as T;
}

const wordsOf = (text: string) => text.split(/\s+/).filter((word) => word !== '').length;
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Questions whose likeliest reply is the same through this server and from the upstream itself, asked with the same words. */
async function sameReplies(here: string): Promise<number> {
  let same = 0;
  for (const question of questions.slice(0, mostSame)) {
    const messages = (words: string) => [{ role: 'user', content: words === '' ? question : `${question}\n\n${words}` }];
    const words = instructionText(everyday, { verbosity: 0 });
    const [through, there] = [
      await ask<Answer>(here, { messages: messages(''), attributes: { verbosity: 0 }, temperature: 0 }),
      await ask<Answer>(`${upstreamUrl}/chat/completions`, { model: upstreamModel, messages: messages(words), temperature: 0 }),
    ];
    if (through.choices[0]!.message.content === there.choices[0]!.message.content.replace(/\n$/, '')) same++;
  }
  return same;
}

async function measure(url: string): Promise<string> {
  const here = `${url}/v1/chat/completions`;
  const same = await sameReplies(here);
  const estimates: number[] = [];
  const rows: string[][] = [];
  for (const level of levels) {
    const attributes = level === null ? {} : { verbosity: level };
    const words: number[] = [];
    for (const [seed, question] of questions.entries()) {
      const body = { messages: [{ role: 'user', content: question }], attributes };
      const { choices, usage } = await ask<Answer>(here, { ...body, temperature: 0.6, seed });
      const { prompt_tokens: estimate } = await ask<{ prompt_tokens: number }>(`${here}/render`, body);
      estimates.push(estimate / usage.prompt_tokens);
      words.push(wordsOf(choices[0]!.message.content));
    }
    rows.push([level === null ? 'nothing' : `verbosity ${level}`, mean(words).toFixed(0)]);
  }
  return (
    `${upstreamModel} on a chat server, through this one with nothing but an \`upstream.json\`. The likeliest reply is word for word the upstream's own, asked with the ` +
    `same words, for ${same} of ${mostSame} questions. Prompts are estimated at ${median(estimates).toFixed(2)} of the tokens that the upstream counts (median; its template's own words are ` +
    `not seen here).\n\n${table(['asked for', 'mean words'], rows)}`
  );
}

/** Writes what was found; without a server to ask, says how to come by one. */
export async function run(): Promise<void> {
  if (!upstreamUrl || !upstreamModel) {
    process.stdout.write(
      'CHAT_UPSTREAM must be the address of a chat server with its /v1, CHAT_MODEL the name of a model there. For instance:\n' +
        '  llama-server --model SmolLM2-135M-Instruct.Q4_1.gguf --port 8081\n' +
        '  transformers serve FOLDER --port 8081 --device cpu\n',
    );
    return;
  }
  const scratch = await mkdtemp(join(tmpdir(), 'steer-chat-upstream-'));
  try {
    await mkdir(join(scratch, 'models', 'far'), { recursive: true });
    const settings = { url: upstreamUrl, model: upstreamModel, protocol: 'chat' };
    await writeFile(join(scratch, 'models', 'far', 'upstream.json'), JSON.stringify(settings));
    const serving = await startServing(join(scratch, 'data'), undefined, join(scratch, 'models'));
    try {
      await recordSection('chat-upstream', await measure(serving.url));
    } finally {
      await serving.stop();
    }
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
