// Whether a whole text is one an expression holds, byte by byte.
import type { Expression } from '../../src/constraints/expression.ts';
import { buildNetwork } from '../../src/constraints/network.ts';
import { type Position, Pushdown } from '../../src/constraints/pushdown.ts';

export function acceptor(expression: Expression): (text: string) => boolean {
  const automaton = new Pushdown(buildNetwork(expression));
  return (text) => {
    let position: Position | null = automaton.start;
    for (const byte of Buffer.from(text)) position &&= automaton.step(position, byte);
    return position?.complete ?? false;
  };
}

const printable = Array.from({ length: 0x7f - 0x20 }, (_, i) => 0x20 + i);
const closing = [...'"}],:0'].map((character) => character.charCodeAt(0));

/** A text the expression holds, by chance; after some bytes it goes for its end. */
export function writer(expression: Expression): (random: () => number) => string {
  const automaton = new Pushdown(buildNetwork(expression));
  return (random) => {
    const bytes: number[] = [];
    let position: Position = automaton.start;
    while (!(position.complete && (position.places.length === 0 || random() < 0.3 || bytes.length > 60))) {
      const open = printable.filter((byte) => automaton.step(position, byte));
      const byte = (bytes.length > 60 && closing.find((one) => open.includes(one))) || open[Math.floor(random() * open.length)];
      if (byte === undefined || bytes.length > 5_000) throw new Error(`No way on after ${Buffer.from(bytes)}`);
      bytes.push(byte);
      position = automaton.step(position, byte)!;
    }
    return Buffer.from(bytes).toString();
  };
}
