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
