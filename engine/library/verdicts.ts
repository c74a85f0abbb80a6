/** Pairs that are remembered: some hundred bytes each. */
const MOST_PAIRS = 200_000;

/**
 * What listening told of two contents, while a library is open: looking for mistakes again, after labels were mended, listens to nothing
 * twice.
 */
export class Verdicts {
  readonly #known = new Map<string, boolean>();

  /** Undefined where they were not heard. @param contents hashes of two files */
  get(contents: readonly (string | null | undefined)[]): boolean | undefined {
    const key = keyOf(contents);
    return key === null ? undefined : this.#known.get(key);
  }

  /** @param same null where they could not be heard, which may be otherwise the next time */
  put(contents: readonly (string | null | undefined)[], same: boolean | null): void {
    const key = keyOf(contents);
    if (key === null || same === null) return;
    if (this.#known.size >= MOST_PAIRS) this.#known.clear();
    this.#known.set(key, same);
  }
}

/** Null where a file was never read. */
function keyOf(contents: readonly (string | null | undefined)[]): string | null {
  return contents.every((hash) => typeof hash === 'string') ? [...contents].sort().join(' ') : null;
}
