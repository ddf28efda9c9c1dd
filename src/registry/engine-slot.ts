// A loaded engine and the calls it has in hand, so that it is freed only when the last of them has ended.
// open → retired (takes no new calls) → disposed, at once where nothing is in hand.

export interface Disposable {
  dispose(): Promise<void>;
}

export class EngineSlot<Engine extends Disposable> {
  readonly engine: Engine;
  #calls = 0;
  #retired = false;
  #disposing: Promise<void> | undefined;
  readonly #gone: Promise<void>;
  #resolveGone: (value: Promise<void>) => void = () => {};

  constructor(engine: Engine) {
    this.engine = engine;
    this.#gone = new Promise((resolve) => {
      this.#resolveGone = resolve;
    });
  }

  /** Counts a call in; false when the engine takes no more. */
  enter(): boolean {
    if (this.#retired) return false;
    this.#calls++;
    return true;
  }

  /** Counts a call out that was counted in. */
  leave(): void {
    this.#calls--;
    if (this.#retired && this.#calls === 0) this.#dispose();
  }

  /** Takes no more calls; settles when the last one has ended and the engine is freed. */
  retire(): Promise<void> {
    this.#retired = true;
    if (this.#calls === 0) this.#dispose();
    return this.#gone;
  }

  /** Frees the engine now, cutting off what it has in hand. */
  cut(): Promise<void> {
    this.#retired = true;
    this.#dispose();
    return this.#gone;
  }

  #dispose(): void {
    this.#disposing ??= this.engine.dispose();
    this.#resolveGone(this.#disposing);
  }
}
