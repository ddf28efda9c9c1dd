// Every Node that package.json admits can run the program: what is installed says so itself. And the lock file names no registry.
import { readFileSync } from 'node:fs';
import { satisfies, subset } from 'semver';
import { describe, expect, test } from 'vitest';

interface Locked {
  dev?: boolean;
  /** Only for development, or an optional peer of what is not. */
  devOptional?: boolean;
  engines?: { node?: string };
}

const read = (name: string) => readFileSync(new URL(`../${name}`, import.meta.url), 'utf8');
const admitted: string = JSON.parse(read('package.json')).engines.node;
const lock: { packages: Record<string, Locked> } = JSON.parse(read('package-lock.json'));
const locked = Object.entries(lock.packages).flatMap(([path, { dev = false, engines }]) =>
  path === '' || engines?.node === undefined ? [] : [{ path, dev, node: engines.node }],
);

/** The search for unused code, which reads the program and does not run it. */
const reader = /^node_modules\/(knip|oxc-parser|@oxc-parser\/binding-[\w-]+|@napi-rs\/wasm-runtime)$/;
/** The oldest Node, the first of each later line with long support, and the newest. Tests run on those alone. */
const tested = ['20.15.0', '22.12.0', '24.0.0', '26.0.0'];

describe(`Node ${admitted}`, () => {
  test('is told apart from what a package does not admit', () => {
    expect([subset(admitted, '>=20'), subset(admitted, '>=22.12.0'), subset(admitted, '^20.19.0 || >=22.12.0')]).toEqual([
      true,
      false,
      false,
    ]);
    expect(locked.length).toBeGreaterThan(30);
  });

  test('is admitted by everything that is installed with the program', () => {
    expect(locked.filter(({ dev, node }) => !dev && !subset(admitted, node))).toEqual([]);
  });

  test('runs the tests', () => {
    const refusing = locked.filter(
      ({ path, node }) => !reader.test(path) && !tested.every((version) => satisfies(version, node)),
    );
    expect(refusing).toEqual([]);
    expect(satisfies(tested[0]!, admitted)).toBe(true);
  });
});

test('the lock file holds no addresses', () => {
  expect(read('package-lock.json')).not.toMatch(/"resolved":/);
});

test('one driver reaches a server, and no queue beside the rows is installed', () => {
  const installed = Object.entries(lock.packages).filter(([, { dev, devOptional }]) => !dev && !devOptional);
  const names = installed.map(([path]) => path.split('node_modules/').at(-1));
  expect(names).toContain('postgres');
  expect(names.filter((name) => ['pg', 'pg-boss', 'graphile-worker', 'bullmq'].includes(name!))).toEqual([]);
});
