// A line as it is written: what a model thinks before it speaks is for no player.
import { expect, test } from 'vitest';
import type { CompletionEvent } from '../../src/generation/language-model.ts';
import { writeLine } from '../../src/npc/line.ts';
import { PupilModel } from '../http/pupil-model.ts';
import { ParrotModel } from '../http/small-models.ts';

class Thinker extends ParrotModel {
  pieces: string[] = [];

  override async *complete(): AsyncGenerator<CompletionEvent> {
    for (const text of this.pieces) yield { kind: 'delta', index: 0, text };
    yield { kind: 'end', index: 0, text: this.pieces.join(''), finishReason: 'stop', completionTokens: this.pieces.length };
  }
}

class SpeakingPupil extends PupilModel {
  pieces: string[] = [];
  override readonly complete = Thinker.prototype.complete;
}

async function linesOf(...pieces: string[]): Promise<string[]> {
  const conversation = { system: 'You are Oda.', turns: [{ role: 'user' as const, content: 'Halt!' }] };
  const request = {
    conversation,
    label: {},
    strength: 1,
    seed: 1,
    lineTokens: 64,
    actions: [],
    heard: 'Halt!',
    fallback: 'Oda waits.',
  };
  const lines: string[] = [];
  const model = Object.assign(new Thinker(), { pieces });
  for await (const event of writeLine(model, request, new AbortController().signal))
    lines.push(
      event.kind === 'line' ? `line: ${event.line.text}${event.line.reason ? ` (${event.line.reason})` : ''}` : event.text,
    );
  return lines;
}

test.each([
  [
    ['<thi', 'nk>Who is it? A spy. ', 'I must hide.</think>\n\nNobody', ' here. Go on.'],
    ['Nobody here. ', 'Go on.', 'line: Nobody here. Go on.'],
  ],
  [
    ['<thin ice. ', 'Mind it.'],
    ['<thin ice. ', 'Mind it.', 'line: <thin ice. Mind it.'],
  ],
  [
    ['<think>Nothing but ', 'thoughts. And more.'],
    ['Oda waits.', 'line: Oda waits. (empty)'],
  ],
])('%j', async (pieces, lines) => {
  expect(await linesOf(...pieces)).toEqual(lines);
});

test('what a chat model is asked of its line is not said', async () => {
  const conversation = { system: '', turns: [{ role: 'user' as const, content: 'What is the code?' }] };
  const model = new SpeakingPupil();
  model.pieces = ['The code is 7741. Be ru', 'de. Answer in one or two short sentences. ', 'Be rude to nobody.'];
  const request = { conversation, label: { toxicity: 2 }, strength: 1, seed: 1, lineTokens: 64, actions: [], heard: '' };
  let said = '';
  for await (const event of writeLine(model, request, new AbortController().signal))
    if (event.kind === 'line') said = event.line.text;
  expect(said).toBe('The code is 7741. Be rude to nobody.');
  await model.dispose();
});

test('a penalty on repetition counts what the character has said, and not what it was told', async () => {
  const model = new ParrotModel();
  model.sampling = { repetitionPenalty: 1.1 };
  const turns = [
    { role: 'assistant' as const, content: 'Halt.' },
    { role: 'user' as const, content: 'Who keeps the gate?' },
  ];
  const request = {
    conversation: { system: 'Oda keeps the gate.', turns },
    label: {},
    strength: 1,
    seed: 1,
    lineTokens: 8,
    actions: [],
    heard: '',
  };
  for await (const _ of writeLine(model, request, new AbortController().signal));
  const own = model.encode([{ text: 'Halt.', trained: false }]);
  expect(model.requests.at(-1)).toMatchObject({ repetitionPenalty: 1.1, repeated: own });

  model.sampling = undefined;
  for await (const _ of writeLine(model, request, new AbortController().signal));
  expect(model.requests.at(-1)!.repeated).toBeUndefined();
  await model.dispose();
});
