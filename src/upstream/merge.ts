// Several streams of events as one, each event when it comes.

/** Ends when all have ended. When one throws, or the reader leaves, the others are left too, once each has what it waits for. */
export async function* merge<T>(sources: AsyncGenerator<T>[], stop: () => void): AsyncGenerator<T> {
  const next = (source: AsyncGenerator<T>) => {
    const step = source.next().then((result) => ({ source, result }));
    // One that fails while another is being told of is looked at later, or never.
    step.catch(() => {});
    return step;
  };
  const waiting = new Map(sources.map((source) => [source, next(source)]));
  try {
    while (waiting.size > 0) {
      const { source, result } = await Promise.race(waiting.values());
      // Behind the others, so that one which always has something keeps none waiting.
      waiting.delete(source);
      if (result.done) continue;
      waiting.set(source, next(source));
      yield result.value;
    }
  } finally {
    stop();
    await Promise.allSettled(sources.map((source) => source.return(undefined)));
  }
}
