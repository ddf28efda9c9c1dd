// A conversation in a model's own chat template, told another way where the template refuses it.
import { expect, test } from 'vitest';
import { SteerError } from '../../src/errors.ts';
import { layOutInTemplate } from '../../src/generation/template-layout.ts';
import { ChatTemplate, type TemplateRole } from '../../src/model/tokenizer/chat-template.ts';
import type { Conversation } from '../../src/steerlm/conversation.ts';

const open = (source: string) => new ChatTemplate({ source, tokens: [], named: {} }, { mostMs: 60_000, mostLetters: 100_000 });
const told = '{% for m in messages %}{{ m.role }}:{{ m.content }}|{% endfor %}';
const strict = `{% for m in messages %}{% if m.role == 'system' or (m.role == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('alternate') }}{% endif %}{% endfor %}${told}`;
const withSystem = `{% if messages[0].role == 'system' and messages | length > 1 and messages[1].role != 'user' %}{{ raise_exception('the user is first') }}{% endif %}${told}`;

const conversation = (system: string, ...turns: [TemplateRole & ('user' | 'assistant'), string][]): Conversation => ({
  system,
  turns: turns.map(([role, content]) => ({ role, content })),
});
const textOf = async (source: string, asked: Conversation) =>
  (await layOutInTemplate(open(source), asked)).map((piece) => ('text' in piece ? piece.text : piece.control)).join('');

test.each([
  ['as it is', told, conversation('S', ['user', 'a'], ['user', 'b']), 'system:S|user:a|user:b|'],
  ['without a system text', told, conversation('  ', ['user', 'a']), 'user:a|'],
  [
    'turns of one speaker are one',
    strict,
    conversation('', ['user', 'a'], ['user', 'b'], ['assistant', 'c'], ['user', 'd']),
    'user:a\nb|assistant:c|user:d|',
  ],
  [
    'who speaks first is answered',
    withSystem,
    conversation('S', ['assistant', 'a'], ['user', 'b']),
    'system:S|user:…|assistant:a|user:b|',
  ],
  [
    'a system text stands before the first words',
    strict,
    conversation('S', ['user', 'a'], ['assistant', 'b'], ['user', 'c']),
    'user:S\n\na|assistant:b|user:c|',
  ],
  ['before nothing that was said', strict, conversation('S', ['assistant', 'a'], ['user', 'b']), 'user:S|assistant:a|user:b|'],
])('%s', async (_, source, asked, expected) => {
  expect(await textOf(source, asked)).toBe(expected);
});

test('the first refusal is told where every way is refused', async () => {
  await expect(textOf("{{ raise_exception('no ' ~ messages | length) }}", conversation('S', ['user', 'a']))).rejects.toThrow(
    'no 2',
  );
});

test('a template that takes more than it may is not asked another way', async () => {
  let asked = 0;
  const layOut = () => {
    asked++;
    return Promise.reject(new SteerError('invalid_request', 'too long', { details: { param: 'model' } }));
  };
  await expect(layOutInTemplate({ layOut }, conversation('S', ['user', 'a']))).rejects.toThrow('too long');
  expect(asked).toBe(1);
});
