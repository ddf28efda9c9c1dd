// Figures drawn on a thread of their own, for callers that must not block.
import { SteerError } from '../errors.ts';
import { builtEntry } from '../tensor/built-entry.ts';
import { EngineThread } from '../tensor/engine-thread.ts';
import type { Figures, FiguresCall } from './figures-thread.ts';

/** Throws `cancelled`. */
export async function figuresApart<Name extends keyof Figures>(
  name: Name,
  input: Parameters<Figures[Name]>[0],
  signal: AbortSignal,
): Promise<Awaited<ReturnType<Figures[Name]>>> {
  const entry = builtEntry(import.meta.url, './figures-thread.ts');
  const thread = await EngineThread.start<null, FiguresCall, Awaited<ReturnType<Figures[Name]>>>(entry, null);
  try {
    for await (const [answer] of thread.call({ name, input }, signal)) return answer!;
    throw new SteerError('internal_error', 'The thread that draws figures gave no answer.');
  } finally {
    await thread.dispose();
  }
}
