import type { AudioDecoder } from './audio-decoder.ts';

/** A part of a file, in seconds. */
export interface AudioPart {
  startSeconds: number;
  seconds: number;
}

/**
 * Samples of a part of a file, mono; fewer where the file ends.
 * @throws AudioError; the signal's reason
 */
export async function cutSamples(
  decoder: Pick<AudioDecoder, 'decode'>,
  path: string,
  { startSeconds, seconds }: AudioPart,
  { sampleRate, signal }: { sampleRate: number; signal: AbortSignal },
): Promise<Float32Array> {
  const first = Math.round(startSeconds * sampleRate);
  const samples = new Float32Array(Math.round(seconds * sampleRate));
  let [position, filled] = [0, 0];
  for await (const chunk of decoder.decode(path, { sampleRate, signal })) {
    const from = Math.max(0, first - position);
    const part = chunk.subarray(from, from + samples.length - filled);
    samples.set(part, filled);
    filled += part.length;
    position += chunk.length;
    if (filled === samples.length) break;
  }
  return samples.subarray(0, filled);
}
