// Learns a predictor's ground from its data: the commonest runs of words of its training replies, as many as the filter holds, and from replies held
// out of training how many others are usual.
import { beyond, countUnseen, filterOf, type GroundRecord, keyBits, mostFilterBytes, runsOf } from '../model/ground.ts';
import { quantile } from '../statistics.ts';

/** One in a hundred is beyond the limit, so fewer say nothing of it. */
const leastHeldOut = 100;
const withinLimit = 0.99;
/** At fewer a filter holds too much that nobody put there: one run in seven at four. */
const bitsPerRun = 4;

/** Null where too few replies are held out. Holds 16 MB, however many replies there are. */
export function learnGround(training: Iterable<string>, heldOut: Iterable<string>): GroundRecord | null {
  const read = filterOf(commonest(training));
  const counts = [...heldOut].flatMap((reply) => countUnseen(reply, read) ?? []);
  if (counts.length < leastHeldOut) return null;
  const total = (of: 'unseen' | 'runs') => counts.reduce((sum, count) => sum + count[of], 0);
  const expected = total('unseen') / total('runs');
  const distances = counts.map((count) => beyond(count, expected));
  return {
    format_version: 1,
    filter: Buffer.from(read.filter).toString('base64'),
    hashes: read.hashes,
    expected,
    limit: Math.max(0, quantile(distances, withinLimit)),
    held_out: counts.length,
  };
}

/** Keys that so many replies have that they all find room. */
function commonest(replies: Iterable<string>): number[] {
  const counts = new Uint8Array(2 ** keyBits);
  for (const reply of replies) for (const key of new Set(runsOf(reply).keys)) if (counts[key]! < 255) counts[key]!++;
  const having = new Array<number>(256).fill(0);
  for (const count of counts) having[count]!++;
  const most = (mostFilterBytes * 8) / bitsPerRun;
  let least = 256;
  for (let kept = 0; least > 1 && kept + having[least - 1]! <= most; ) kept += having[--least]!;
  const keys: number[] = [];
  counts.forEach((count, key) => {
    if (count >= least) keys.push(key);
  });
  return keys;
}
