// The chat template is the one transformers and llama.cpp were seen to render as our prompts (bench/interop writes the golden file), and travels
// with every steered model.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { chatTemplate } from '../../../src/model/tokenizer/label-template.ts';
import { type AttributeSchema, applyAttributes, type RequestedAttributes } from '../../../src/steerlm/attributes.ts';
import type { Conversation } from '../../../src/steerlm/conversation.ts';
import { layOutPrompt, spellPieces } from '../../../src/steerlm/prompt-layout.ts';
import { writeTinyModel } from '../../tiny-model.ts';

interface Golden {
  schema: AttributeSchema;
  special: string[];
  template: string;
  /** What transformers rendered. */
  cases: { conversation: Conversation; attributes: RequestedAttributes; text: string }[];
}
const golden: Golden = JSON.parse(
  readFileSync(fileURLToPath(new URL('../../golden/chat-template.json', import.meta.url)), 'utf8'),
);

test('is the one that was rendered', () => {
  expect(chatTemplate(golden.schema, golden.special)).toBe(golden.template);
});

test.each(golden.cases)('rendered as $text', ({ conversation, attributes, text }) => {
  expect(spellPieces(layOutPrompt(golden.schema, conversation, applyAttributes(golden.schema, attributes)))).toBe(text);
});

test('a steered model brings it, and says what ends a reply; a base model has neither', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'template-'));
  const settings = () => JSON.parse(readFileSync(join(folder, 'tokenizer_config.json'), 'utf8'));
  await writeTinyModel(folder, { kind: 'base', name: 'tiny' });
  expect(settings()).not.toHaveProperty('chat_template');
  await writeTinyModel(folder, { kind: 'steered', name: 'tiny' });
  expect(settings()).toMatchObject({ eos_token: '<extra_id_1>', chat_template: expect.stringContaining('humour') });
  rmSync(folder, { recursive: true });
});
