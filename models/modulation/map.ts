import { transform } from '../numerics/fft.ts';
import { Pacer } from '../numerics/pacer.ts';
import { MODULATION_RATES, ENVELOPE_RATE, octaveFilter, type ModulationFilter } from './filters.ts';
import { CARRIER_BANDS, carrierBank, envelopesOf, spectraOf } from './spectra.ts';

const RATES = MODULATION_RATES.length;
/** A band this far below the loudest one is silent: its noise would swing as deeply as any sound. */
export const SILENT_DB = -60;
/** Level of the loudest band that counts as silence, re a full-scale sine: −100 dB. */
const SILENCE = 1e-5;
/** Periods of a modulation that an excerpt must hold for it to be seen. */
const LEAST_PERIODS = 1.5;

/**
 * How deeply the carrier bands of a sound swell and fade in each octave of speed (after Vahidi, Saitis, Fazekas 2021, arXiv
 * 2105.11836, with fixed filters). Independent of gain.
 */
export interface ModulationMap {
  /**
   * `[CARRIER_BANDS, MODULATION_RATES]`: √2 · RMS of the filtered envelope, relative to the band's mean. A band that swells
   * as 1 + d·cos reads d. 0 in silence.
   */
  depth: Float32Array;
  /** `[CARRIER_BANDS]`: mean of each envelope, dB re the loudest of them; {@link SILENT_DB} at least. */
  levels: Float32Array;
  /** Rates that are slower are not seen in an excerpt so short; as an index of `MODULATION_RATES`. */
  slowest: number;
}

/**
 * @param samples mono, 16 kHz
 * @throws the signal's reason
 */
export async function modulationMap(samples: Float32Array, signal?: AbortSignal): Promise<ModulationMap> {
  const pacer = new Pacer(signal);
  const spectra = await spectraOf(samples, pacer);
  return mapOfEnvelopes(envelopesOf(spectra, carrierBank()), spectra.frames, pacer);
}

/** @param envelopes `[CARRIER_BANDS, frames]` */
export async function mapOfEnvelopes(
  envelopes: Float32Array,
  frames: number,
  pacer: Pacer,
): Promise<ModulationMap> {
  const means = Float64Array.from({ length: CARRIER_BANDS }, (_, band) =>
    meanOf(envelopes.subarray(band * frames, (band + 1) * frames)),
  );
  const loudest = Math.max(...means);
  const levels = Float32Array.from(means, (mean) =>
    loudest > SILENCE ? Math.max(SILENT_DB, 20 * Math.log10(mean / loudest)) : SILENT_DB,
  );
  const depth = new Float32Array(CARRIER_BANDS * RATES);
  const slowest = slowestIn(frames);
  const filters = octaves(frames);
  for (let band = 0; band < CARRIER_BANDS; band++) {
    if (pacer.due(8 * frames * RATES)) await pacer.pause();
    if ((levels[band] ?? SILENT_DB) <= SILENT_DB) continue;
    const mean = means[band] ?? 1;
    const swing = envelopes.slice(band * frames, (band + 1) * frames).map((value) => value / mean - 1);
    depth.set(depthsOf(swing, filters), band * RATES);
    depth.fill(0, band * RATES, band * RATES + slowest);
  }
  return { depth, levels, slowest };
}

/** Index of the slowest rate that an excerpt of so many envelope values can show; `MODULATION_RATES.length` where none. */
export function slowestIn(frames: number): number {
  const found = MODULATION_RATES.findIndex((rate) => frames >= (LEAST_PERIODS * ENVELOPE_RATE) / rate);
  return found < 0 ? RATES : found;
}

/** How strong the modulations of a map are `[CARRIER_BANDS, MODULATION_RATES]`: depths, weighted by how loud their bands are. */
export function strengthOf({ depth, levels }: Pick<ModulationMap, 'depth' | 'levels'>): Float32Array {
  return depth.map((value, i) => value * 10 ** ((levels[Math.floor(i / RATES)] ?? SILENT_DB) / 20));
}

/** The mean of maps: depths over those in which the band sounds and the rate is seen, levels over all. */
export function meanMap(maps: readonly ModulationMap[]): ModulationMap {
  const depth = new Float32Array(CARRIER_BANDS * RATES);
  const levels = new Float32Array(CARRIER_BANDS);
  for (let band = 0; band < CARRIER_BANDS; band++) {
    const sounding = maps.filter((map) => (map.levels[band] ?? SILENT_DB) > SILENT_DB);
    levels[band] = meanOf(maps.map((map) => map.levels[band] ?? SILENT_DB));
    for (let rate = 0; rate < RATES; rate++)
      depth[band * RATES + rate] = meanOf(
        sounding.filter((map) => rate >= map.slowest).map((map) => map.depth[band * RATES + rate] ?? 0),
      );
  }
  return { depth, levels, slowest: Math.min(RATES, ...maps.map(({ slowest }) => slowest)) };
}

interface Prepared {
  size: number;
  /** Transforms of two filters at once: one in the real part of the impulse response, one in the imaginary part. */
  pairs: { real: Float64Array; imaginary: Float64Array }[];
  /** Σ of what each filter would let through of a full modulation, over the excerpt: less than its length, near the ends. */
  energies: Float64Array;
  frames: number;
}

/** The octave filters, ready for envelopes of a length. */
function octaves(frames: number): Prepared {
  const filters = MODULATION_RATES.map(octaveFilter);
  const reach = Math.max(...filters.map((filter) => filter.reach));
  const size = 2 ** Math.ceil(Math.log2(frames + reach + 1));
  const pairs = Array.from({ length: Math.ceil(RATES / 2) }, (_, pair) => {
    const [real, imaginary] = [new Float64Array(size), new Float64Array(size)];
    place(filters[2 * pair], real);
    place(filters[2 * pair + 1], imaginary);
    transform(real, imaginary);
    return { real, imaginary };
  });
  return { size, pairs, frames, energies: Float64Array.from(filters, (filter) => reached(filter, frames)) };
}

/** Taps around index 0, as a circular convolution wants them. */
function place(filter: ModulationFilter | undefined, into: Float64Array): void {
  filter?.taps.forEach((tap, i) => {
    const at = (i - filter.reach + into.length) % into.length;
    into[at] = (into[at] ?? 0) + tap;
  });
}

/**
 * Σ over the excerpt of the squared gain that a modulation of the filter's centre meets: 1 in the middle, less where taps
 * lie beyond an end.
 */
function reached({ centre, reach, taps }: ModulationFilter, frames: number): number {
  const angle = (2 * Math.PI * centre) / ENVELOPE_RATE;
  const cos = prefix(taps, (i) => Math.cos(angle * (i - reach)));
  const sin = prefix(taps, (i) => Math.sin(angle * (i - reach)));
  let sum = 0;
  for (let t = 0; t < frames; t++) {
    const first = Math.max(0, t - frames + 1 + reach);
    const end = Math.min(2 * reach, t + reach) + 1;
    sum += ((cos[end] ?? 0) - (cos[first] ?? 0)) ** 2 + ((sin[end] ?? 0) - (sin[first] ?? 0)) ** 2;
  }
  return sum;
}

function prefix(taps: Float64Array, factor: (i: number) => number): Float64Array {
  const sums = new Float64Array(taps.length + 1);
  taps.forEach((tap, i) => (sums[i + 1] = (sums[i] ?? 0) + tap * factor(i)));
  return sums;
}

/** Depth of a swing in each octave `[MODULATION_RATES]`. */
function depthsOf(swing: Float32Array, { size, pairs, frames, energies }: Prepared): Float32Array {
  const [sr, si] = [new Float64Array(size), new Float64Array(size)];
  sr.set(swing);
  transform(sr, si);
  const [re, im] = [new Float64Array(size), new Float64Array(size)];
  const depths = new Float32Array(RATES);
  for (const [pair, { real, imaginary }] of pairs.entries()) {
    for (let k = 0; k < size; k++) {
      const [a, b, c, d] = [sr[k] ?? 0, si[k] ?? 0, real[k] ?? 0, imaginary[k] ?? 0];
      re[k] = a * c - b * d;
      im[k] = a * d + b * c;
    }
    transform(re, im, true);
    for (const [part, values] of [re, im].entries()) {
      const rate = 2 * pair + part;
      let sum = 0;
      for (let t = 0; t < frames; t++) sum += ((values[t] ?? 0) / size) ** 2;
      depths[rate] = Math.sqrt((2 * sum) / (energies[rate] ?? 1));
    }
  }
  return depths;
}

function meanOf(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] ?? 0;
  return values.length === 0 ? 0 : sum / values.length;
}
