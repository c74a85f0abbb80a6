/** Sounds decoded in the window, for drawings only; playing is the audio element's work. */
const rate = 22_050;

/** Longer sounds are not decoded: all of it would be kept in memory for a drawing. */
export const LONGEST_SECONDS = 900;

/** A sound in memory: mono, −1…1. */
export interface DecodedSound {
  samples: Float32Array;
  /** Hz */
  sampleRate: number;
}

/**
 * Decodes a sound to mono.
 * @returns samples at 22.05 kHz, −1…1.
 */
export async function decodeMono(url: string, signal: AbortSignal): Promise<DecodedSound> {
  const response = await fetch(url, { signal });
  if (!response.ok) throw new Error(`the sound could not be read (${String(response.status)})`);
  const context = new OfflineAudioContext(1, 1, rate);
  const buffer = await context.decodeAudioData(await response.arrayBuffer());
  const samples = new Float32Array(buffer.length);
  for (let channel = 0; channel < buffer.numberOfChannels; channel += 1) {
    const data = buffer.getChannelData(channel);
    for (let i = 0; i < samples.length; i += 1) {
      samples[i] = (samples[i] ?? 0) + (data[i] ?? 0) / buffer.numberOfChannels;
    }
  }
  return { samples, sampleRate: rate };
}

/** Minimum and maximum of every 1/perSecond second, interleaved: the shape of `Peaks.values`. */
export function peaksOf(samples: Float32Array, sampleRate: number, perSecond: number): Float32Array {
  const bins = Math.max(1, Math.ceil((samples.length / sampleRate) * perSecond));
  const peaks = new Float32Array(bins * 2);
  for (let bin = 0; bin < bins; bin += 1) {
    const from = Math.floor((bin * sampleRate) / perSecond);
    const to = Math.min(samples.length, Math.floor(((bin + 1) * sampleRate) / perSecond));
    let low = 0;
    let high = 0;
    for (let i = from; i < to; i += 1) {
      const value = samples[i] ?? 0;
      if (value < low) low = value;
      if (value > high) high = value;
    }
    peaks[bin * 2] = low;
    peaks[bin * 2 + 1] = high;
  }
  return peaks;
}
