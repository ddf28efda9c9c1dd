// Replies of any length: bytes go out as fast as the caller takes them, and no faster are they read.
import { SteerError } from '../errors.ts';
import type { RequestContext } from './app-context.ts';
import { toFailure } from './problem.ts';

/**
 * Streams the pieces as the reply. What fails before the first piece is thrown; later the connection breaks off, since the status
 * has been told already, and the log hears of it.
 */
export async function streamBytes(
  c: RequestContext,
  pieces: AsyncIterable<Uint8Array>,
  headers: Record<string, string>,
): Promise<Response> {
  let settle: (failure: SteerError | undefined) => void = () => {};
  const iterator = pieces[Symbol.asyncIterator]();
  let next: Promise<IteratorResult<Uint8Array>> | undefined = Promise.resolve(await iterator.next());
  c.set('streamed', new Promise((resolve) => (settle = resolve)));
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await (next ?? iterator.next());
        next = undefined;
        if (!done) return controller.enqueue(value);
        settle(undefined);
        controller.close();
      } catch (error) {
        settle(toFailure(error));
        controller.error(error);
      }
    },
    async cancel() {
      settle(new SteerError('cancelled', 'The caller went away.'));
      await iterator.return?.();
    },
  });
  return c.body(body, 200, { 'x-content-type-options': 'nosniff', ...headers });
}
