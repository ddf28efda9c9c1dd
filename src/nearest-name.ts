// The name somebody may have meant where none is as they wrote it.

/** Names longer than this are cut: the distance below takes the product of two lengths, one of which a caller chose. */
const longest = 64;

/** Letters two names begin with, at least, to be of one stem. */
const stemLetters = 4;

/** The nearest of `known` to a name, in any case; undefined where none is near: a third of its letters differ, or more, and it is of another stem. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  const wanted = name.slice(0, longest).toLowerCase();
  const near = known.flatMap((each) => {
    const other = each.toLowerCase();
    const distance = editDistance(other, wanted);
    const isNear = distance <= Math.max(other.length, wanted.length) / 3 || areOfOneStem(other, wanted);
    return isNear ? [{ each, distance }] : [];
  });
  return near.sort((a, b) => a.distance - b.distance)[0]?.each;
}

/** Whether all of the shorter name but its last letter begins the other: `verbose` and `verbosity`. */
function areOfOneStem(a: string, b: string): boolean {
  const stem = Math.max(stemLetters, Math.min(a.length, b.length) - 1);
  return a.length >= stem && a.slice(0, stem) === b.slice(0, stem);
}

/** Letters to insert, drop or replace (Levenshtein). */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, substitution));
    }
    row = next;
  }
  return row[b.length]!;
}
