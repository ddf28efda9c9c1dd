// What crosses between an engine thread and its callers.
import type { FailureCode, FailureDetails } from '../errors.ts';

export interface Call {
  id: number;
  request: unknown;
}
/** `later`: what was not known yet when the thread was started. */
export type ToThread = Call | { id: number; abort: true } | { later: unknown } | { stop: true };
export type Told = { id: number; event: unknown } | { id: number; done: true } | { id: number; failed: Failure };
/** What several calls are told in one step crosses the threads in one message. */
export type FromThread = { ready: unknown } | { told: Told[] } | { failed: Failure };
export interface Failure {
  code: FailureCode;
  message: string;
  details?: FailureDetails;
}
