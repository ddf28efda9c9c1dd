// How likely each of several texts was where a model, bound to them, wrote one: read from what it tells of each token and of those it passed over.
import type { TokenLikelihood } from '../generation/language-model.ts';

/** Tokens that are told beside the one picked; those beyond them are too unlikely to count. */
export const toldTokens = 20;
/** Nats of what was never told. */
const unlikely = Math.log(1e-9);

/**
 * ln of the probability of each choice, in their order. What leaves the path of the picked tokens goes to the choices that it begins, in equal parts
 * where it begins several.
 */
export function choiceScores(
  choices: readonly string[],
  picked: readonly TokenLikelihood[],
  bytesOf: (token: number) => Uint8Array,
): number[] {
  const spelled = choices.map((choice) => spell(Buffer.from(choice)));
  const masses = choices.map(() => 0);
  const share = (beginning: string, mass: number) => {
    const begun = spelled.flatMap((choice, i) => (choice.startsWith(beginning) ? [i] : []));
    for (const i of begun) masses[i]! += mass / begun.length;
  };
  let path = '';
  let mass = 1;
  for (const { token, logprob, top } of picked) {
    for (const other of top) if (other.token !== token) share(path + spell(bytesOf(other.token)), mass * Math.exp(other.logprob));
    path += spell(bytesOf(token));
    mass *= Math.exp(logprob);
  }
  const whole = spelled.indexOf(path);
  if (whole < 0) share(path, mass);
  else masses[whole]! += mass;
  return masses.map((each) => Math.max(unlikely, Math.log(each)));
}

/** One letter a byte: a token may be half a character. */
function spell(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}
