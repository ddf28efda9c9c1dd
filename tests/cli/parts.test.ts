// The parts of the command line that need no process: values of options, progress and tables.
import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { labelChoice } from '../../src/cli/dataset-options.ts';
import { attributeLevel, between, whole } from '../../src/cli/option-values.ts';
import { bar, openProgressLine, reportTraining } from '../../src/cli/progress.ts';
import { figure, formatTable, rounded } from '../../src/cli/table.ts';

test('numbers are whole, or within bounds, or refused', () => {
  expect([whole(1)('7'), between(0, 1)('0.5'), between(0, 2)('1e-3')]).toEqual([7, 0.5, 0.001]);
  for (const text of ['0', '-1', '1.5', '', 'x', '99999999999999999999'])
    expect(() => whole(1)(text), text).toThrow('Expected a whole number');
  for (const text of ['1.1', '-0.1', '', ' ', 'NaN'])
    expect(() => between(0, 1)(text), text).toThrow('Expected a number from 0 to 1');
});

test('attributes add up, and open leaves one to the model', () => {
  expect(attributeLevel('verbosity=open', attributeLevel('humor=3.5', {}))).toEqual({ humor: 3.5, verbosity: null });
  for (const text of ['humor', 'humor=', '=4', 'humor=high', 'humor=-1'])
    expect(() => attributeLevel(text, {}), text).toThrow('Expected NAME=LEVEL');
});

test('labels are chosen by source in order of preference', () => {
  expect([labelChoice('latest'), labelChoice('human, model')]).toEqual(['latest', ['human', 'model']]);
  expect(() => labelChoice('human,nobody')).toThrow('Expected latest, or a list of human');
});

describe('progress', () => {
  const metrics = {
    steps: 100,
    epoch: 0,
    loss: 2.5,
    grad_norm: 1,
    learning_rate: 1e-3,
    num_tokens: 10,
    tokens_per_second: 2710.4,
  };

  function record(terminal: boolean): { line: ReturnType<typeof openProgressLine>; text: () => string } {
    const stream = new PassThrough({ encoding: 'utf8' });
    const written: string[] = [];
    stream.on('data', (chunk) => written.push(chunk));
    const line = openProgressLine(Object.assign(stream, { isTTY: terminal, columns: 60 }) as unknown as NodeJS.WriteStream);
    return { line, text: () => written.join('') };
  }

  test('a log gets a line now and then, and one for each look at the held-out data', () => {
    const { line, text } = record(false);
    const { onMetrics, onNote } = reportTraining(line);
    onNote('begins');
    for (let step = 1; step <= 12; step++) onMetrics({ ...metrics, step, ...(step === 7 ? { eval_loss: 3 } : {}) });
    line.close();
    const told = text().trim().split('\n');
    expect(told[0]).toBe('begins');
    expect(told.slice(1).map((each) => /step (\d+)/.exec(each)?.[1])).toEqual(['1', '5', '7', '10']);
    expect(told[3]).toMatch(/^\[\.{10}\] step 7\/100 {2}loss 2\.500 {2}held out 3\.000 {2}2,710 tokens\/s {2}\d+ s left$/);
  });

  test('a terminal gets one line, rewritten and no wider than it', () => {
    const { line, text } = record(true);
    const { onMetrics, onNote } = reportTraining(line);
    onMetrics({ ...metrics, step: 50, eval_loss: 2 });
    onNote('a note in between');
    line.close();
    const parts = text().split('\r\x1b[2K').slice(1);
    expect(parts).toHaveLength(4);
    expect(parts[0]).toHaveLength(59);
    expect(parts[0]).toMatch(/^\[#####\.{5}\] step 50\/100 {2}loss/);
    expect([parts[1], parts[3]]).toEqual(['a note in between\n', `${parts[0]}\n`]);
  });

  test('the bar fills up', () => {
    expect([bar(0), bar(0.55), bar(1)]).toEqual(['[..........]', '[#####.....]', '[##########]']);
  });
});

test('tables line up, and figures that do not exist are dashes', () => {
  expect(
    formatTable(
      ['name', 'n'],
      [
        ['humor', '10'],
        ['a', '7'],
      ],
    ),
  ).toBe('name    n\nhumor  10\na       7');
  expect([figure(1.005), figure(null), figure(Number.NaN)]).toEqual(['1.00', '–', '–']);
  expect(rounded(0.1234567)).toBe(0.123457);
});
