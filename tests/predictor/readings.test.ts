import { expect, it } from 'vitest';
import { encodePieces } from '../../src/model/tokenizer/encode-prompt.ts';
import { Tokenizer } from '../../src/model/tokenizer/tokenizer.ts';
import { trainTokenizer } from '../../src/model/tokenizer/tokenizer-training.ts';
import { readConversation } from '../../src/predictor/readings.ts';
import type { Conversation } from '../../src/steerlm/conversation.ts';
import { controlTokens, layOutScoring } from '../../src/steerlm/prompt-layout.ts';
import { helpSteer } from '../../src/steerlm/schemas.ts';
import { cpuMs } from '../cpu-time.ts';

const json = await trainTokenizer(['User\n Assistant\n hello there how are you'], {
  vocabSize: 300,
  addedTokens: Object.values(controlTokens),
});
const tokenizer = Tokenizer.fromJson(json, 'test');
const whole = (conversation: Conversation) => encodePieces(tokenizer, layOutScoring(helpSteer, conversation)).ids;
const turns: Conversation['turns'] = [
  { role: 'user', content: 'hello' },
  { role: 'assistant', content: 'hello there' },
  { role: 'user', content: 'how are you' },
  { role: 'assistant', content: 'how are you there' },
];

it('reads all of a conversation that fits, as the layout spells it', () => {
  const conversation = { system: 'hello', turns };
  const ids = whole(conversation);
  expect(readConversation(tokenizer, conversation, ids.length)).toEqual({ ids, truncated: false });
});

it('drops the oldest turns of one that does not', () => {
  const shorter = whole({ system: 'hello', turns: turns.slice(2) });
  expect(readConversation(tokenizer, { system: 'hello', turns }, shorter.length + 3)).toEqual({ ids: shorter, truncated: true });
});

it('keeps the end of a last turn that is too long, and the closing label token', () => {
  const long = { system: 'hello', turns: [{ role: 'assistant' as const, content: 'you '.repeat(50) }] };
  expect(readConversation(tokenizer, long, 20)).toEqual({ ids: whole(long).slice(-20), truncated: true });
});

it('costs no more than the limit, however much there is to read', () => {
  const many = Array.from({ length: 50_000 }, (_, i) => turns[i % 4]!);
  const endless = [...many, { role: 'assistant' as const, content: 'a'.repeat(5_000_000) }];
  const started = cpuMs();
  for (let i = 0; i < 20; i++) expect(readConversation(tokenizer, { system: '', turns: endless }, 64).ids).toHaveLength(64);
  expect(cpuMs(started)).toBeLessThan(2000);
});
