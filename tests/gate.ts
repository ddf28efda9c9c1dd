// Where the work of a test waits for the test, instead of the test for a clock that stalls.

/** Open at first; shut, it lets so many more through and holds the rest until it is opened, or until they are no longer wanted. */
export class Gate {
  #left = Number.POSITIVE_INFINITY;
  #opened: Promise<void> = Promise.resolve();
  #release: () => void = () => {};
  /** Those who wait. */
  holding = 0;

  shut(more = 0): void {
    this.#release();
    this.#left = more;
    this.#opened = new Promise((resolve) => {
      this.#release = resolve;
    });
  }

  open(): void {
    this.#left = Number.POSITIVE_INFINITY;
    this.#release();
  }

  async pass(signal?: AbortSignal): Promise<void> {
    if (this.#left-- > 0 || signal?.aborted) return;
    let leave = () => {};
    const left = new Promise<void>((resolve) => {
      leave = resolve;
    });
    signal?.addEventListener('abort', leave, { once: true });
    this.holding++;
    await Promise.race([this.#opened, left]);
    this.holding--;
    signal?.removeEventListener('abort', leave);
  }
}
