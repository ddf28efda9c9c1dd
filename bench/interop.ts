// Do models travel? Everything this program exchanges with software of others, written by each side and read by the other: models, tokenizers,
// GGUF files, LoRA adapters, chat templates. `--golden` writes what npm test holds this program to, once everything agreed.
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readModel, writeModel } from '../src/model/model.ts';
import { adaptersTravel } from './interop/adapters.ts';
import { askedOfNpc, compareChats, forged } from './interop/chat.ts';
import { foreignFilesTravel } from './interop/foreign-gguf.ts';
import { ggufHashes, ggufTravels } from './interop/gguf.ts';
import { modelsTravel } from './interop/models.ts';
import { servedElsewhere } from './interop/served.ts';
import { hasPythonPeer, peersInstalled, runPeer } from './peer.ts';
import { recordSection } from './results.ts';

interface Part {
  title: string;
  text: string;
  holds: boolean;
}

async function chatsTravel(folder: string, scratch: string): Promise<{ part: Part; golden: object }> {
  const { card, tokenizer } = await readModel(folder);
  const schema = card.attributeSchema!;
  const compared = await compareChats(folder, schema, [...askedOfNpc, forged], scratch);
  const honest = compared.slice(0, -1);
  const same = honest.filter((each) => each.same).length;
  const held = compared.at(-1)!.sameControl;
  const text =
    `transformers' apply_chat_template gives the token ids of our prompts for ${same} of ${honest.length} conversations: defaults, open ` +
    `levels, fractions, caps, aliases, labels of former replies. Control tokens spelt out by a caller ${held ? 'stay text' : 'GET THROUGH'}.`;
  const cases = honest.map(({ asked, text }) => ({ ...asked, text }));
  return {
    part: { title: 'Chat template', text, holds: held && same === honest.length },
    golden: { schema, special: tokenizer.specialSpellings, template: tokenizer.chatTemplate, cases },
  };
}

async function measure(scratch: string): Promise<{ parts: Part[]; chats: object }> {
  // As it is written today, with its chat template.
  const npc = join(scratch, 'npc');
  await writeModel(npc, await readModel('models/npc'), 'float16');
  const parts: Part[] = [{ title: 'Models', ...(await modelsTravel(scratch)) }];
  const gguf = await ggufTravels(scratch);
  const other = gguf.other.map((text) => `\`${text}\``).join(', ');
  const why = 'llama.cpp knows no Unicode normalisation, which Qwen 2 asks for';
  parts.push({ title: 'GGUF, llama.cpp', ...gguf, text: `${gguf.text}\n\nRead otherwise (${why}): ${other || 'none'}.` });
  const foreign = await foreignFilesTravel(scratch);
  if (foreign) parts.push({ title: 'GGUF files of others', ...foreign });
  if (await hasPythonPeer('peft')) parts.push({ title: 'LoRA adapters, PEFT', ...(await adaptersTravel(scratch)) });
  const { part, golden } = await chatsTravel(npc, scratch);
  parts.push(part);
  const served = await servedElsewhere(npc, scratch);
  if (served) parts.push({ title: "llama.cpp's server, attributes as chat_template_kwargs", ...served });
  return { parts, chats: golden };
}

async function writeGoldens(chats: object, scratch: string): Promise<void> {
  await writeFile('tests/golden/chat-template.json', `${JSON.stringify(chats, null, 1)}\n`);
  await writeFile('tests/golden/gguf.json', `${JSON.stringify(await ggufHashes(scratch), null, 1)}\n`);
  const written = await runPeer<{ name: string; folder: string }[]>('../interop/adapters.py', [
    'write',
    'tests/golden/llama/gqa',
    scratch,
  ]);
  for (const [i, { folder, ...golden }] of written.entries()) {
    const to = `tests/golden/peft/${i}`;
    await mkdir(to, { recursive: true });
    for (const file of ['adapter_config.json', 'adapter_model.safetensors']) await cp(join(folder, file), join(to, file));
    await writeFile(join(to, 'golden.json'), `${JSON.stringify(golden)}\n`);
  }
}

/** Writes what was found; parts whose peer is not installed are left out. */
export async function run(args: string[]): Promise<void> {
  if (!peersInstalled()) return;
  const scratch = await mkdtemp(join(tmpdir(), 'steer-interop-'));
  try {
    const { parts, chats } = await measure(scratch);
    const told = parts.map(({ title, text, holds }) => `### ${title}: ${holds ? 'holds' : 'DOES NOT HOLD'}\n\n${text}`);
    await recordSection('interop', told.join('\n\n'));
    const agreed = parts.every(({ holds }) => holds);
    if (args.includes('--golden') && agreed) await writeGoldens(chats, scratch);
    if (!agreed) process.exitCode = 1;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
