// GGUF files of others, where somebody has laid some: whether this program continues texts with the tokens that transformers finds for the same
// file, and reads texts as the ids that llama.cpp does.
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { readShape } from '../../src/model/model-folder.ts';
import { Tokenizer } from '../../src/model/tokenizer/tokenizer.ts';
import { agreement } from '../decode-task.ts';
import { hasPythonPeer, runPeer } from '../peer.ts';
import { table } from '../results.ts';
import { openTokenEngine } from '../token-engine.ts';

/** Folder with .gguf files of others, SmolLM2-135M-Instruct's for instance. */
const realModels = process.env.REAL_MODELS;
const written = 40;
const beginnings = [
  'The capital of France is',
  'Once upon a time, in a village by the sea,',
  'def fibonacci(n):\n',
  '1, 2, 3, 4,',
  'Dear Sir or Madam,',
  'Water boils at',
  'The three laws of',
  'In 1969, the',
];

interface Compared {
  row: (string | number)[];
  /** Texts that llama.cpp reads as other ids. */
  other: readonly string[];
  holds: boolean;
}

/**
 * What llama.cpp is known to read otherwise: a text that spells a token which its maker added is no such token here, whoever wrote it; and the letter that
 * stands for a space inside SentencePiece is not joined there.
 */
function isKnown(text: string, { addedTokens }: Tokenizer): boolean {
  return text.includes('\u2581') || addedTokens.some(({ content }) => text.includes(content));
}

async function compare(file: string, scratch: string): Promise<Compared> {
  const folder = join(scratch, `foreign-${basename(file)}`);
  await mkdir(folder);
  await symlink(file, join(folder, basename(file)));
  const tokenizer = await Tokenizer.open(folder, (await readShape(folder)).vocabSize);
  const prompts = beginnings.map((text) => tokenizer.encodeText(text));
  const begun = performance.now();
  const engine = await openTokenEngine(folder, 2, 'fp32');
  const loadSeconds = (performance.now() - begun) / 1000;
  const { replies } = await engine.write(prompts, written, 0);
  await engine.dispose();
  const task = join(scratch, 'foreign.json');
  await writeFile(task, JSON.stringify({ folder, file: basename(file), prompts, tokens: written }));
  const theirs = await runPeer<number[][]>('../interop/foreign-gguf.py', [task]);
  const same = agreement(replies, theirs);
  const texts = JSON.parse(await readFile('tests/golden/tokenizers-texts.json', 'utf8')) as string[];
  const other = await readOtherwise(file, tokenizer, texts, scratch);
  const shown = [
    `${(100 * same).toFixed(1)} %`,
    other === null ? 'llama-cpp-python is not installed' : `${texts.length - other.length} of ${texts.length}`,
  ];
  return {
    row: [basename(file), loadSeconds.toFixed(1), prompts.length * written, ...shown],
    other: other ?? [],
    holds: same === 1 && (other ?? []).every((text) => isKnown(text, tokenizer)),
  };
}

/** Texts that llama.cpp reads as other ids; null without it. */
async function readOtherwise(model: string, tokenizer: Tokenizer, texts: string[], scratch: string): Promise<string[] | null> {
  if (!(await hasPythonPeer('llama_cpp'))) return null;
  const task = join(scratch, 'foreign-texts.json');
  await writeFile(task, JSON.stringify({ model, prompts: [], tokens: 0, texts }));
  const { ids } = await runPeer<{ ids: number[][] }>('../interop/llama.py', [task]);
  return texts.filter((text, i) => tokenizer.encodeText(text).join() !== ids[i]!.join());
}

/** A table; undefined, and said, where there is no file. */
export async function foreignFilesTravel(scratch: string): Promise<{ text: string; holds: boolean } | undefined> {
  const names = realModels === undefined ? [] : (await readdir(realModels)).filter((name) => name.endsWith('.gguf')).sort();
  if (names.length === 0) {
    process.stdout.write('No GGUF files of others: name a folder of them, as steer pull lays them, in REAL_MODELS.\n');
    return undefined;
  }
  const compared: Compared[] = [];
  for (const name of names) compared.push(await compare(resolve(realModels!, name), scratch));
  const head = ['file', 'loaded in s, fp32', 'tokens written', 'same as transformers', 'texts llama.cpp reads as the same ids'];
  const rows = compared.map(({ row }) => row);
  const other = compared.flatMap(({ other }) => other).map((text) => `\`${JSON.stringify(text)}\``);
  const why = 'here no text is a token that was added, and letters that mean a space inside SentencePiece are joined';
  return {
    text: `${table(head, rows)}\n\nRead otherwise (${why}): ${other.join(', ') || 'none'}.`,
    holds: compared.every(({ holds }) => holds),
  };
}
