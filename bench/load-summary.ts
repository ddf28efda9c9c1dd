// What came of a load, in the fields of the JSON that `vllm bench serve` writes, and by its definitions: tpot is the time after the first token over
// the tokens after it, itl the time between pieces of text, goodput the requests a second that kept every promise.
import type { Sample } from './load.ts';
import { median, percentile } from './results.ts';

const times = ['ttft', 'tpot', 'itl', 'e2el'] as const;
type Time = (typeof times)[number];
const statistics = ['mean', 'median', 'std', 'p50', 'p90', 'p99'] as const;

/** Most milliseconds of a request, by what is timed. */
export type Goodput = Partial<Record<'ttft' | 'tpot' | 'e2el', number>>;

interface Counts {
  completed: number;
  failed: number;
  duration: number;
  total_input_tokens: number;
  total_output_tokens: number;
  request_throughput: number;
  request_goodput: number | null;
  output_throughput: number;
  total_token_throughput: number;
}

export type LoadSummary = Counts & Record<`${(typeof statistics)[number]}_${Time}_ms`, number>;

/** "ttft:100 tpot:20", also with commas between. Throws on anything else. */
export function parseGoodput(text: string): Goodput {
  const promises = text.split(/[\s,]+/).filter((part) => part !== '');
  return Object.fromEntries(
    promises.map((part) => {
      const [, name, ms] = /^(ttft|tpot|e2el):(\d+(?:\.\d+)?)$/.exec(part) ?? [];
      if (name === undefined) throw new Error(`--goodput: expected ttft:MS, tpot:MS or e2el:MS, found ${JSON.stringify(part)}.`);
      return [name, Number(ms)];
    }),
  );
}

export function summarise(samples: readonly Sample[], durationS: number, goodput: Goodput = {}): LoadSummary {
  const done = samples.filter(({ error }) => error === undefined);
  const sum = (count: (sample: Sample) => number) => done.reduce((total, sample) => total + count(sample), 0);
  const [input, output] = [sum(({ inputTokens }) => inputTokens), sum(({ outputTokens }) => outputTokens)];
  const good = done.filter((sample) => {
    const found = { ttft: sample.ttftMs, tpot: tpotOf(sample), e2el: sample.e2elMs };
    return Object.entries(goodput).every(([name, most]) => found[name as keyof Goodput] <= most);
  });
  const counts: Counts = {
    completed: done.length,
    failed: samples.length - done.length,
    duration: durationS,
    total_input_tokens: input,
    total_output_tokens: output,
    request_throughput: done.length / durationS,
    request_goodput: Object.keys(goodput).length === 0 ? null : good.length / durationS,
    output_throughput: output / durationS,
    total_token_throughput: (input + output) / durationS,
  };
  const values: Record<Time, number[]> = {
    ttft: done.map(({ ttftMs }) => ttftMs),
    tpot: done.filter(({ outputTokens }) => outputTokens > 1).map(tpotOf),
    itl: done.flatMap(({ gapsMs }) => gapsMs),
    e2el: done.map(({ e2elMs }) => e2elMs),
  };
  const told = times.flatMap((time) =>
    Object.entries(describe(values[time])).map(([name, value]) => [`${name}_${time}_ms`, value]),
  );
  return { ...counts, ...Object.fromEntries(told) } as LoadSummary;
}

/** 0 for a reply of one token. */
function tpotOf({ e2elMs, ttftMs, outputTokens }: Sample): number {
  return outputTokens > 1 ? (e2elMs - ttftMs) / (outputTokens - 1) : 0;
}

function describe(values: readonly number[]): Record<(typeof statistics)[number], number> {
  if (values.length === 0) return { mean: 0, median: 0, std: 0, p50: 0, p90: 0, p99: 0 };
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  const at = (percent: number) => percentile(values, percent);
  return { mean, median: median(values), std: Math.sqrt(variance), p50: at(50), p90: at(90), p99: at(99) };
}
