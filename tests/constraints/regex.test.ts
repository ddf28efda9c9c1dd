// Patterns against the language's own RegExp.
import { describe, expect, it } from 'vitest';
import { parsePattern } from '../../src/constraints/regex.ts';
import { randomStream } from '../../src/random.ts';
import { acceptor } from './accepts.ts';

/** Texts near what the pattern matches: its own characters and some others, in any order. */
function textsAround(characters: readonly string[], random: () => number, count: number): string[] {
  return Array.from({ length: count }, () => {
    const length = Math.floor(random() ** 2 * 9);
    return Array.from({ length }, () => characters[Math.floor(random() * characters.length)]!).join('');
  });
}

const patterns: [string, string][] = [
  ['', 'ab'],
  ['abc|ab|b', 'abc'],
  ['a*b+c?', 'abc'],
  ['(ab|a)(bc|c)*', 'abc'],
  ['(?:a|b)*a(?:a|b){2}', 'ab'],
  ['(?<first>a)b', 'ab'],
  ['(a*)*b', 'ab'],
  ['(a?){3}b{2,}', 'ab'],
  ['a{0}b', 'ab'],
  ['a{2}|b{1,3}|c{2,}', 'abc'],
  ['(a{2,3}b?){1,2}?', 'ab'],
  ['(a|ab){5,7}', 'ab'],
  ['[a-c]x[^a-c]', 'abcx😀\n'],
  ['[-a]+|[b-]', 'ab-'],
  ['[\\w.-]+@\\w+', 'aZ_9.-@ é'],
  ['\\d\\D\\s\\S\\W', '1a \u00a0\u2003-'],
  ['.', 'a\n\r\u2028é😀'],
  ['.{2}', 'aé😀'],
  ['[^\\s\\d]+', 'a1 \u3000\ufeff'],
  ['[é-ü]+|[а-я]', 'éèzжЖ'],
  ['[\u{1f600}-\u{1f64f}a]*', 'a😀🙏🚀'],
  ['\\u00e9|\\x41|\\u{1F600}', 'éA😀'],
  ['\\t\\n\\\\\\/\\.\\{', '\t\n\\/.{'],
  ['[\\]\\\\^-]', ']\\^-'],
  ['[^]', 'a\n😀'],
  ['^a|b$', 'ab'],
  ['[\\u0000-\\u{10ffff}]', '\0a\u07ff\u0800\uffff😀\u{10ffff}'],
  ['[\\u0400-\\u0405\\u0410-\\u0450\\u07fe-\\u0801]+', 'ЀЅАяѐ\u07fd\u07fe\u0800\u0801\u0802'],
];

describe('a pattern holds what RegExp matches', () => {
  it.each(patterns)('%s', (pattern, characters) => {
    const random = randomStream(pattern);
    const whole = new RegExp(`^(?:${pattern})$`, 'u');
    const somewhere = new RegExp(pattern, 'u');
    const acceptsWhole = acceptor(parsePattern(pattern, 'pattern'));
    const acceptsAnywhere = acceptor(parsePattern(pattern, 'pattern', true));
    for (const text of textsAround([...characters], random, 400)) {
      expect(acceptsWhole(text), JSON.stringify(text)).toBe(whole.test(text));
      expect(acceptsAnywhere(text), JSON.stringify(text)).toBe(somewhere.test(text));
    }
  });
});

it('random patterns hold what RegExp matches', () => {
  const random = randomStream('patterns');
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!;
  const write = (depth: number): string => {
    const kind = depth === 0 ? 0 : Math.floor(random() * 5);
    if (kind === 0) return pick(['a', 'b', 'é', '[ab]', '[^a]', '.', 'c']);
    if (kind === 1) return `${write(depth - 1)}${write(depth - 1)}`;
    if (kind === 2) return `(?:${write(depth - 1)}|${write(depth - 1)})`;
    return `(?:${write(depth - 1)})${pick(['*', '+', '?', '{2}', '{1,2}', '{0,5}', '{2,}', '{5,6}'])}`;
  };
  for (let i = 0; i < 150; i++) {
    const pattern = write(4);
    const whole = new RegExp(`^(?:${pattern})$`, 'u');
    const accepts = acceptor(parsePattern(pattern, 'pattern'));
    for (const text of textsAround(['a', 'b', 'c', 'é', '\n'], random, 60)) {
      expect(accepts(text), `${pattern} ${JSON.stringify(text)}`).toBe(whole.test(text));
    }
  }
});

it.each([
  ['(?=a)b', 'no text meets all'],
  ['(?:(?=a)a)*', 'a look-ahead that is repeated'],
  ['(?i:a)', 'look-behind and flags'],
  ['(?<!a)b', 'look-behind'],
  ['(a)\\1', '"\\1" is not supported'],
  ['\\bword', '"\\b" is not supported'],
  ['\\p{L}', '"\\p" is not supported'],
  ['a^b', '"^" may not stand here'],
  ['a$b', '"b" may not stand here'],
  ['(a$)', 'only supported at the end'],
  ['(a', 'expected ")"'],
  ['a)', '")" may not stand here'],
  ['[a', 'expected "]"'],
  ['[b-a]', 'range'],
  ['[]', 'no character'],
  ['[^\\s\\S]', 'no character'],
  ['a**', '"*" may not stand here'],
  ['+a', '"+" may not stand here'],
  ['a{,3}', 'expected {n}'],
  ['a{3,2}', 'n ≤ m'],
  ['a{20000}', '10000 repetitions'],
  ['\\u12', 'hexadecimal'],
  ['\\ud800', 'hexadecimal'],
  ['a\ud800', 'half a character'],
  ['a\\', 'after "\\"'],
  ['a'.repeat(5000), 'too long'],
  ['('.repeat(2000) + ')'.repeat(2000), 'nested too deep'],
])('%.40s is refused', (pattern, problem) => {
  expect(() => parsePattern(pattern, 'pattern')).toThrow(
    expect.objectContaining({ code: 'invalid_request', message: expect.stringContaining(problem) }),
  );
});
