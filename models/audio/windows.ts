/** A fixed-length piece of a track. */
export interface AudioWindow {
  /** Counts from 0. */
  index: number;
  /** Position of the first sample in the track. */
  startSample: number;
  /** Samples that are audio; the rest of `samples` is zero. */
  validSamples: number;
  /** Exactly `windowSamples` long. */
  samples: Float32Array;
}

/** A shorter rest says little about the track: 0.25 s of the usual 4 s window. */
const SHORTEST_REST = 1 / 16;

/**
 * Cuts a mono stream into windows without overlap. The last, partial window is padded with zeros and kept when it has
 * at least `minimumSamples`, or when it is the only one; an empty stream gives no window.
 * A piece that is just one window is handed on as it is: whoever gives it out must not write into it again.
 * @param options.windowSamples length of a window, positive integer
 * @param options.minimumSamples shortest rest worth a window; a sixteenth of a window by default
 */
export async function* cutWindows(
  mono: AsyncIterable<Float32Array>,
  options: { windowSamples: number; minimumSamples?: number },
): AsyncGenerator<AudioWindow, void> {
  const { windowSamples } = options;
  if (!Number.isInteger(windowSamples) || windowSamples <= 0) {
    throw new RangeError(`windowSamples must be a positive integer, not ${windowSamples}`);
  }
  const minimum = options.minimumSamples ?? windowSamples * SHORTEST_REST;
  let index = 0;
  let samples = new Float32Array(windowSamples);
  let filled = 0;
  for await (const chunk of mono) {
    if (filled === 0 && chunk.length === windowSamples) {
      yield { index, startSample: index * windowSamples, validSamples: windowSamples, samples: chunk };
      index++;
      continue;
    }
    for (let taken = 0; taken < chunk.length;) {
      const part = chunk.subarray(taken, taken + windowSamples - filled);
      samples.set(part, filled);
      filled += part.length;
      taken += part.length;
      if (filled < windowSamples) continue;
      yield { index, startSample: index * windowSamples, validSamples: filled, samples };
      index++;
      samples = new Float32Array(windowSamples);
      filled = 0;
    }
  }
  if (filled > 0 && (filled >= minimum || index === 0)) {
    yield { index, startSample: index * windowSamples, validSamples: filled, samples };
  }
}
