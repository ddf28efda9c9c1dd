// What hangs together, for bootstraps that must draw it as one: things that share any of their keys, directly or through others.

/** A number for each thing, equal for those that share a key. Numbers count from 0 in order of appearance. */
export function groupsOf(keys: readonly (readonly string[])[]): number[] {
  const parent = new Map<string, string>();
  const rootOf = (key: string): string => {
    let root = key;
    for (let above = parent.get(root); above !== undefined && above !== root; above = parent.get(root)) root = above;
    // Shortened, or a chain of many would be walked for each of its links.
    for (let at = key; at !== root; ) {
      const above = parent.get(at)!;
      parent.set(at, root);
      at = above;
    }
    return root;
  };
  for (const [first, ...others] of keys) {
    for (const key of [first!, ...others]) if (!parent.has(key)) parent.set(key, key);
    for (const key of others) parent.set(rootOf(key), rootOf(first!));
  }
  const numbers = new Map<string, number>();
  return keys.map(([first]) => {
    const root = rootOf(first!);
    numbers.set(root, numbers.get(root) ?? numbers.size);
    return numbers.get(root)!;
  });
}
