import { ENVELOPE_RATE, hamming, LEAST_REACH, MODULATION_RATES, reachOf } from './filters.ts';
import { frequenciesHz } from './swing.ts';

/** The two things that are learned of a filter: its lower edge, and how many octaves above it the upper one lies. */
export interface SincBand {
  /** log2 of Hz. */
  low: number;
  /** Octaves; its size counts, not its sign, and {@link NARROWEST} is added. */
  width: number;
}

/** No filter is narrower, in octaves. */
const NARROWEST = 0.25;
/** Edges stay within these, Hz. */
const [LOWEST_HZ, HIGHEST_HZ] = [0.25, 98];

export interface SincResponse {
  lowHz: number;
  highHz: number;
  /** Gain at each of `frequenciesHz`, with its derivatives by the two parameters. */
  gain: Float64Array;
  byLow: Float64Array;
  byWidth: Float64Array;
}

/** Octaves around the usual rates: what fixed filters are, and what learned ones begin as. */
export const octaveBands = (): SincBand[] =>
  MODULATION_RATES.map((rate) => ({ low: Math.log2(rate) - 0.5, width: 1 - NARROWEST }));

/** Edges of a filter, Hz. */
export function edgesOf({ low, width }: SincBand): { lowHz: number; highHz: number } {
  const lowHz = Math.min(HIGHEST_HZ / 2 ** NARROWEST, Math.max(LOWEST_HZ, 2 ** low));
  return { lowHz, highHz: Math.min(HIGHEST_HZ, lowHz * 2 ** (NARROWEST + Math.abs(width))) };
}

/**
 * Responses of filters as SincNet has them (Ravanelli, Bengio 2018): the difference of two sinc functions between learned
 * edges under a Hamming window, here over envelopes and with as many periods at every speed.
 */
export class SincFilters {
  readonly frequencies = frequenciesHz();
  /** `[FREQUENCIES][reach]`: cosines at each distance from the middle of a filter. */
  readonly #cosines: Float64Array[];

  constructor() {
    const reach = reachOf(0.5);
    this.#cosines = this.frequencies.map((hz) =>
      Float64Array.from({ length: reach + 1 }, (_, n) => Math.cos((2 * Math.PI * hz * n) / ENVELOPE_RATE)),
    );
  }

  /** The window follows the centre, and is held for the derivatives. */
  response(band: SincBand): SincResponse {
    const { lowHz, highHz } = edgesOf(band);
    const [low, high] = [lowHz / ENVELOPE_RATE, highHz / ENVELOPE_RATE];
    const reach = Math.max(LEAST_REACH, reachOf(Math.sqrt(lowHz * highHz)));
    const tap = new Float64Array(reach + 1);
    const byLow = new Float64Array(reach + 1);
    const byHigh = new Float64Array(reach + 1);
    for (let n = 0; n <= reach; n++) {
      // Once in the middle, and on both sides of it.
      const weight = hamming(n, reach) * (n === 0 ? 1 : 2);
      const angle = 2 * Math.PI * n;
      tap[n] =
        weight *
        (n === 0 ? 2 * (high - low) : (Math.sin(angle * high) - Math.sin(angle * low)) / (Math.PI * n));
      byLow[n] = -weight * 2 * Math.cos(angle * low) * low * Math.LN2;
      byHigh[n] = weight * 2 * Math.cos(angle * high) * high * Math.LN2;
    }
    const sum = (values: Float64Array): Float64Array => {
      const sums = new Float64Array(this.frequencies.length);
      for (const [u, cosines] of this.#cosines.entries()) {
        let all = 0;
        for (let n = 0; n <= reach; n++) all += (values[n] ?? 0) * (cosines[n] ?? 0);
        sums[u] = all;
      }
      return sums;
    };
    const dHigh = sum(byHigh);
    const dLow = sum(byLow);
    return {
      ...{ lowHz, highHz },
      gain: sum(tap),
      // The upper edge lies so many octaves above the lower one, and goes with it.
      byLow: dLow.map((value, u) => value + (dHigh[u] ?? 0)),
      byWidth: dHigh.map((value) => value * (band.width < 0 ? -1 : 1)),
    };
  }
}
