// Prompts for a load: conversations of random words of a known number of tokens, whatever tokenizer the endpoint has. How many words that takes is
// found by asking it twice.
import { randomStream } from '../src/random.ts';
import { applyLoad, type Endpoint } from './load.ts';

export const chatPath = '/v1/chat/completions';

export interface ChatRequest {
  messages: { role: 'system' | 'user'; content: string }[];
  outputTokens: number;
  temperature?: number;
}

/** The body of a request; the reply is as long as asked for. */
export function chatBody(model: string, { messages, outputTokens, temperature = 0 }: ChatRequest): object {
  return { model, messages, max_tokens: outputTokens, temperature, ignore_eos: true };
}

const words = (
  'the a old new small great river forest castle market road bridge tower village house door window fire water stone sword shield horse ' +
  'wolf dragon king queen guard smith baker farmer child friend enemy story song night morning winter summer rain wind gold silver bread ' +
  'apple letter secret promise journey battle peace fear hope help find take give bring tell ask know think want need see hear walk run ' +
  'stay leave open close build break buy sell eat drink sleep wake sing laugh near far over under before after'
).split(' ');

/** So many words, different for every key. */
export function randomWords(count: number, ...keys: (string | number)[]): string {
  const random = randomStream('words', ...keys);
  return Array.from({ length: count }, () => words[Math.floor(random() * words.length)]!).join(' ');
}

/** Words of one user message that make a prompt of `tokens` in all; at least one. Throws what the endpoint refuses. */
export async function wordsFor(endpoint: Endpoint, model: string, tokens: number): Promise<number> {
  const measure = (count: number) => promptTokens(endpoint, model, [{ role: 'user', content: randomWords(count, 'probe') }]);
  const counts = [8, 40] as const;
  const [few, some] = [await measure(counts[0]), await measure(counts[1])];
  const fixed = few - (counts[0] * (some - few)) / (counts[1] - counts[0]);
  const scaled = (count: number, found: number) => Math.max(1, Math.round((count * (tokens - fixed)) / (found - fixed)));
  const near = scaled(counts[1], some);
  return scaled(near, await measure(near));
}

/** Tokens the endpoint counts in a prompt. */
export async function promptTokens(endpoint: Endpoint, model: string, messages: ChatRequest['messages']): Promise<number> {
  const body = () => chatBody(model, { messages, outputTokens: 1 });
  const { samples } = await applyLoad({ endpoint, path: chatPath, requests: 1, streams: 1, seed: 0, body });
  const [{ error, inputTokens }] = samples as [(typeof samples)[number]];
  if (error !== undefined) throw new Error(`${endpoint.url}${chatPath}: ${error}`);
  return inputTokens;
}
