// Whether a runner can write what a request asks for: sums of steering vectors of its model's size, an adapter that was added to it.
import { SteerError } from '../errors.ts';
import type { GenerationRequest } from './request.ts';
import type { Runner } from './runner.ts';

/** Throws invalid_request. */
export function checkRequest(
  { phases, adapter }: Pick<GenerationRequest, 'phases' | 'adapter'>,
  { sumLength, adapters }: Pick<Runner, 'sumLength' | 'adapters'>,
): void {
  const other = phases.find(({ vectorSum }) => vectorSum && vectorSum.length !== sumLength)?.vectorSum;
  if (other) {
    const message = `Expected a sum of steering vectors of ${sumLength} numbers, layers times width of this model, got ${other.length}.`;
    throw new SteerError('invalid_request', message);
  }
  if (adapter === undefined || adapters.includes(adapter)) return;
  const expected =
    adapters.length > 0 ? `one of the adapters ${adapters.join(', ')}` : 'no adapter: none was added to this model';
  throw new SteerError('invalid_request', `Expected ${expected}; got ${JSON.stringify(adapter)}.`, {
    details: { param: 'adapter' },
  });
}
