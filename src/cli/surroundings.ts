// What every command is handed: settings, the signal that asks it to stop, and where it says things.
import type { Config } from '../config.ts';

export interface Surroundings {
  /** Reads the settings; only commands that need them ask, so that --help works under any. */
  config(): Config;
  /** Aborted by the first interrupt. */
  signal: AbortSignal;
}

/** Exit status of a command that was interrupted and kept its work. */
export const interruptedStatus = 130;

/** A line of the result, on standard output. */
export function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** A line about what goes on, on standard error, so that results can be piped. */
export function note(line: string): void {
  process.stderr.write(`${line}\n`);
}
