// An engine without its thread on a committed tiny model, which notes each run of its decoder; requests to it, and what is answered.
import { afterAll, expect } from 'vitest';
import { Engine, type EngineOptions, engineDefaults } from '../../src/engine/engine.ts';
import { type Decoder, openDecoder } from '../../src/engine/onnx/decoder.ts';
import { HostRunner } from '../../src/engine/onnx/runner.ts';
import { type GenerationEvent, type GenerationRequest, onePrompt, type Vocabulary } from '../../src/engine/request.ts';
import { readGolden } from './models.ts';

export const real = await openDecoder(await readGolden('gqa'), { threads: 1, precision: 'fp32' });
afterAll(() => real.dispose());

const none = new Uint8Array(real.shape.vocabSize);
/** Every token may be said, and none ends anything. */
export const vocabulary: Vocabulary = { allowed: none.map(() => 1), stopTokens: [], endsSentence: none };
/** [lanes, tokens of each] of each run of the decoder since the last engine was made. */
export const runs: [number, number][] = [];

const counting = (): Decoder => ({
  ...real,
  run(input) {
    runs.push([input.computed.length, input.ids.length / input.computed.length]);
    return real.run(input);
  },
});

export function engineWith({
  decoder = counting(),
  words = vocabulary,
  ...options
}: Partial<EngineOptions> & { decoder?: Decoder; words?: Vocabulary } = {}) {
  runs.length = 0;
  const settings = { ...engineDefaults, ...options };
  return new Engine(new HostRunner(decoder, settings.prefixBytes), words, settings);
}

export const prompt = [4, 8, 15, 16, 23, 42];
export const longPrompt = (length: number, from = 0) => Array.from({ length }, (_, i) => (from + i * 7) % 60);

export function requestOf({
  prompt: own,
  ...fields
}: Partial<GenerationRequest> & { prompt?: number[] } = {}): GenerationRequest {
  const n = fields.n ?? 1;
  return {
    ...{ phases: onePrompt(own ?? prompt), maxTokens: 12, n, seed: 11, priority: 'interactive' },
    ...{ temperature: 1, topP: 1, topK: 0, ended: new Uint8Array(new SharedArrayBuffer(n)) },
    ...fields,
  };
}

interface Answered {
  tokens: number[][];
  finished: (string | undefined)[];
}

export async function answer(
  engine: Engine,
  request: GenerationRequest,
  onEvent: (event: GenerationEvent) => void = () => {},
  signal = new AbortController().signal,
): Promise<Answered> {
  const tokens: number[][] = Array.from({ length: request.n }, () => []);
  const finished = new Array<string | undefined>(request.n);
  const take = (event: GenerationEvent): void => {
    expect(finished[event.index]).toBeUndefined();
    if ('token' in event) tokens[event.index]!.push(event.token);
    else finished[event.index] = event.finished;
    onEvent(event);
  };
  await engine.generate(request, take, signal);
  return { tokens, finished };
}

export const alone = (fields: Parameters<typeof requestOf>[0] = {}, options: Parameters<typeof engineWith>[0] = {}) =>
  answer(engineWith(options), requestOf(fields));
