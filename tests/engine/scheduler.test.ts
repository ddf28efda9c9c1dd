// The scheduler alone, under random arrivals: bounds hold, every caller has its turn, and order holds within each.
import { describe, expect, it } from 'vitest';
import { type Catching, type Claim, chunkTokens, Scheduler } from '../../src/engine/scheduler.ts';
import { randomStream } from '../../src/random.ts';

const options = { slots: 1000, sequences: 8, waiting: 20, stepTokens: 64, agingMs: 5_000 };
/** What all callers together may have. */
const most = { slots: 1250, sequences: 10, waiting: 25 };

const claim = (fields: Partial<Claim> = {}): Claim => ({
  caller: 'one',
  priority: 'interactive',
  arrivedMs: 0,
  replies: 1,
  sequences: 1,
  slots: 100,
  ...fields,
});
const admitted = (scheduler: Scheduler<Claim>, nowMs = 0) => [...scheduler.admit(nowMs).keys()];

describe.each([1, 5])('under random arrivals of %i callers', (callers) => {
  it('holds every bound, serves each caller in order of arrival and leaves nobody out', () => {
    const seed = 4711 + callers;
    const random = randomStream(seed);
    const scheduler = new Scheduler<Claim>(options);
    const arrived: Claim[] = [];
    const begun: Claim[] = [];
    const running = new Map<Claim, number>();
    const held = (of: (request: Claim) => number, caller?: string) => {
      return [...running].reduce((sum, [request, count]) => {
        return sum + (caller === undefined || request.caller === caller ? count * of(request) : 0);
      }, 0);
    };
    for (let now = 0; now < 2_000; now++) {
      if (random() < 0.3) {
        const caller = `caller ${Math.floor(random() * callers)}`;
        const sequences = 1 + Math.floor(random() * 3);
        const slots = sequences * 10 * (1 + Math.floor(random() * 25));
        const next = claim({ caller, arrivedMs: now, replies: 1 + Math.floor(random() * 4), sequences, slots });
        try {
          scheduler.enqueue(next);
          arrived.push(next);
        } catch (error) {
          expect(error).toMatchObject({ code: 'overloaded', details: { retryAfterS: 1 } });
          expect(scheduler.waiting.filter((other) => other.caller === caller).length, `seed ${seed}`).toBeGreaterThan(0);
          expect(scheduler.waiting.length).toBeGreaterThanOrEqual(options.waiting);
        }
      }
      for (const [request, count] of scheduler.admit(now)) {
        if (!begun.includes(request)) begun.push(request);
        running.set(request, (running.get(request) ?? 0) + count);
      }
      for (const [request, count] of [...running]) {
        if (random() >= 0.2) continue;
        scheduler.end(request, Math.floor(random() * request.slots));
        if (count > 1) running.set(request, count - 1);
        else running.delete(request);
      }
      expect(new Set(scheduler.running)).toEqual(new Set(running.keys()));
      expect(held(({ slots }) => slots)).toBeLessThanOrEqual(most.slots);
      expect(held(({ sequences }) => sequences)).toBeLessThanOrEqual(most.sequences);
      expect(scheduler.waiting.length).toBeLessThanOrEqual(most.waiting);
      for (let i = 0; i < callers; i++) {
        expect(held(({ slots }) => slots, `caller ${i}`)).toBeLessThanOrEqual(options.slots);
        expect(held(({ sequences }) => sequences, `caller ${i}`)).toBeLessThanOrEqual(options.sequences);
      }
    }
    for (let i = 0; i < callers; i++) {
      const own = (all: Claim[]) => all.filter(({ caller }) => caller === `caller ${i}`);
      expect(own(begun), `seed ${seed}`).toEqual(own(arrived).slice(0, own(begun).length));
    }
    expect(arrived.length - begun.length).toBeLessThanOrEqual(most.waiting);
  });
});

describe('callers', () => {
  /** Everyone has always more to ask; every reply that is begun runs for as many steps as it has tokens. Tokens of each caller. */
  function serve(all: Record<string, Partial<Claim> & { tokens: number }>, steps: number): Record<string, number> {
    const scheduler = new Scheduler<Claim>({ ...options, slots: 100_000 });
    const served = Object.fromEntries(Object.keys(all).map((caller) => [caller, 0]));
    const ends: { request: Claim; at: number }[] = [];
    for (let step = 0; step < steps; step++) {
      for (const [caller, { tokens: _, ...fields }] of Object.entries(all)) {
        if (!scheduler.waiting.some((request) => request.caller === caller)) scheduler.enqueue(claim({ caller, ...fields }));
      }
      for (const [request, count] of scheduler.admit(step)) {
        for (let i = 0; i < count; i++) ends.push({ request, at: step + all[request.caller]!.tokens });
      }
      for (const { request, at } of ends.splice(0)) {
        const { tokens } = all[request.caller]!;
        served[request.caller]!++;
        if (at > step) ends.push({ request, at });
        else scheduler.end(request, tokens);
      }
    }
    return served;
  }

  it('who asks for long replies gets no more tokens than who asks for short ones', () => {
    const { long, short } = serve({ long: { slots: 400, tokens: 400 }, short: { slots: 20, tokens: 20 } }, 8_000);
    expect(long! / short!).toBeGreaterThan(0.7);
    expect(long! / short!).toBeLessThan(1.4);
  });

  it('who names no length is not taken to have written one', () => {
    const { open, short } = serve({ open: { slots: 2_000, tokens: 20 }, short: { slots: 20, tokens: 20 } }, 8_000);
    expect(open! / short!).toBeGreaterThan(0.7);
    expect(open! / short!).toBeLessThan(1.4);
  });

  it('who asks for eight replies at a time gets no more than who asks for one', () => {
    const { many, one } = serve({ many: { replies: 8, tokens: 50 }, one: { tokens: 50 } }, 8_000);
    expect(many! / one!).toBeGreaterThan(0.7);
    expect(many! / one!).toBeLessThan(1.4);
  });

  it('one alone has all the room it was given, and whoever comes next finds some at once', () => {
    const scheduler = new Scheduler<Claim>(options);
    for (let i = 0; i < 20; i++) scheduler.enqueue(claim({ replies: 8 }));
    expect([...scheduler.admit(0).values()]).toEqual([options.sequences]);
    const second = claim({ caller: 'two' });
    scheduler.enqueue(second);
    expect(admitted(scheduler)).toEqual([second]);
    const third = claim({ caller: 'three' });
    scheduler.enqueue(third);
    expect(admitted(scheduler)).toEqual([third]);
  });

  it('one who fills the queue leaves places to others', () => {
    const scheduler = new Scheduler<Claim>({ ...options, sequences: 1 });
    for (let i = 0; i < options.waiting; i++) scheduler.enqueue(claim());
    expect(() => scheduler.enqueue(claim())).toThrow(/20 requests are waiting for this model, 20 of them from this caller/);
    for (let i = 0; i < 4; i++) scheduler.enqueue(claim({ caller: 'two' }));
    expect(() => scheduler.enqueue(claim({ caller: 'two' }))).toThrow(/24 requests are waiting for this model, 4 of them/);
    scheduler.enqueue(claim({ caller: 'three' }));
  });

  it('take turns in reading, however many prompts one of them has', () => {
    const scheduler = new Scheduler<Claim>(options);
    const [heavy, light] = [claim(), claim({ caller: 'two' })];
    const reads = Array.from({ length: 60 }, () => ({ needed: 2_000, computed: 0 }));
    const catching = new Map<Catching, Claim>(reads.map((read) => [read, heavy]));
    for (let step = 0; step < 100; step++) for (const { sequence, count } of scheduler.share(catching)) advance(sequence, count);
    const prompt = { needed: 640, computed: 0 };
    catching.set(prompt, light);
    for (let step = 0; step < 21; step++) for (const { sequence, count } of scheduler.share(catching)) advance(sequence, count);
    expect(prompt.computed).toBe(640);
  });
});

it('serves people before batch jobs, until a job has waited long enough', () => {
  const scheduler = new Scheduler<Claim>({ ...options, sequences: 1 });
  const batch = claim({ priority: 'batch' });
  const person = claim({ arrivedMs: 10 });
  scheduler.enqueue(batch);
  scheduler.enqueue(person);
  expect(admitted(scheduler, 20)).toEqual([person]);
  const later = claim({ arrivedMs: 30 });
  scheduler.enqueue(later);
  scheduler.release(person);
  expect(admitted(scheduler, 5_000)).toEqual([batch]);
  scheduler.release(batch);
  expect(admitted(scheduler, 5_001)).toEqual([later]);
});

it('serves the people of all callers before the batches of any', () => {
  const scheduler = new Scheduler<Claim>({ ...options, sequences: 1 });
  const running = [claim({ caller: 'a' }), claim({ caller: 'b' })];
  for (const request of running) scheduler.enqueue(request);
  expect(admitted(scheduler)).toEqual(running);
  const batch = claim({ caller: 'batches', priority: 'batch' });
  const people = [claim({ caller: 'c' }), claim({ caller: 'd' })];
  for (const request of [batch, ...people]) scheduler.enqueue(request);
  for (const next of [...people, batch]) {
    scheduler.release([...scheduler.running][0]!);
    expect(admitted(scheduler)).toEqual([next]);
  }
});

it('a large reply is not overtaken for ever by small ones', () => {
  const scheduler = new Scheduler<Claim>(options);
  const small = claim({ slots: 600 });
  const large = claim({ caller: 'two', slots: 900 });
  const after = claim({ caller: 'three', slots: 100 });
  for (const each of [small, large, after]) scheduler.enqueue(each);
  expect(admitted(scheduler)).toEqual([small]);
  scheduler.release(small);
  expect(admitted(scheduler)).toEqual([large, after]);
});

it('begins a request reply by reply, and gives back what each had when it is over', () => {
  const scheduler = new Scheduler<Claim>({ ...options, sequences: 2 });
  const request = claim({ replies: 5 });
  scheduler.enqueue(request);
  expect(scheduler.admit(0)).toEqual(new Map([[request, 2]]));
  expect([scheduler.waiting, [...scheduler.running]]).toEqual([[request], [request]]);
  scheduler.end(request, 50);
  expect(scheduler.admit(0)).toEqual(new Map([[request, 1]]));
  scheduler.end(request, 50);
  scheduler.end(request, 50);
  expect([...scheduler.running]).toEqual([]);
  expect(scheduler.admit(0)).toEqual(new Map([[request, 2]]));
  expect(scheduler.waiting).toEqual([]);
  scheduler.release(request);
  expect([...scheduler.running]).toEqual([]);
});

it('refuses what can never run, by name', () => {
  const scheduler = new Scheduler<Claim>(options);
  expect(() => scheduler.enqueue(claim({ sequences: 9 }))).toThrow(
    /takes 9 sequences and 100 cache slots; this model has 8 and 1000/,
  );
  expect(() => scheduler.enqueue(claim({ slots: 1001 }))).toThrow(/shorter reply/);
  expect(scheduler.waiting).toEqual([]);
});

it('a released request that waited is gone', () => {
  const scheduler = new Scheduler<Claim>(options);
  const [one, two] = [claim(), claim()];
  scheduler.enqueue(one);
  scheduler.enqueue(two);
  scheduler.release(one);
  expect(admitted(scheduler)).toEqual([two]);
});

it('reads in chunks that end where they always do, one at least, everybody in turn', () => {
  const scheduler = new Scheduler<Claim>(options);
  const long = { needed: 2_000, computed: 0 };
  const short = { needed: 20, computed: 0 };
  const resumed = { needed: 200, computed: 70 };
  const request = claim();
  const order: Catching[] = [];
  const open = () => [long, short, resumed].filter(({ needed, computed }) => computed < needed);
  while (open().length > 0) {
    const shares = scheduler.share(new Map(open().map((read) => [read, request])));
    expect(shares.length).toBeGreaterThan(0);
    const total = shares.reduce((sum, { count }) => sum + count, 0);
    expect(total <= options.stepTokens || shares.length === 1).toBe(true);
    for (const { sequence, count } of shares) {
      order.push(sequence);
      advance(sequence, count);
      expect(sequence.computed % chunkTokens === 0 || sequence.computed === sequence.needed).toBe(true);
    }
  }
  expect(order.indexOf(short)).toBeLessThan(3);
  expect(order.lastIndexOf(resumed)).toBeLessThan(8);
  expect(scheduler.share(new Map())).toEqual([]);
});

function advance(read: Catching, count: number): void {
  (read as { computed: number }).computed += count;
}
