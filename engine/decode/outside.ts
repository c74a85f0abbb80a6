import {
  AudioError,
  toMono,
  type ExternalDecodeOptions,
  type ExternalDecoder,
} from '../../models/audio/index.ts';
import type { DecodeLimits } from './limits.ts';
import { Watchdog } from './watchdog.ts';

/** An error of the external decoder that is not named is damage of the file. */
function named(error: unknown, path: string): unknown {
  if (error instanceof AudioError) return error;
  const detail = error instanceof Error ? error.message : String(error);
  return new AudioError('corrupt', `The external decoder failed (${detail}): ${path}`, { cause: error });
}

/**
 * Decodes through a decoder outside the workers, under the same limits of time, to mono at `sampleRate` (Hz).
 * @throws AudioError for every fault of the file or the decoder; `signal.reason` on abort
 */
export async function* decodeOutside(
  external: ExternalDecoder,
  path: string,
  options: ExternalDecodeOptions & { sampleRate: number; limits: DecodeLimits },
): AsyncGenerator<Float32Array, void> {
  const { sampleRate, signal, limits, onWarning } = options;
  const stop = new AbortController();
  let stopBecause: (reason: Error) => void = () => undefined;
  // Rejects on abort and on timeout, so that a decoder that does not react holds up nobody.
  const stopped = new Promise<never>((_, reject) => {
    stopBecause = (reason) => {
      reject(reason);
      stop.abort(reason);
    };
  });
  stopped.catch(() => undefined);
  const watchdog = new Watchdog(limits, (reason) =>
    stopBecause(new AudioError('corrupt', `Decoding was stopped, it took too long (${reason}): ${path}`)),
  );
  const onAbort = (): void => stopBecause(signal.reason as Error);
  signal.addEventListener('abort', onAbort, { once: true });
  let pieces: AsyncGenerator<Float32Array, void> | null = null;
  try {
    signal.throwIfAborted();
    watchdog.resume();
    const stream = await Promise.race([external(path, { ...options, signal: stop.signal }), stopped]);
    pieces = toMono(stream, sampleRate, { signal: stop.signal, path, ...(onWarning ? { onWarning } : {}) });
    for (;;) {
      watchdog.resume();
      const next = await Promise.race([pieces.next(), stopped]);
      watchdog.progress();
      watchdog.pause();
      if (next.done === true) return;
      yield next.value;
    }
  } catch (error) {
    signal.throwIfAborted();
    throw named(error, path);
  } finally {
    watchdog.pause();
    signal.removeEventListener('abort', onAbort);
    stop.abort();
    // Not awaited: a decoder that hangs would hang this too.
    pieces?.return(undefined).catch(() => undefined);
  }
}
