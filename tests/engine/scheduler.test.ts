// The scheduler alone, under random arrivals: bounds hold, order holds, everybody has a turn.
import { expect, it } from 'vitest';
import { type Claim, chunkTokens, Scheduler } from '../../src/engine/scheduler.ts';
import { randomStream } from '../../src/random.ts';

const options = { slots: 1000, sequences: 8, waiting: 20, stepTokens: 64, agingMs: 5_000 };
const claim = (fields: Partial<Claim> = {}): Claim => ({
  priority: 'interactive',
  arrivedMs: 0,
  sequences: 1,
  slots: 100,
  ...fields,
});

it('holds every bound, serves in order of arrival and leaves nobody out', () => {
  const seed = 4711;
  const random = randomStream(seed);
  const scheduler = new Scheduler<Claim>(options);
  const arrived: Claim[] = [];
  const admitted: Claim[] = [];
  for (let now = 0; now < 5_000; now++) {
    if (random() < 0.4) {
      const sequences = 1 + Math.floor(random() * 4);
      const next = claim({ arrivedMs: now, sequences, slots: sequences * 10 * (1 + Math.floor(random() * 25)) });
      try {
        scheduler.enqueue(next);
        arrived.push(next);
      } catch (error) {
        expect(error).toMatchObject({ code: 'overloaded', details: { retryAfterS: 1 } });
        expect(scheduler.waiting.length, `seed ${seed}`).toBe(options.waiting);
      }
    }
    admitted.push(...scheduler.admit(now));
    for (const running of scheduler.running) if (random() < 0.1) scheduler.release(running);
    const held = [...scheduler.running];
    expect(held.reduce((sum, { slots }) => sum + slots, 0)).toBeLessThanOrEqual(options.slots);
    expect(held.reduce((sum, { sequences }) => sum + sequences, 0)).toBeLessThanOrEqual(options.sequences);
    expect(scheduler.waiting.length).toBeLessThanOrEqual(options.waiting);
  }
  expect(admitted).toEqual(arrived.slice(0, admitted.length));
  expect(arrived.length - admitted.length).toBeLessThanOrEqual(options.waiting);
});

it('serves people before batch jobs, until a job has waited long enough', () => {
  const scheduler = new Scheduler<Claim>({ ...options, sequences: 1 });
  const batch = claim({ priority: 'batch' });
  const person = claim({ arrivedMs: 10 });
  scheduler.enqueue(batch);
  scheduler.enqueue(person);
  expect(scheduler.admit(20)).toEqual([person]);
  const later = claim({ arrivedMs: 30 });
  scheduler.enqueue(later);
  scheduler.release(person);
  expect(scheduler.admit(5_000)).toEqual([batch]);
  scheduler.release(batch);
  expect(scheduler.admit(5_001)).toEqual([later]);
});

it('a large request is not overtaken for ever by small ones', () => {
  const scheduler = new Scheduler<Claim>(options);
  const [small, large, after] = [claim({ slots: 600 }), claim({ slots: 900 }), claim({ slots: 100 })];
  for (const each of [small, large, after]) scheduler.enqueue(each);
  expect(scheduler.admit(0)).toEqual([small]);
  scheduler.release(small);
  expect(scheduler.admit(0)).toEqual([large, after]);
});

it('refuses what can never run, by name', () => {
  const scheduler = new Scheduler<Claim>(options);
  expect(() => scheduler.enqueue(claim({ sequences: 9 }))).toThrow(
    /takes 9 sequences and 100 cache slots; this model has 8 and 1000/,
  );
  expect(() => scheduler.enqueue(claim({ slots: 1001 }))).toThrow(/fewer replies/);
  expect(scheduler.waiting).toEqual([]);
});

it('a released request that waited is gone', () => {
  const scheduler = new Scheduler<Claim>(options);
  const [one, two] = [claim(), claim()];
  scheduler.enqueue(one);
  scheduler.enqueue(two);
  scheduler.release(one);
  expect(scheduler.admit(0)).toEqual([two]);
});

it('reads in chunks that end where they always do, one at least, everybody in turn', () => {
  const scheduler = new Scheduler<Claim>(options);
  const catching = [
    { name: 'long', needed: 2_000, computed: 0 },
    { name: 'short', needed: 20, computed: 0 },
    { name: 'resumed', needed: 200, computed: 70 },
  ];
  const order: string[] = [];
  while (catching.some(({ needed, computed }) => computed < needed)) {
    const open = catching.filter(({ needed, computed }) => computed < needed);
    const shares = scheduler.share(open);
    expect(shares.length).toBeGreaterThan(0);
    const total = shares.reduce((sum, { count }) => sum + count, 0);
    expect(total <= options.stepTokens || shares.length === 1).toBe(true);
    for (const { sequence, count } of shares) {
      order.push(sequence.name);
      sequence.computed += count;
      expect(sequence.computed % chunkTokens === 0 || sequence.computed === sequence.needed).toBe(true);
    }
  }
  expect(order.indexOf('short')).toBeLessThan(3);
  expect(order.lastIndexOf('resumed')).toBeLessThan(8);
  expect(scheduler.share([])).toEqual([]);
});
