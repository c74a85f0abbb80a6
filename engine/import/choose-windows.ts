/** Of windows, far below one sample. */
const ROUNDING = 1e-9;

/** A last, partial window counts from a sixteenth of its length, as `cutWindows` has it. */
const SHORTEST_REST = 1 / 16;

/** How many windows a track of this length is expected to have; the decoder has the last word. */
export function expectedWindows(durationSeconds: number, windowSeconds: number): number {
  if (!(durationSeconds > 0)) return 0;
  // Seconds are samples that were divided: what lies on a border in samples is a rounding below it here.
  const parts = durationSeconds / windowSeconds + ROUNDING;
  const whole = Math.floor(parts);
  const rest = parts - whole;
  return whole + (rest >= SHORTEST_REST || whole === 0 ? 1 : 0);
}

/**
 * Positions of `wanted` windows spread evenly over `total`: the middle window of each of `wanted` equal stretches.
 * All positions when there are no more than wanted.
 */
export function evenlySpaced(total: number, wanted: number): Set<number> {
  const count = Math.min(total, wanted);
  return new Set(Array.from({ length: count }, (_, i) => Math.floor(((i + 0.5) * total) / count)));
}
