import { Loudness } from './loudness.ts';
import { ONSET_HOP, ONSET_RATE, OnsetEnvelope, onsetsOf } from './onsets.ts';
import { tempoOf } from './tempo.ts';

/** Sound after this is not listened to: memory counts, and ten minutes tell. */
export const LONGEST_SECONDS = 600;
/** Fewer onsets have no tempo. */
const LEAST_ONSETS = 4;

/** What is measured of a whole track. */
export interface TrackDescriptors {
  /** LUFS, at least −70. */
  loudness: number;
  /** Per second. */
  onsetDensity: number;
  /** log2 of beats per minute; null where too little begins to have one. */
  logTempo: number | null;
}

/**
 * Loudness, onset density and tempo.
 * @param pieces samples at `ONSET_RATE`, in order
 */
export async function describeTrack(pieces: AsyncIterable<Float32Array>): Promise<TrackDescriptors> {
  const loudness = new Loudness(ONSET_RATE);
  const rises = new OnsetEnvelope();
  let samples = 0;
  for await (const piece of pieces) {
    const kept = piece.subarray(0, Math.max(0, LONGEST_SECONDS * ONSET_RATE - samples));
    samples += kept.length;
    loudness.push(kept);
    await rises.push(kept);
    if (kept.length < piece.length) break;
  }
  const envelope = await rises.result();
  const onsets = onsetsOf(envelope);
  const tempo = onsets.length < LEAST_ONSETS ? null : tempoOf(envelope);
  return {
    loudness: loudness.result(),
    onsetDensity: samples === 0 ? 0 : onsets.length / (Math.max(samples, ONSET_HOP) / ONSET_RATE),
    logTempo: tempo === null ? null : Math.log2(tempo),
  };
}
