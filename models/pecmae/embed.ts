import type { AudioWindow } from '../audio/windows.ts';
import type { PackRuntime } from '../packs/runtime.ts';

/** How {@link embedWindows} works through its windows. */
export interface EmbedOptions {
  /** Windows per run of the pack. The calling thread is busy for as long as one run takes. */
  batchSize: number;
  signal: AbortSignal;
}

/** A window with its embedding. */
export interface EmbeddedWindow {
  window: AudioWindow;
  /** `[D]`, a copy of its own. */
  z: Float32Array;
}

/**
 * Embeds windows in batches, in order. At most one batch is read ahead of what the caller has taken, so a long file
 * never lies in memory as a whole; leaving the loop or an error closes `windows` as well.
 * @throws PackError; RangeError for a window that does not have the pack's length; the signal's reason
 */
export async function* embedWindows(
  runtime: PackRuntime,
  windows: AsyncIterable<AudioWindow>,
  { batchSize, signal }: EmbedOptions,
): AsyncGenerator<EmbeddedWindow, void, undefined> {
  if (!Number.isInteger(batchSize) || batchSize < 1)
    throw new RangeError(`batchSize ${batchSize} is not a positive integer`);
  const { windowSamples } = runtime.pack.manifest;
  const waveforms = new Float32Array(batchSize * windowSamples);
  let batch: AudioWindow[] = [];
  signal.throwIfAborted();
  for await (const window of windows) {
    signal.throwIfAborted();
    if (window.samples.length !== windowSamples)
      throw new RangeError(
        `window ${window.index} has ${window.samples.length} samples, not ${windowSamples}`,
      );
    waveforms.set(window.samples, batch.length * windowSamples);
    batch.push(window);
    if (batch.length === batchSize) {
      yield* embedBatch(runtime, waveforms, batch, signal);
      batch = [];
    }
  }
  if (batch.length > 0) yield* embedBatch(runtime, waveforms, batch, signal);
}

async function* embedBatch(
  runtime: PackRuntime,
  waveforms: Float32Array,
  batch: readonly AudioWindow[],
  signal: AbortSignal,
): AsyncGenerator<EmbeddedWindow, void, undefined> {
  const { windowSamples, embeddingDim } = runtime.pack.manifest;
  const filled = waveforms.subarray(0, batch.length * windowSamples);
  const embeddings = await runtime.embed(filled, batch.length);
  for (const [i, window] of batch.entries()) {
    signal.throwIfAborted();
    yield { window, z: embeddings.slice(i * embeddingDim, (i + 1) * embeddingDim) };
  }
}
