import { ONSET_HOP, ONSET_RATE } from './onsets.ts';

const FRAME_RATE = ONSET_RATE / ONSET_HOP;
/** Frames over which the envelope is compared with itself: eight seconds. */
const WINDOW = Math.floor(8 * FRAME_RATE);
/** Frames from one comparison to the next: about a second. */
const STEP = 43;
/** Before anything is heard: 120 beats per minute, an octave to each side. */
const [USUAL, OCTAVES, FASTEST] = [120, 1, 320];

/**
 * Beats per minute: the lag at which the onset envelope repeats itself best, weighted by how usual its tempo is (D. Ellis
 * 2007; librosa’s `feature.tempo`, with a comparison every second instead of every frame). May be off by an octave, as
 * every estimate of this kind.
 * @returns null for an envelope in which nothing repeats
 */
export function tempoOf(envelope: Float32Array): number | null {
  const hann = Float64Array.from(
    { length: WINDOW },
    (_, n) => 0.5 - 0.5 * Math.cos((2 * Math.PI * n) / WINDOW),
  );
  const sums = new Float64Array(WINDOW);
  let heard = 0;
  for (let centre = 0; centre < envelope.length; centre += STEP) {
    const piece = hann.map((weight, n) => weight * (envelope[centre - WINDOW / 2 + n] ?? 0));
    const products = new Float64Array(WINDOW);
    for (let lag = 0; lag < WINDOW; lag++) {
      let sum = 0;
      for (let n = lag; n < WINDOW; n++) sum += (piece[n] ?? 0) * (piece[n - lag] ?? 0);
      products[lag] = sum;
    }
    const own = products[0] ?? 0;
    if (own <= 0) continue;
    heard += 1;
    products.forEach((value, lag) => (sums[lag] = (sums[lag] ?? 0) + value / own));
  }
  if (heard === 0) return null;
  let best: { score: number; bpm: number } | null = null;
  for (let lag = 1; lag < WINDOW; lag++) {
    const bpm = (60 * FRAME_RATE) / lag;
    if (bpm > FASTEST) continue;
    const usual = -0.5 * (Math.log2(bpm / USUAL) / OCTAVES) ** 2;
    const score = Math.log1p(1e6 * Math.max(0, (sums[lag] ?? 0) / heard)) + usual;
    if (best === null || score > best.score) best = { score, bpm };
  }
  return best?.bpm ?? null;
}
