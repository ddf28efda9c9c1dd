// Failures that are nobody's fault and pass: a database that is away, a disk without room. Knows the codes and nothing of who works.
import { isDiskFull } from '../errors.ts';

/** Of Postgres (class 08, 57P01 to 57P05, too many connections), its driver and the operating system. */
const lostConnection =
  /^(08|57P0|53300|25P03|CONNECT|ECONN|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|EHOSTDOWN|ENOTFOUND|EAI_AGAIN|database_unavailable)/;
/** Postgres has no room left for its data. */
const fullDatabase = '53100';

export type Interruption = 'database' | 'disk';

/** What interrupted, as far as the failure and its causes tell; null for any other failure. */
export function interruptionOf(error: unknown): Interruption | null {
  if (isDiskFull(error) || isDatabaseFull(error)) return 'disk';
  return codesOf(error).some((code) => lostConnection.test(code)) ? 'database' : null;
}

/** Whether the disk without room is that of a Postgres server. */
export function isDatabaseFull(error: unknown): boolean {
  return codesOf(error).includes(fullDatabase);
}

/** Whether a connection to the database broke, so that nothing more can be said over it. */
export function isConnectionLost(error: unknown): boolean {
  return codesOf(error).some((code) => lostConnection.test(code));
}

function codesOf(error: unknown): string[] {
  const codes: string[] = [];
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    codes.push(String((cause as NodeJS.ErrnoException).code ?? ''));
  }
  return codes;
}
