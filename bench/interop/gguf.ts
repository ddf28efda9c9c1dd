// Models exported as GGUF: whether llama.cpp continues prompts with the tokens our engine writes, and reads texts as the same ids.
import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { everyLevel, heldOutPrompts } from '../../models/measure/steerability.ts';
import { exportGguf } from '../../src/model/formats/gguf.ts';
import { readModelCard } from '../../src/model/model-folder.ts';
import { encodePieces } from '../../src/model/tokenizer/encode-prompt.ts';
import { Tokenizer } from '../../src/model/tokenizer/tokenizer.ts';
import { applyAttributes } from '../../src/steerlm/attributes.ts';
import { layOutPrompt } from '../../src/steerlm/prompt-layout.ts';
import { giveTokenizer, ourShapes, randomIds, tokenizerKinds, writeOurs, writeTiny } from '../../tests/model/random-models.ts';
import { agreement } from '../decode-task.ts';
import { runPeer } from '../peer.ts';
import { table } from '../results.ts';
import { openTokenEngine } from '../token-engine.ts';

const promptCount = 20;
const written = 48;

interface Answer {
  replies: number[][];
  ids: number[][];
}

async function askLlama(scratch: string, model: string, prompts: number[][], texts: string[]): Promise<Answer> {
  const task = join(scratch, 'llama.json');
  await writeFile(task, JSON.stringify({ model, prompts, tokens: written, texts }));
  return await runPeer<Answer>('../interop/llama.py', [task]);
}

async function ourReplies(folder: string, prompts: number[][]): Promise<number[][]> {
  const engine = await openTokenEngine(folder, 1, 'fp32');
  const { replies } = await engine.write(prompts, written, 0);
  await engine.dispose();
  return replies;
}

/** Held-out lines of the shipped model's corpus at every level of two attributes, as token ids with their control tokens. */
async function npcPrompts(folder: string): Promise<number[][]> {
  const { attributeSchema: schema } = await readModelCard(folder);
  const tokenizer = await Tokenizer.open(folder);
  const asked = everyLevel(heldOutPrompts(2), [
    { name: 'humor', cap: 4 },
    { name: 'verbosity', cap: 4 },
  ]);
  return asked.slice(0, promptCount).map(({ conversation, attribute, value }) => {
    return encodePieces(tokenizer, layOutPrompt(schema!, conversation, applyAttributes(schema!, { [attribute]: value }))).ids;
  });
}

/** Of the files llama.cpp was shown, by the model's name. */
export async function ggufHashes(scratch: string): Promise<Record<string, string>> {
  const hashes: Record<string, string> = {};
  for (const [seed, { name }] of ourShapes.entries()) {
    const folder = join(scratch, `hashed-${seed}`);
    await writeTiny(folder, seed);
    await exportGguf(folder, join(scratch, 'hashed.gguf'), 'f32');
    hashes[name] = createHash('sha256')
      .update(await readFile(join(scratch, 'hashed.gguf')))
      .digest('hex');
  }
  return hashes;
}

async function continued(scratch: string): Promise<(string | number)[][]> {
  const rows: (string | number)[][] = [];
  const add = async (name: string, folder: string, prompts: number[][], type: 'f32' | 'f16') => {
    const file = join(scratch, 'model.gguf');
    await exportGguf(folder, file, type);
    const theirs = await askLlama(scratch, file, prompts, []);
    const ours = await ourReplies(folder, prompts);
    rows.push([name, type, prompts.length, written, agreement(ours, theirs.replies)]);
  };
  const npc = await npcPrompts('models/npc');
  await add('the shipped model', 'models/npc', npc, 'f32');
  await add('the shipped model', 'models/npc', npc, 'f16');
  for (const [seed, { name }] of ourShapes.entries()) {
    const folder = join(scratch, `gguf-${seed}`);
    const vocabSize = await writeTiny(folder, seed);
    const prompts = Array.from({ length: promptCount }, (_, i) => randomIds(vocabSize, 24, `${name} ${i}`));
    await add(`random ${name}`, folder, prompts, 'f32');
  }
  return rows;
}

/** Texts of the golden files that llama.cpp reads as the same ids, by kind of tokenizer. */
async function textsRead(scratch: string): Promise<{ rows: (string | number)[][]; other: string[] }> {
  const texts = JSON.parse(await readFile('tests/golden/tokenizers-texts.json', 'utf8')) as string[];
  const folder = join(scratch, 'gguf-texts');
  await mkdir(folder, { recursive: true });
  await writeOurs(folder, { ...ourShapes[0]!.shape, vocabSize: 768 }, 'float32', 0);
  const rows: (string | number)[][] = [];
  const other: string[] = [];
  for (const kind of tokenizerKinds) {
    await giveTokenizer(folder, kind);
    const tokenizer = await Tokenizer.open(folder);
    const file = join(scratch, 'texts.gguf');
    await exportGguf(folder, file, 'f32');
    const { ids } = await askLlama(scratch, file, [], texts);
    const differing = texts.filter((text, i) => tokenizer.encodeText(text).join() !== ids[i]!.join());
    rows.push([kind, texts.length - differing.length, texts.length]);
    other.push(...differing.map((text) => `${kind}: ${JSON.stringify(text)}`));
  }
  return { rows, other };
}

/** Tables, whether every token agreed in full precision, and the texts llama.cpp reads otherwise. */
export async function ggufTravels(scratch: string): Promise<{ text: string; holds: boolean; other: string[] }> {
  const rows = await continued(scratch);
  const { rows: read, other } = await textsRead(scratch);
  const shown = rows.map((row) => row.with(4, `${(100 * (row[4] as number)).toFixed(1)} %`));
  const head = ['model as GGUF', 'numbers', 'prompts', 'tokens each', 'same as our fp32 engine'];
  return {
    text: `${table(head, shown)}\n\n${table(['tokenizer like that of', 'texts llama.cpp reads as the same ids', 'of'], read)}`,
    holds: rows.every((row) => row[1] !== 'f32' || row[4] === 1),
    other,
  };
}
