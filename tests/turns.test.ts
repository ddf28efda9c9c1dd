// How callers share what there is too little of.
import { describe, expect, it } from 'vitest';
import { randomStream } from '../src/random.ts';
import { Shares, Turns } from '../src/turns.ts';

describe('turns', () => {
  it('give everyone who always wants something the same tokens, whatever one thing costs', () => {
    const seed = 5;
    const random = randomStream(seed);
    const turns = new Turns(100);
    const costs: Record<string, () => number> = { small: () => 1, large: () => 350, mixed: () => 1 + Math.floor(random() * 200) };
    const spent: Record<string, number> = { small: 0, large: 0, mixed: 0 };
    for (let i = 0; i < 20_000; i++) {
      const caller = turns.next(new Set(Object.keys(costs)))!;
      const cost = costs[caller]!();
      turns.spend(caller, cost);
      spent[caller]! += cost;
      // A turn and the dearest thing apart, at most.
      expect(Math.max(...Object.values(spent)) - Math.min(...Object.values(spent)), `seed ${seed}`).toBeLessThanOrEqual(450);
    }
  });

  it('cannot be saved up by asking for nothing', () => {
    const turns = new Turns(10);
    const both = new Set(['here', 'late']);
    turns.next(both);
    for (let i = 0; i < 1_000; i++) turns.spend(turns.next(new Set(['here']))!, 10);
    const served = Array.from({ length: 20 }, () => {
      const caller = turns.next(both)!;
      turns.spend(caller, 10);
      return caller;
    });
    expect(served.filter((caller) => caller === 'late')).toHaveLength(10);
  });

  it('a debt outlasts a caller who leaves, and what was charged too much is given back', () => {
    const turns = new Turns(10);
    const both = new Set(['a', 'b']);
    const serve = (cost: number) => {
      const caller = turns.next(both)!;
      turns.spend(caller, cost);
      return caller;
    };
    expect(serve(35)).toBe('a');
    turns.next(new Set(['b']));
    expect([serve(10), serve(10), serve(10)]).toEqual(['b', 'b', 'b']);
    expect(serve(35)).toBe('a');
    turns.spend('a', -30);
    expect([serve(10), serve(10)].toSorted()).toEqual(['a', 'b']);
    expect(turns.next(new Set())).toBeUndefined();
  });
});

describe('shares', () => {
  it('hold every bound and leave a place to whoever holds none, as long as there is one', () => {
    const seed = 9;
    const random = randomStream(seed);
    const shares = new Shares(32);
    const held = new Map<string, number>();
    for (let i = 0; i < 5_000; i++) {
      const caller = `${Math.floor(random() * 6)}`;
      const own = held.get(caller) ?? 0;
      const amount = 1 + Math.floor(random() * 4);
      if (random() < 0.6) {
        if (!shares.fits(amount) || !shares.allows(caller, amount)) continue;
        shares.take(caller, amount);
        held.set(caller, own + amount);
      } else if (own > 0) {
        const back = Math.min(own, amount);
        shares.give(caller, back);
        held.set(caller, own - back);
      }
      const used = [...held.values()].reduce((a, b) => a + b, 0);
      expect([shares.used, shares.heldBy(caller)]).toEqual([used, held.get(caller) ?? 0]);
      expect(used, `seed ${seed}`).toBeLessThanOrEqual(40);
      expect(Math.max(...held.values()), `seed ${seed}`).toBeLessThanOrEqual(32);
    }
  });

  it.each([1, 2, 3, 7, 64, 256, Number.POSITIVE_INFINITY])('one alone of %d gets them all, and no more', (most) => {
    const shares = new Shares(most);
    for (let i = 0; i < Math.min(most, 300); i++) shares.enter('one');
    if (Number.isFinite(most)) expect(() => shares.enter('one')).toThrow(/requests are waiting for this model/);
    shares.enter('two');
    expect(shares.heldBy('two')).toBe(1);
  });
});
