/** Envelope values a second. */
export const ENVELOPE_RATE = 200;
/** Hz: an octave apart. */
export const MODULATION_RATES = [0.5, 1, 2, 4, 8, 16, 32, 64] as const;
/** Values on each side of the middle of the longest filter: two seconds. */
export const MOST_REACH = 2 * ENVELOPE_RATE;

/** Taps `−reach … reach` of a filter that lets the modulations of a band pass: 1 at its centre, in phase. */
export interface ModulationFilter {
  /** Hz */
  centre: number;
  reach: number;
  /** `[2 · reach + 1]` */
  taps: Float64Array;
}

/** Values on each side that a filter around `centre` Hz is given: four periods in all, as far as they fit. */
export function reachOf(centre: number): number {
  return Math.min(MOST_REACH, Math.round((2 * ENVELOPE_RATE) / centre));
}

/** The filter of the octave around `centre` Hz: the difference of two sinc functions under a Hamming window. */
export function octaveFilter(centre: number): ModulationFilter {
  return bandFilter(centre / Math.SQRT2, centre * Math.SQRT2, centre);
}

/** Shortest filters have so many values on each side. */
export const LEAST_REACH = 4;

/**
 * The filter that lets modulations between two edges pass, in Hz, at most half of {@link ENVELOPE_RATE}.
 * @param centre where it lets all pass; default: the geometric mean of the edges
 */
export function bandFilter(
  lowHz: number,
  highHz: number,
  centre = Math.sqrt(lowHz * highHz),
): ModulationFilter {
  const [low, high] = [lowHz / ENVELOPE_RATE, highHz / ENVELOPE_RATE];
  const reach = Math.max(LEAST_REACH, reachOf(centre));
  const taps = Float64Array.from({ length: 2 * reach + 1 }, (_, i) => {
    const n = i - reach;
    return hamming(n, reach) * (lowPass(high, n) - lowPass(low, n));
  });
  const gain = taps.reduce(
    (sum, tap, i) => sum + tap * Math.cos((2 * Math.PI * centre * (i - reach)) / ENVELOPE_RATE),
    0,
  );
  return { centre, reach, taps: taps.map((tap) => tap / gain) };
}

/** Hamming window over `−reach … reach`. */
export function hamming(n: number, reach: number): number {
  return 0.54 + 0.46 * Math.cos((Math.PI * n) / (reach + 1));
}

/** Impulse response of the ideal low-pass. @param cutoff cycles per value */
function lowPass(cutoff: number, n: number): number {
  return n === 0 ? 2 * cutoff : Math.sin(2 * Math.PI * cutoff * n) / (Math.PI * n);
}
