// Failures that name the field they are about.
import { SteerError } from '../errors.ts';

/** Runs what resolves a field; its failure names that field. */
export async function named<T>(param: string, find: () => T | Promise<T>): Promise<T> {
  try {
    return await find();
  } catch (error) {
    if (error instanceof SteerError) throw new SteerError(error.code, error.message, { cause: error, details: { param } });
    throw error;
  }
}

/** Runs what lays out a field; a failure that names no field names this one. */
export async function namedUnlessItIs<T>(param: string, layOut: () => T | Promise<T>): Promise<T> {
  try {
    return await layOut();
  } catch (error) {
    if (!(error instanceof SteerError) || error.details.param !== undefined) throw error;
    throw new SteerError(error.code, error.message, { cause: error, details: { ...error.details, param } });
  }
}

/** invalid_request for a field. */
export function refusal(param: string, reason: string): SteerError {
  return new SteerError('invalid_request', `${param}: ${reason}.`, { details: { param } });
}
