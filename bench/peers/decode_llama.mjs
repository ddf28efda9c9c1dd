// llama.cpp through node-llama-cpp, whose own binaries it brings: a sequence for each reply, batched by the package. model is a GGUF file.
import { load, run } from './decode-task.mjs';

await run(async (folder, { model: modelPath, threads, streams, slots }) => {
  const { getLlama, LlamaLogLevel } = await load(folder, 'node-llama-cpp/dist/index.js');
  const llama = await getLlama({ gpu: false, build: 'never', logLevel: LlamaLogLevel.error, maxThreads: 2 });
  const model = await llama.loadModel({ modelPath });
  const context = await model.createContext({ sequences: streams, contextSize: slots + 8, batchSize: 512, threads });
  const sequences = Array.from({ length: streams }, () => context.getSequence());

  return async (prompts, tokens) => {
    await Promise.all(sequences.map((sequence) => sequence.clearHistory()));
    const gaps = [];
    const one = async (prompt, sequence) => {
      const reply = [];
      let told = 0;
      for await (const token of sequence.evaluate(prompt, { temperature: 0, yieldEogToken: true })) {
        const now = performance.now();
        reply.push(token);
        if (told > 0) gaps.push(now - told);
        told = now;
        if (reply.length === tokens) break;
      }
      return reply;
    };
    const replies = await Promise.all(prompts.map((prompt, i) => one(prompt, sequences[i])));
    return { replies, gaps };
  };
});
