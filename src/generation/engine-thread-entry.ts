// Entry of the thread that holds one language model: opens it and answers generation requests until told to stop. Knows no text.
import { readModel } from '../llama/model.ts';
import { serveThread } from '../tensor/engine-thread.ts';
import { openDecoder } from './decoder.ts';
import { type GenerationEvent, type GenerationRequest, generate, type Vocabulary } from './engine.ts';

/** What the thread is started with. */
export interface EngineSettings {
  folder: string;
  threads: number;
  vocabulary: Vocabulary;
}

await serveThread<null, GenerationRequest, GenerationEvent>(async (data) => {
  const { folder, threads, vocabulary } = data as EngineSettings;
  const decoder = await openDecoder(await readModel(folder), threads);
  return {
    ready: null,
    handle: (request, emit, signal) => generate(decoder, vocabulary, request, emit, signal),
    dispose: () => decoder.dispose(),
  };
});
