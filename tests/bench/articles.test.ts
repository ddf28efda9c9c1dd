// Articles that are wrong, by what texts taken as right have.
import { describe, expect, it } from 'vitest';
import { Articles } from '../../bench/articles.ts';

describe('articles', () => {
  const articles = new Articles();
  articles.learn('An innkeeper waits an hour for a one-eyed crow. A herb, or an herb.');

  it('are wrong where a word only ever has the other one', () => {
    expect(articles.count(['I am a innkeeper.', 'An innkeeper for an hour, a hour at most.'])).toEqual({ known: 4, wrong: 2 });
  });

  it('are right where the word has both, and not counted where it has none', () => {
    expect(articles.count(['A herb and an herb.', 'A unknown word.', 'Banana innkeeper'])).toEqual({ known: 2, wrong: 0 });
  });

  it('of one word with a hyphen are those of that word', () => {
    expect(articles.count(['An one-eyed crow'])).toEqual({ known: 1, wrong: 1 });
  });
});
