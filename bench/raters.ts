// Does the outlier test find raters who do not read, and leave honest minorities alone? Trolls planted among the real raters of DICES-350.
// In that file the votes of every conversation stand in the same order of 123 raters, so a column is a person; the bench checks that first.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { rankCorrelation } from '../src/feedback/agreement.ts';
import { type JudgedRating, outlierDefaults, suspect } from '../src/feedback/outliers.ts';
import { randomStream, shuffledOrder } from '../src/random.ts';
import { mean, variance } from '../src/statistics.ts';
import { median, recordSection, table } from './results.ts';

const path = '../shared/data/dices/dices_350_crowdsourced.json';
const seed = 2;
const ratings = outlierDefaults.firstRatings;
const usualOthers = 5;
const trollShare = 0.1;
const levels: Record<string, number> = { No: 0, Unsure: 1, Yes: 2 };
const top = 2;

type Random = () => number;
/** What a rater says in place of `vote`, the real vote of the person behind it. */
type Habit = (vote: number, conversation: number, random: Random) => number;

const trolls: Record<string, Habit> = {
  'any of the three answers': (_, __, random) => Math.floor(random() * 3),
  'yes or no by a coin': (_, __, random) => (random() < 0.5 ? 0 : top),
  'the opposite of a real rater': (vote) => top - vote,
  'always yes, the rarer answer': () => top,
  'always no, the commoner answer': () => 0,
};
const honest: Habit = (vote) => vote;
const minorities: Record<string, Habit> = {
  'harsher: two in five no and unsure become one answer higher': (vote, _, random) =>
    Math.min(top, vote + Number(random() < 0.4)),
  'against their own vote on one conversation in six': (vote, at) => (at % 6 === 0 ? top - vote : vote),
  'against their own vote on one conversation in four': (vote, at) => (at % 4 === 0 ? top - vote : vote),
};

interface Votes {
  /** By conversation, then rater. */
  votes: number[][];
  raters: number;
}

async function readVotes(): Promise<Votes> {
  const { instances } = JSON.parse(await readFile(path, 'utf8')) as {
    instances: { annotations: { safety: { individual_human_scores: string[] } } }[];
  };
  const votes = instances.map(({ annotations }) => annotations.safety.individual_human_scores.map((vote) => levels[vote]!));
  return { votes, raters: votes[0]!.length };
}

/** Standard deviation of the columns' means, as they stand and with every row shuffled: people differ, places do not. */
function columnSpread({ votes, raters }: Votes, shuffled: boolean): number {
  const random = randomStream('raters', seed, 'columns');
  const rows = shuffled ? votes.map((row) => [...shuffledOrder(raters, random)].map((at) => row[at]!)) : votes;
  return Math.sqrt(variance(Array.from({ length: raters }, (_, rater) => mean(rows.map((row) => row[rater]!)))));
}

/** Ratings of a person with that habit on random conversations, each beside some others of whom one in ten is a troll. */
function judge({ votes, raters }: Votes, rater: number, name: string, habit: Habit, otherRaters = usualOthers): JudgedRating[] {
  const random = randomStream('raters', seed, name, rater);
  const habits = Object.values(trolls);
  return [...shuffledOrder(votes.length, random)].slice(0, ratings).map((conversation) => {
    const row = votes[conversation]!;
    const chosen = [...shuffledOrder(raters, random)].filter((other) => other !== rater).slice(0, otherRaters);
    const others = chosen.map((other) => {
      return random() < trollShare ? habits[other % habits.length]!(row[other]!, conversation, random) : row[other]!;
    });
    return { question: 'unsafe', value: habit(row[rater]!, conversation, random), others };
  });
}

/** Place of the rating that raised the flag; undefined without one. */
function flaggedAt(judged: JudgedRating[], flags: (judged: JudgedRating[]) => boolean): number | undefined {
  if (!flags(judged)) return undefined;
  let [low, high] = [5, judged.length];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (flags(judged.slice(0, middle))) high = middle;
    else low = middle + 1;
  }
  return low;
}

const ours = (judged: JudgedRating[]) => suspect(judged).flagged;

/** Chatbot Arena's way with ratings: p is the rank of the distance to the others among their distances to each other, M = Π 1/(2√p). */
function byDistance(judged: JudgedRating[]): boolean {
  const distances = judged.flatMap(({ others }) =>
    others.map((value, i) => Math.abs(value - mean(others.filter((_, other) => other !== i)))),
  );
  let evidence = 0;
  return judged.some(({ value, others }, i) => {
    const own = Math.abs(value - mean(others));
    const p = (1 + distances.filter((distance) => distance >= own - 1e-9).length) / (1 + distances.length);
    evidence -= Math.log(2 * Math.sqrt(p));
    return i >= 4 && evidence > Math.log(1 / outlierDefaults.alpha);
  });
}

function row(name: string, data: Votes, people: readonly number[], habit: Habit): (string | number)[] {
  const judged = people.map((rater) => judge(data, rater, name, habit));
  const at = judged.map((own) => flaggedAt(own, ours)).filter((place) => place !== undefined);
  const share = (count: number) => `${((100 * count) / people.length).toFixed(1)} %`;
  return [name, people.length, share(at.length), at.length === 0 ? '–' : median(at), share(judged.filter(byDistance).length)];
}

/** Share flagged, by how many others judged each conversation. */
function rowByOthers(name: string, data: Votes, people: readonly number[], habit: Habit): string[] {
  const shares = othersTried.map(
    (others) => people.filter((rater) => ours(judge(data, rater, name, habit, others))).length / people.length,
  );
  return [name, ...shares.map((share) => `${(100 * share).toFixed(1)} %`)];
}
const othersTried = [3, 5, 10, 40];

interface Person {
  rater: number;
  bias: number;
  agreement: number;
  /** Share of the answer given most. */
  sameness: number;
  camp: number;
}

/** The people by what is special about them, against all others. */
function describe({ votes, raters }: Votes): Person[] {
  const residuals = votes.map((row) => {
    const centre = mean(row);
    return row.map((vote) => vote - centre);
  });
  const camps = firstComponent(residuals, raters);
  return Array.from({ length: raters }, (_, rater) => {
    const own = votes.map((row) => row[rater]!);
    const rest = votes.map((row) => mean(row.filter((_, other) => other !== rater)));
    const sameness = Math.max(...[0, 1, 2].map((level) => own.filter((vote) => vote === level).length)) / own.length;
    const agreement = rankCorrelation(own.map((vote, i) => [vote, rest[i]!])) ?? 0;
    return { rater, bias: mean(own) - mean(rest), agreement, sameness, camp: camps[rater]! };
  });
}

/** Weight of each rater in the direction in which raters differ most, bias aside: its two ends are the camps. By power iteration. */
function firstComponent(residuals: number[][], raters: number): number[] {
  const means = Array.from({ length: raters }, (_, rater) => mean(residuals.map((row) => row[rater]!)));
  const centred = residuals.map((row) => row.map((value, rater) => value - means[rater]!));
  const random = randomStream('raters', seed, 'camps');
  let direction = means.map(() => random() - 0.5);
  for (let round = 0; round < 100; round++) {
    const projected = centred.map((row) => row.reduce((sum, value, i) => sum + value * direction[i]!, 0));
    const next = direction.map((_, rater) => centred.reduce((sum, row, i) => sum + row[rater]! * projected[i]!, 0));
    const length = Math.hypot(...next);
    direction = next.map((value) => value / length);
  }
  return direction;
}

/** Plants trolls and minorities and writes the table. */
export async function run(): Promise<void> {
  if (!existsSync(path)) {
    process.stderr.write(
      `There is no ${path}: this bench plants trolls among the real raters of DICES-350, from the shared data folder.\n`,
    );
    process.exitCode = 1;
    return;
  }
  const data = await readVotes();
  const people = describe(data);
  const all = people.map(({ rater }) => rater);
  // Who gives the same answer nearly always cannot be told from a troll, and cannot play one who reads.
  const reading = people.filter(({ sameness }) => sameness < 0.95);
  const readers = reading.map(({ rater }) => rater);
  const end = (of: (person: Person) => number) =>
    reading
      .toSorted((a, b) => of(a) - of(b))
      .slice(0, 12)
      .map(({ rater }) => rater);
  const groups: [string, number[]][] = [
    ['real raters who give one answer at least 95 % of the time', all.filter((rater) => !readers.includes(rater))],
    ['all other real raters', readers],
    ['· the 12 mildest', end(({ bias }) => bias)],
    ['· the 12 harshest', end(({ bias }) => -bias)],
    ['· the 12 who agree least with the rest', end(({ agreement }) => agreement)],
    ['· the camp at one end of the first component', end(({ camp }) => camp)],
    ['· the camp at the other end', end(({ camp }) => -camp)],
  ];
  const head = ['raters', 'tested', 'flagged', 'median rating of the flag', 'flagged by distance alone'];
  const rows = [
    ...Object.entries(trolls).map(([name, habit]) => row(`troll: ${name}`, data, readers, habit)),
    ...groups.map(([name, members]) => row(name, data, members, honest)),
    ...Object.entries(minorities).map(([name, habit]) => row(`readers, ${name}`, data, readers, habit)),
  ];
  const byOthers = [
    ...Object.entries(trolls).map(([name, habit]) => rowByOthers(`troll: ${name}`, data, readers, habit)),
    rowByOthers('all other real raters', data, readers, honest),
  ];
  const spread = `${columnSpread(data, false).toFixed(3)}, and ${columnSpread(data, true).toFixed(3)} with every row shuffled`;
  await recordSection(
    'raters',
    `DICES-350: ${data.raters} people and ${data.votes.length} conversations, answers no, unsure and yes (unsafe). Means of the columns differ by ${spread}: ` +
      `a column is a person. Each test looks at ${ratings} random conversations of one rater, each beside ${usualOthers} other real raters, of whose votes ` +
      `${100 * trollShare} % are a troll's; alpha ${outlierDefaults.alpha}, seed ${seed}. The file tells nothing of who the raters are; groups are those their votes show. ` +
      `"By distance alone" is M = Π 1/(2√p) with p the rank of the distance to the others' mean, a rater's habits not allowed for. ` +
      `The constants of the test were chosen among some dozens of settings while looking at these same raters, with other draws (seed 1): ` +
      `the figures say how well it fits them and are not held out.\n\n${table(head, rows)}\n\n` +
      `Flagged, by how many others judged each conversation:\n\n${table(['raters', ...othersTried.map(String)], byOthers)}`,
  );
}
