import { expect, test } from 'vitest';
import { counted, decimals } from '../src/number-text.ts';

test('one thing is one thing', () => {
  expect([counted(1, 'sample'), counted(0, 'sample'), counted(2, 'training reply'), counted(1, 'entry')]).toEqual([
    '1 sample',
    '0 samples',
    '2 training replies',
    '1 entry',
  ]);
  expect([counted(2, 'day'), counted(0.5, 'minute')]).toEqual(['2 days', '0.5 minutes']);
});

test('what rounds to nothing has no sign', () => {
  expect([-0.001, -0, -0.25, 1].map((value) => decimals(value, 2))).toEqual(['0.00', '0.00', '−0.25', '1.00']);
});
