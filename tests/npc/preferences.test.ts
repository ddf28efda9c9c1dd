// What thumbs tell of a player: in the right direction, within bounds, and nothing where there is nothing to tell.
import { expect, test } from 'vitest';
import { mostOffset, offsetsOf, type ThumbedLine } from '../../src/npc/preferences.ts';
import { randomStream } from '../../src/random.ts';
import { gameCharacters } from '../../src/steerlm/schemas.ts';

const lines = (count: number, liked: (humor: number, random: () => number) => boolean, seed = 0): ThumbedLine[] => {
  const random = randomStream('thumbs', seed);
  return Array.from({ length: count }, () => {
    const humor = Math.floor(random() * 5);
    return { up: liked(humor, random), applied: { humor, verbosity: Math.floor(random() * 5) } };
  });
};

test('who likes jokes gets more of them, who does not gets fewer, the surer the more was said', () => {
  const likes = (count: number) =>
    offsetsOf(
      gameCharacters,
      lines(count, (humor) => humor > 2),
    ).humor!;
  expect(likes(4)).toBeGreaterThan(0);
  expect(likes(12)).toBeGreaterThan(likes(4));
  expect(likes(200)).toBeGreaterThan(0.75);
  expect(
    offsetsOf(
      gameCharacters,
      lines(200, (humor) => humor < 2),
    ).humor,
  ).toBeLessThan(-0.75);
  expect(
    Math.abs(
      offsetsOf(
        gameCharacters,
        lines(200, (humor) => humor > 2),
      ).verbosity ?? 0,
    ),
  ).toBeLessThan(0.2);
});

test('no thumbs, thumbs one way, and one level tell nothing', () => {
  expect(offsetsOf(gameCharacters, [])).toEqual({});
  expect(
    offsetsOf(
      gameCharacters,
      lines(50, () => true),
    ),
  ).toEqual({});
  const one = [true, false].map((up) => ({ up, applied: { humor: 2 } }));
  expect(offsetsOf(gameCharacters, one)).toEqual({});
});

test('never more than the most, whatever the thumbs', () => {
  for (let seed = 0; seed < 200; seed++) {
    const found = offsetsOf(
      gameCharacters,
      lines(1 + (seed % 40), (humor, random) => humor + 2 * random() > 3, seed),
    );
    for (const offset of Object.values(found)) expect(Math.abs(offset)).toBeLessThanOrEqual(mostOffset);
  }
});
