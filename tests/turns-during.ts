/** What runs, and how often others had their turn meanwhile. A count, since a machine may stall for any time. */
export async function turnsDuring<T>(run: () => Promise<T>): Promise<{ result: T; turns: number }> {
  let turns = 0;
  let next: NodeJS.Immediate;
  const tick = () => {
    turns++;
    next = setImmediate(tick);
  };
  next = setImmediate(tick);
  try {
    return { result: await run(), turns };
  } finally {
    clearImmediate(next);
  }
}
