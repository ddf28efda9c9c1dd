// A folder that holds a GGUF file stands among the models.
import { mkdirSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ggufFile, text } from '../model/formats/gguf-file.ts';
import { llama, tensors } from '../model/formats/small-gguf.ts';
import { inFolder, open } from './model-folder.ts';

test('it is listed, seen to change, and passed over where it is not alone', async () => {
  for (const name of ['theirs', 'twice']) mkdirSync(inFolder(name));
  const files: [string, Uint8Array][] = [
    ['theirs/a.gguf', ggufFile(llama(), tensors)],
    ['twice/a.gguf', ggufFile(llama(), tensors)],
    ['twice/b.gguf', new Uint8Array()],
  ];
  for (const [path, bytes] of files) writeFileSync(inFolder(path), bytes);
  const { registry, broken } = await open();
  const listed = () => registry.list().map(({ id, contextLength, chat }) => ({ id, contextLength, chat }));
  expect(listed()).toEqual([{ id: 'theirs', contextLength: 64, chat: null }]);
  expect(broken).toEqual([expect.stringContaining('twice: Expected one .gguf file')]);
  writeFileSync(
    inFolder('theirs/a.gguf'),
    ggufFile(llama({ 'tokenizer.chat_template': text('{{ messages[0].content }}') }), tensors),
  );
  await registry.refresh();
  expect(listed()).toEqual([{ id: 'theirs', contextLength: 64, chat: 'template' }]);
  await registry.dispose();
});
