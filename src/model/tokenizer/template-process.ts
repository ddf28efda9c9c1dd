// The process in which a stranger's chat template is rendered, within so much time and memory. A thread would not do: an allocation that is large enough
// ends the whole process, whatever limits the thread has.
import { type ChildProcess, fork } from 'node:child_process';
import { SteerError } from '../../errors.ts';
import { builtEntry } from '../../tensor/built-entry.ts';

export interface RenderOrder {
  id: number;
  variables: Record<string, unknown>;
  /** More than so many characters are a failure. */
  mostLetters: number;
}

/** `beyond`: not these variables are refused, but the template takes more than it may. */
export type Rendered = { id: number } & ({ text: string } | { failure: string; beyond?: true });

export interface TemplateLimits {
  mostMs: number;
  mostLetters: number;
}

export const mostMemoryMb = 128;
/** A process that nothing was asked of for so long ends; the next order starts another. */
const idleMs = 10_000;
/** Orders that wait before another is refused. */
const mostWaiting = 64;

export class TemplateProcess {
  readonly #source: string;
  readonly #limits: TemplateLimits;
  #child: ChildProcess | undefined;
  #starting: Promise<ChildProcess> | undefined;
  #idle: NodeJS.Timeout | undefined;
  /** One order at a time, so that each has its whole time. */
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #orders = 0;

  constructor(source: string, limits: TemplateLimits) {
    this.#source = source;
    this.#limits = limits;
  }

  /** Starts the process before anything is asked of it, which takes longer than most templates. That it cannot be started is told to whoever asks. */
  begin(): void {
    const starting = start(this.#source);
    this.#starting = starting;
    starting.then(
      (child) => {
        if (this.#starting !== starting || this.#waiting > 0) return;
        [this.#child, this.#starting] = [child, undefined];
        this.#endWhenIdle();
      },
      () => {
        this.#starting = undefined;
      },
    );
  }

  /**
   * What the template writes with these variables, or why it does not. Where the time was not enough it has it once more: it may have been the machine's
   * fault. Throws overloaded where too many wait.
   */
  async render(variables: Record<string, unknown>): Promise<Rendered> {
    if (this.#waiting >= mostWaiting) {
      throw new SteerError(
        'overloaded',
        `${mostWaiting} conversations of new shapes wait for the chat template of this model. Try again soon.`,
      );
    }
    this.#waiting++;
    const run = this.#last.then(async () => (await this.#ask(variables)) ?? (await this.#ask(variables)));
    this.#last = run.catch(() => {}).finally(() => this.#waiting--);
    return (await run) ?? { id: -1, failure: `it takes longer than ${this.#limits.mostMs} ms`, beyond: true };
  }

  /** Undefined when its time is up. */
  async #ask(variables: Record<string, unknown>): Promise<Rendered | undefined> {
    clearTimeout(this.#idle);
    const child = this.#child ?? (await (this.#starting ?? start(this.#source)));
    this.#starting = undefined;
    this.#child = child;
    const id = this.#orders++;
    const { mostMs, mostLetters } = this.#limits;
    const rendered = await new Promise<Rendered | undefined>((resolve) => {
      const settle = (answer: Rendered | undefined) => {
        clearTimeout(alarm);
        child.off('message', settle).off('exit', fall);
        resolve(answer);
      };
      const fall = () => {
        this.#child = undefined;
        settle({ id, failure: `it takes more memory than ${mostMemoryMb} MB`, beyond: true });
      };
      const alarm = setTimeout(() => settle(undefined), mostMs);
      child.on('message', settle).once('exit', fall);
      child.send({ id, variables, mostLetters } satisfies RenderOrder, (error) => error && fall());
    });
    if (rendered) this.#endWhenIdle();
    else this.#end();
    return rendered;
  }

  #endWhenIdle(): void {
    this.#idle = setTimeout(() => this.#end(), idleMs).unref();
  }

  #end(): void {
    this.#child?.kill('SIGKILL');
    this.#child = undefined;
  }
}

/** Answers once it has read its library, which is none of the template's time; from then on it keeps nobody alive. */
async function start(source: string): Promise<ChildProcess> {
  const child = fork(builtEntry(import.meta.url, './template-process-entry.ts'), {
    execArgv: [`--max-old-space-size=${mostMemoryMb}`],
    env: {},
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  const ready = new Promise<void>((resolve, reject) => {
    child.once('message', () => resolve()).once('error', reject);
    child.once('exit', () =>
      reject(new SteerError('internal_error', 'The process that renders chat templates ended as it began.')),
    );
  });
  // What became of it is told where it is asked.
  child.on('error', () => {});
  child.send({ source });
  await ready;
  child.unref();
  child.channel?.unref();
  return child;
}
