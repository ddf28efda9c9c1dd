// transformers.js: all replies in one batch, told when all are written. model is a folder that make_onnx.py wrote.
import { basename, dirname, resolve } from 'node:path';
import { load, run } from './decode-task.mjs';

await run(async (folder, { model, threads, precision }) => {
  const { env, AutoModelForCausalLM, Tensor } = await load(folder, '@huggingface/transformers/dist/transformers.node.mjs');
  env.allowRemoteModels = false;
  env.localModelPath = dirname(resolve(model));
  const engine = await AutoModelForCausalLM.from_pretrained(basename(model), {
    dtype: precision,
    device: 'cpu',
    session_options: { intraOpNumThreads: threads, interOpNumThreads: 1 },
  });
  const int64 = (rows, value) => new Tensor('int64', BigInt64Array.from(rows.flat(), value), [rows.length, rows[0].length]);

  return async (prompts, tokens) => {
    const { dims, data } = await engine.generate({
      inputs: int64(prompts, BigInt),
      attention_mask: int64(prompts, () => 1n),
      max_new_tokens: tokens,
      do_sample: false,
    });
    const [batch, length] = dims;
    const written = (row) => Array.from(data.subarray(row * length + prompts[row].length, (row + 1) * length), Number);
    return { replies: Array.from({ length: batch }, (_, row) => written(row)), gaps: [] };
  };
});
