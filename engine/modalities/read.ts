import { EngineError } from '../api/errors.ts';
import { labelContract, type CoverAnswer, type OpenedNetwork } from '../taxonomies/label-protocol.ts';
import type { AskThread } from '../threads/ask.ts';
import { ThreadFailure, type ThreadLimits } from '../threads/call-thread.ts';

/** A thread takes longer to start than a cover to look at. */
const TOGETHER = 64;
const limits: ThreadLimits = { stallMs: 60_000, memoryMb: 1024 };

export interface ReadOptions {
  ask: AskThread;
  signal: AbortSignal;
  onRead?: (done: number, total: number) => void;
}

/** The network that looks at covers, and which file it was. */
export interface CoverNetwork {
  path: string;
  sha256: string | null;
}

/**
 * What covers look like, in threads that can be ended; an answer for each file, in order.
 * @param network null: hand-made features
 * @throws EngineError `pack` for a network that cannot be used; the signal's reason
 */
export function readCovers(
  paths: readonly string[],
  network: CoverNetwork | null,
  options: ReadOptions,
): Promise<CoverAnswer[]> {
  const asked = network && { path: network.path, sha256: network.sha256 };
  const input = (some: readonly string[]) => ({ paths: [...some], network: asked });
  const read = (some: readonly string[]): Promise<CoverAnswer[]> =>
    options.ask('label', labelContract, 'covers', input(some), { limits, signal: options.signal });
  return together(paths, read, options, (path, reason) => ({
    problem: new EngineError(
      'unreadable',
      `${path} cannot be looked at: ${reason}.`,
      'Save it anew.',
    ).toData(),
  }));
}

/**
 * Opens an image network in such a thread, and tries it.
 * @throws EngineError `pack` saying why it cannot be used; the signal's reason
 */
export async function openedNetwork(
  path: string,
  { ask, signal }: Pick<ReadOptions, 'ask' | 'signal'>,
): Promise<OpenedNetwork> {
  try {
    return await ask('label', labelContract, 'imageNetwork', { path }, { limits, signal });
  } catch (thrown) {
    if (!(thrown instanceof ThreadFailure)) throw thrown;
    throw new EngineError(
      'pack',
      `${path} cannot be used: ${thrown.message}.`,
      'Choose a smaller network, or export it again.',
      { cause: thrown },
    );
  }
}

/** The lyrics beside tracks; null where there are none, or they cannot be read. @throws the signal's reason */
export function readLyrics(paths: readonly string[], options: ReadOptions): Promise<(string | null)[]> {
  const read = (some: readonly string[]): Promise<(string | null)[]> =>
    options.ask('label', labelContract, 'lyrics', { paths: [...some] }, { limits, signal: options.signal });
  return together(paths, read, options, () => null);
}

/** Files that are read together when that fails are read again one by one, so that only the one to blame is given up. */
async function together<T>(
  paths: readonly string[],
  read: (some: readonly string[]) => Promise<T[]>,
  { signal, onRead }: ReadOptions,
  givenUp: (path: string, reason: string) => T,
): Promise<T[]> {
  const answers: T[] = [];
  for (let first = 0; first < paths.length; first += TOGETHER) {
    signal.throwIfAborted();
    const batch = paths.slice(first, first + TOGETHER);
    try {
      answers.push(...(await read(batch)));
    } catch (thrown) {
      if (!(thrown instanceof ThreadFailure)) throw thrown;
      for (const path of batch)
        answers.push(
          ...(await read([path]).catch((again: unknown) => {
            if (!(again instanceof ThreadFailure)) throw again;
            return [givenUp(path, again.message)];
          })),
        );
    }
    onRead?.(answers.length, paths.length);
  }
  return answers;
}
