import type { AudioDecoder } from '../decode/index.ts';

/**
 * A file, or a part of it, as samples in memory.
 * @returns mono; fewer than asked for where the file ends before
 * @throws AudioError; the signal's reason
 */
export async function samplesOf(
  decoder: AudioDecoder,
  path: string,
  {
    sampleRate,
    signal,
    part,
  }: { sampleRate: number; signal: AbortSignal; part?: { startSeconds: number; seconds: number } },
): Promise<Float32Array> {
  const first = Math.round((part?.startSeconds ?? 0) * sampleRate);
  const most = part ? Math.round(part.seconds * sampleRate) : Infinity;
  const pieces: Float32Array[] = [];
  let [position, filled] = [0, 0];
  for await (const piece of decoder.decode(path, { sampleRate, signal })) {
    const from = Math.max(0, first - position);
    const own = piece.subarray(from, from + Math.min(piece.length, most - filled));
    pieces.push(own);
    filled += own.length;
    position += piece.length;
    if (filled >= most) break;
  }
  const samples = new Float32Array(filled);
  let at = 0;
  for (const piece of pieces) {
    samples.set(piece, at);
    at += piece.length;
  }
  return samples;
}
