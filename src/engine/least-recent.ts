// Which of many things was used longest ago, in O(log n): a binary heap by the time of use as it was when a thing was put in. Use moves nothing; a
// thing that was used since is put right when its turn comes.

export interface Used {
  usedAt: number;
  /** usedAt when it was put in; undefined while it is not in. */
  queuedAt: number | undefined;
}

export class LeastRecent<Thing extends Used> {
  readonly #heap: Thing[] = [];

  /** Takes a thing in; one that is in already stays there. */
  put(thing: Thing): void {
    if (thing.queuedAt !== undefined) return;
    thing.queuedAt = thing.usedAt;
    const heap = this.#heap;
    let i = heap.length;
    for (let above = (i - 1) >> 1; i > 0 && heap[above]!.queuedAt! > thing.queuedAt; above = (i - 1) >> 1) {
      heap[i] = heap[above]!;
      i = above;
    }
    heap[i] = thing;
  }

  /** Takes out the thing that was used longest ago, leaving aside for good those that may not go. */
  take(mayGo: (thing: Thing) => boolean): Thing | undefined {
    for (let thing = this.#pop(); thing; thing = this.#pop()) {
      const { queuedAt } = thing;
      thing.queuedAt = undefined;
      if (!mayGo(thing)) continue;
      if (queuedAt === thing.usedAt) return thing;
      this.put(thing);
    }
    return undefined;
  }

  #pop(): Thing | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const moved = heap.pop();
    if (heap.length === 0) return first;
    let i = 0;
    for (let below = 1; below < heap.length; below = 2 * i + 1) {
      if (below + 1 < heap.length && heap[below + 1]!.queuedAt! < heap[below]!.queuedAt!) below++;
      if (heap[below]!.queuedAt! >= moved!.queuedAt!) break;
      heap[i] = heap[below]!;
      i = below;
    }
    heap[i] = moved!;
    return first;
  }
}
