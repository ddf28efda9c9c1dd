// How few and how many characters the texts of an expression have.
import type { Language } from './intersection.ts';

/** Of all but plain expressions nothing is said. */
export function lengthsOf(expression: Language): [least: number, most: number] {
  switch (expression.kind) {
    case 'character':
      return [1, 1];
    case 'sequence':
      return expression.parts.map(lengthsOf).reduce(([a, b], [c, d]) => [a + c, b + d], [0, 0]);
    case 'either': {
      const all = expression.options.map(lengthsOf);
      return [Math.min(...all.map(([least]) => least)), Math.max(...all.map(([, most]) => most))];
    }
    case 'repeat': {
      const [least, most] = lengthsOf(expression.body);
      // Nothing repeated without end is still nothing.
      return [least * expression.min, most === 0 ? 0 : most * expression.max];
    }
    default:
      return [0, Number.POSITIVE_INFINITY];
  }
}
