// Which articles of a text are wrong? Those before a word that texts taken as right only ever have behind the other one: no rule of spelling, so that
// "an hour" and "a one-eyed crow" are what they are there.

const pattern = /\b(an?) (\p{L}[\p{L}'’-]*)/giu;

function* articlesIn(text: string): Generator<{ article: string; word: string }> {
  for (const [, article, word] of text.matchAll(pattern)) yield { article: article!.toLowerCase(), word: word!.toLowerCase() };
}

export interface ArticleCount {
  /** Articles before a word that is known. */
  known: number;
  wrong: number;
}

export class Articles {
  private readonly seen = new Map<string, Set<string>>();

  learn(text: string): void {
    for (const { article, word } of articlesIn(text)) {
      const own = this.seen.get(word) ?? new Set();
      this.seen.set(word, own.add(article));
    }
  }

  count(texts: Iterable<string>): ArticleCount {
    const found = { known: 0, wrong: 0 };
    for (const text of texts) {
      for (const { article, word } of articlesIn(text)) {
        const right = this.seen.get(word);
        if (!right) continue;
        found.known++;
        if (!right.has(article)) found.wrong++;
      }
    }
    return found;
  }
}
