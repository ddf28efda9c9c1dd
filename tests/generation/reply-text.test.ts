// Tokens to text that is never taken back: half characters, stop strings and the newline that closes a turn.
import { beforeAll, expect, it } from 'vitest';
import { ReplyText } from '../../src/generation/reply-text.ts';
import type { Tokenizer } from '../../src/model/tokenizer/tokenizer.ts';
import { randomStream } from '../../src/random.ts';
import { smallTokenizer } from '../engine/models.ts';

let tokenizer: Tokenizer;
beforeAll(async () => {
  tokenizer = await smallTokenizer();
});

/** Feeds the tokens until a stop string is met; deltas, the last from finish(). */
function stream(ids: readonly number[], stop: string[], closed: boolean) {
  const reply = new ReplyText(tokenizer, stop);
  const deltas: string[] = [];
  for (const id of ids) {
    deltas.push(reply.push(id));
    if (reply.stopped) break;
  }
  if (!reply.stopped) deltas.push(reply.finish(closed));
  expect(deltas.join('')).toBe(reply.text);
  return { deltas, text: reply.text, stopped: reply.stopped };
}

const say = (text: string, stop: string[] = [], closed = false) => stream(tokenizer.encodeText(text), stop, closed);

it('gives whole characters out, though each takes several tokens', () => {
  const text = 'The naïve guard says 日本語 😀👩‍👩‍👧 at the gate.';
  expect(tokenizer.encodeText(text).length).toBeGreaterThan(40);
  const { deltas, text: told } = say(text);
  expect(told).toBe(text);
  for (const delta of deltas) {
    expect(delta).not.toContain('\uFFFD');
    expect(delta).not.toMatch(/\p{Surrogate}/u);
  }
});

it('tells half a character at the very end as U+FFFD', () => {
  const ids = tokenizer.encodeText('gate 😀').slice(0, -1);
  expect(stream(ids, [], false).text).toBe('gate \uFFFD');
});

it('has words of one token to cut within', () => {
  expect(tokenizer.encodeText(' guard')).toHaveLength(1);
});

it.each([
  ['within one token', 'The guard is here', ['uar'], 'The g'],
  ['across tokens', 'The guard is at the gate.', ['rd is at'], 'The gua'],
  ['at the start', 'The guard', ['The'], ''],
  ['the first to end of several', 'The guard is here', ['is here', 'guard i'], 'The '],
  ['the longer of two that end together', 'The guard', ['ard', 'guard'], 'The '],
  ['the inner of two nested', 'The guard', ['guard', 'ua'], 'The g'],
  ['of multi-byte characters', 'gate 日本語 shut', ['本'], 'gate 日'],
  ['after a false start', 'aab', ['ab'], 'a'],
  ['a newline', 'one\ntwo', ['\n'], 'one'],
])('ends before a stop string: %s', (_, text, stop, expected) => {
  expect(say(text, stop)).toMatchObject({ text: expected, stopped: true });
});

it('gives the start of a stop string out once it turns out to be none', () => {
  const { text, deltas } = say('is the gate? is the guard', ['the gate is'], true);
  expect(text).toBe('is the gate? is the guard');
  expect(deltas.findLast((delta) => delta !== '')).toContain('guard');
  expect(say('the ga', ['the gate'], true).text).toBe('the ga');
  expect(say('guard', ['', 'x']).text).toBe('guard');
});

it('holds a closing newline back and drops it only when the turn was closed', () => {
  const { deltas, text } = say('The gate.\n', [], true);
  expect(text).toBe('The gate.');
  expect(deltas.join('')).not.toContain('\n');
  expect(say('The gate.\n', [], false).text).toBe('The gate.\n');
  expect(say('a\n\nb\n\n', [], true).text).toBe('a\n\nb\n');
  expect(say('a\n', ['\nUser'], true).text).toBe('a');
});

it('finds the same text however it is cut into tokens', () => {
  const seed = 91;
  const random = randomStream(seed);
  const pick = (from: string[], length: number) =>
    Array.from({ length }, () => from[Math.floor(random() * from.length)]).join('');
  const letters = [' ', 't', 'h', 'e', 'g', 'a', '\n', 'é'];
  for (let round = 0; round < 400; round++) {
    const text = pick([' the', ' gate', 'he', '\n', 'é'], 1 + Math.floor(random() * 6));
    const stop = [1, 2].map(() => pick(letters, 1 + Math.floor(random() * 4)));
    const bytes = [...text].flatMap((letter) => tokenizer.encodeText(letter));
    const about = `seed ${seed}, ${JSON.stringify({ text, stop })}`;
    const [whole, cut] = [say(text, stop, true), stream(bytes, stop, true)];
    expect(cut.text, about).toBe(whole.text);
    // The slow, obvious way: the shortest beginning of the text that ends in a stop string.
    const ends = Array.from({ length: text.length }, (_, i) => text.slice(0, i + 1));
    const ended = ends.find((start) => stop.some((string) => start.endsWith(string)));
    const longest = ended === undefined ? 0 : Math.max(...stop.filter((s) => ended.endsWith(s)).map((s) => s.length));
    const expected = ended === undefined ? text.replace(/\n$/, '') : ended.slice(0, ended.length - longest);
    expect(whole.text, about).toBe(expected);
  }
});
