// Lanes and bands with numbers that tell whose they are: whatever comes, grows and goes, each lane holds its own sequence.
import { expect, it } from 'vitest';
import { Bands, type HeldSequence } from '../../../src/engine/onnx/bands.ts';
import { bytesPerSlot, LaneSizes, Lanes } from '../../../src/engine/onnx/cache.ts';
import { hidden } from '../../../src/model/forward.ts';
import { randomStream } from '../../../src/random.ts';

const shape = { layers: 2, kvHeads: 3, headDim: 4, contextLength: 200 };
const { layers: L, kvHeads: K, headDim: d } = shape;

/** What token `token` of sequence `id` has at a place of its rows. */
const number = (id: number, token: number, place: number) => id * 20_000 + token * 100 + place;

/** (L, 2, K, tokens, d) of tokens `from` on. */
function rowsOf(id: number, from: number, tokens: number): Float32Array {
  const rows = new Float32Array(L * 2 * K * tokens * d);
  for (let at = 0; at < rows.length; at++) {
    const [i, token, head] = [at % d, Math.floor(at / d) % tokens, Math.floor(at / d / tokens)];
    rows[at] = number(id, from + token, head * d + i);
  }
  return rows;
}

function expectLane(lanes: Lanes, lane: number, id: number, length: number): void {
  const P = lanes.slots;
  for (let layer = 0; layer < L; layer++) {
    for (let token = 0; token < length; token++) {
      for (let head = 0; head < K; head++) {
        for (let i = 0; i < d; i++) {
          const key = lanes.keys[layer]![((lane * K + head) * d + i) * P + token];
          const value = lanes.values[layer]![((lane * K + head) * P + token) * d + i];
          if (key !== number(id, token, (2 * layer * K + head) * d + i)) throw new Error(`key of ${id} at ${token}: ${key}`);
          if (value !== number(id, token, ((2 * layer + 1) * K + head) * d + i)) throw new Error(`value of ${id} at ${token}`);
        }
      }
    }
  }
  const bias = lanes.bias.subarray(lane * P, (lane + 1) * P);
  expect(bias.every((value, slot) => value === (slot < length ? 0 : Math.fround(hidden)))).toBe(true);
}

interface Known extends HeldSequence {
  id: number;
}

it('keeps every sequence its own through comings, growth and goings', () => {
  const seed = 20261;
  const random = randomStream(seed);
  const bands = new Bands(shape, new LaneSizes(shape, 0));
  const held: Known[] = [];
  for (let round = 0; round < 600; round++) {
    if (held.length < 12 && random() < 0.2) {
      const length = 1 + Math.floor(random() * 150);
      const own = new Lanes(shape, 200, 1);
      own.write(0, 0, rowsOf(round, 0, length), 0, length);
      const sequence: Known = { id: round, slot: undefined, computed: length };
      bands.hold(sequence, own, 0);
      held.push(sequence);
    }
    if (held.length > 0 && random() < 0.05) bands.leave(held.splice(Math.floor(random() * held.length), 1)[0]!);
    for (const sequence of [...held]) {
      if (sequence.computed === shape.contextLength) bands.leave(held.splice(held.indexOf(sequence), 1)[0]!);
      else bands.append(sequence, rowsOf(sequence.id, sequence.computed, 1), 0);
    }
    expect(bands.used.flatMap(({ members }) => members).length, `seed ${seed}, round ${round}`).toBe(held.length);
    for (const { lanes, members } of bands.used) {
      expect(members.length).toBeLessThanOrEqual(lanes.count);
      members.forEach((member, lane) => {
        expect(member.slot).toMatchObject({ lane });
        expect(member.computed).toBeLessThanOrEqual(lanes.slots);
        if (round % 20 === 0) expectLane(lanes, lane, (member as Known).id, member.computed);
      });
    }
  }
  for (const sequence of held) bands.leave(sequence);
  expect(bands.used).toEqual([]);
  expect(bands.bytes).toBe(0);
});

it('never holds more than twice the lanes it needs', () => {
  const bands = new Bands(shape, new LaneSizes(shape, 0));
  const own = new Lanes(shape, 64, 1);
  const held = Array.from({ length: 33 }, (_, id): Known => ({ id, slot: undefined, computed: 5 }));
  for (const sequence of held) bands.hold(sequence, own, 0);
  for (const [left, sequence] of [...held.entries()].reverse()) {
    const lanes = left + 1;
    expect(bands.bytes).toBeLessThanOrEqual(4 * lanes * 64 * (bytesPerSlot(shape) + 4));
    bands.leave(sequence);
  }
});

it('has lanes as long as heavy weights make worthwhile, and none longer than the context', () => {
  expect([1, 64, 65, 129, 200].map((tokens) => new LaneSizes(shape, 0).fitting(tokens))).toEqual([64, 64, 128, 200, 200]);
  const perSlot = bytesPerSlot(shape);
  expect(new LaneSizes(shape, perSlot * 8 * 130).fitting(1)).toBe(128);
  expect(new LaneSizes(shape, perSlot * 8 * 1e6).fitting(1)).toBe(200);
  expect(new LaneSizes({ ...shape, contextLength: 10 }, 0).fitting(3)).toBe(10);
});
