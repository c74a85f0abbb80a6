/** A binary heap over values with a strict order; `before(a, b)` is true when `a` must leave first. */
export class Heap<T> {
  readonly #items: T[] = [];
  readonly #before: (a: T, b: T) => boolean;

  constructor(before: (a: T, b: T) => boolean) {
    this.#before = before;
  }

  get size(): number {
    return this.#items.length;
  }

  push(item: T): void {
    const items = this.#items;
    items.push(item);
    let child = items.length - 1;
    while (child > 0) {
      const parent = (child - 1) >> 1;
      if (!this.#swapIfBefore(child, parent)) return;
      child = parent;
    }
  }

  /** Removes and returns the first item, or undefined when empty. */
  pop(): T | undefined {
    const items = this.#items;
    const top = items[0];
    const last = items.pop();
    if (top === undefined || last === undefined || items.length === 0) return top;
    items[0] = last;
    for (let parent = 0; ;) {
      const left = 2 * parent + 1;
      const [a, b] = [items[left], items[left + 1]];
      if (a === undefined) return top;
      const child = b !== undefined && this.#before(b, a) ? left + 1 : left;
      if (!this.#swapIfBefore(child, parent)) return top;
      parent = child;
    }
  }

  #swapIfBefore(child: number, parent: number): boolean {
    const items = this.#items;
    const [c, p] = [items[child], items[parent]];
    if (c === undefined || p === undefined || !this.#before(c, p)) return false;
    items[child] = p;
    items[parent] = c;
    return true;
  }
}
