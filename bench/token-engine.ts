// Our engine as the speed benches use it: token ids in, token ids out, every id allowed and none that ends a reply, as their peers are set.

import { engineDefaults } from '../src/engine/engine.ts';
import { type GenerationEvent, type GenerationRequest, onePrompt } from '../src/engine/request.ts';
import type { EngineSettings } from '../src/engine/thread-entry.ts';
import type { Precision } from '../src/model/loaded-network.ts';
import { readShape } from '../src/model/model-folder.ts';
import { builtEntry } from '../src/tensor/built-entry.ts';
import { EngineThread } from '../src/tensor/engine-thread.ts';

/** What was written for some prompts at once. */
export interface Written {
  seconds: number;
  replies: number[][];
  /** Between two tellings of the same reply, ms. */
  gaps: number[];
}

export interface TokenEngine {
  /** Writes `tokens` after every prompt, all at once. */
  write(prompts: number[][], tokens: number, temperature: number): Promise<Written>;
  dispose(): Promise<void>;
}

export async function openTokenEngine(folder: string, threads: number, precision: Precision): Promise<TokenEngine> {
  const { vocabSize } = await readShape(folder);
  const vocabulary = { allowed: new Uint8Array(vocabSize).fill(1), stopTokens: [], endsSentence: new Uint8Array(vocabSize) };
  const settings: EngineSettings = { folder, threads, precision, provider: 'cpu', options: engineDefaults };
  const later = Promise.resolve({ vocabulary });
  const entry = builtEntry(import.meta.url, '../src/engine/thread-entry.ts');
  const thread = await EngineThread.start<unknown, GenerationRequest, GenerationEvent>(entry, settings, { later });

  const one = async (
    prompt: number[],
    maxTokens: number,
    temperature: number,
    seed: number,
    gaps: number[],
  ): Promise<number[]> => {
    const request: GenerationRequest = {
      phases: onePrompt(prompt),
      ...{ maxTokens, temperature, seed, topP: 1, topK: 0, n: 1, priority: 'interactive' },
      ended: new Uint8Array(new SharedArrayBuffer(1)),
    };
    const reply: number[] = [];
    let told = 0;
    for await (const events of thread.call(request, new AbortController().signal)) {
      const now = performance.now();
      for (const event of events) if ('token' in event) reply.push(event.token);
      if (told > 0) gaps.push(now - told);
      told = now;
    }
    return reply;
  };

  return {
    async write(prompts, tokens, temperature) {
      const gaps: number[] = [];
      const started = performance.now();
      const replies = await Promise.all(prompts.map((prompt, seed) => one(prompt, tokens, temperature, seed, gaps)));
      return { seconds: (performance.now() - started) / 1000, replies, gaps };
    },
    dispose: () => thread.dispose(),
  };
}
