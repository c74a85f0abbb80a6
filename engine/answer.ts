/** Runs `body` as the answer of a query: what it throws becomes a rejection. */
export function answer<T>(body: () => T): Promise<T> {
  return new Promise((resolve) => resolve(body()));
}
