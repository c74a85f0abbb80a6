import { InferenceSession } from './runtime.ts';

/**
 * Opens the sessions of two graphs and makes what holds them: all of it or, where anything fails, none. What a session takes
 * lies outside JavaScript, which does not know how much that is, and collects it late.
 * @throws what opening or `make` throws
 */
export async function openTwo<T>(
  [first, second]: readonly [Uint8Array, Uint8Array],
  options: InferenceSession.SessionOptions,
  make: (sessions: [InferenceSession, InferenceSession]) => T,
): Promise<T> {
  const open: InferenceSession[] = [];
  try {
    const one = await InferenceSession.create(first, options);
    open.push(one);
    const other = await InferenceSession.create(second, options);
    open.push(other);
    return make([one, other]);
  } catch (thrown) {
    await Promise.allSettled(open.map((session) => session.release()));
    throw thrown;
  }
}
