import { transform } from '../numerics/fft.ts';
import { Pacer } from '../numerics/pacer.ts';
import { ENVELOPE_RATE, MODULATION_RATES } from './filters.ts';
import { mapOfEnvelopes, type ModulationMap } from './map.ts';
import { BINS, CARRIER_BANDS, FRAME, HOP, carrierBank } from './spectra.ts';
import { envelopesOf, soundOf, spectraOf, type Spectra } from './spectra.ts';

/** `only`: the chosen bands, and of their modulations the chosen ones; `without`: all but these. */
export const keepModes = ['only', 'without'] as const;
export type KeepMode = (typeof keepModes)[number];

/** A part of a modulation map, by index, both ends in it. */
export interface ModulationChoice {
  mode: KeepMode;
  carriers: readonly [number, number];
  rates: readonly [number, number];
}

/** Octaves beyond the outermost centre that are kept in full, and where nothing is left. */
const [FULL, GONE] = [0.5, 0.9];
/** An envelope is raised by so much at most: of a band that fell silent there is nothing to raise. */
const MOST_GAIN = 10;
/** A frame of 16 ms smears what is asked of it; what it misses is asked for again. */
const PASSES = 4;

/** A sound of which some modulations were kept. */
export interface KeptSound {
  /** As many as there were, 16 kHz. */
  samples: Float32Array;
  /** What the chosen modulations and the others changed by, dB, in the chosen bands; null where there were none. */
  chosenDb: number | null;
  othersDb: number | null;
}

/**
 * A sound with some of its modulations only: the envelope of each band is filtered, and what the band consists of, its fine
 * structure, is kept and follows the filtered envelope.
 * @param samples mono, 16 kHz
 * @throws the signal's reason
 */
export async function keepModulation(
  samples: Float32Array,
  choice: ModulationChoice,
  signal?: AbortSignal,
): Promise<KeptSound> {
  const pacer = new Pacer(signal);
  const bank = carrierBank();
  const rows = binRows();
  // Silence around it, so that frames reach its first and last samples too.
  const padded = new Float32Array(samples.length + 2 * FRAME);
  padded.set(samples, FRAME);
  let spectra = await spectraOf(padded, pacer);
  const { frames } = spectra;
  // Frames that lie in the sound alone: the silence around it is no modulation.
  const first = Math.ceil(FRAME / HOP);
  const inside = { first, count: Math.max(0, frames - 2 * first) };
  const before = envelopesOf(spectra, bank);
  const wanted = before.slice();
  const pass = passes(inside.count, choice);
  for (let band = 0; band < CARRIER_BANDS; band++) {
    if (pacer.due(64 * frames)) await pacer.pause();
    if (!isChosen(band, choice)) continue;
    const row = wanted.subarray(band * frames + inside.first, band * frames + inside.first + inside.count);
    keepRates(row, pass);
  }
  let heard: Float32Array = padded;
  for (let round = 0; round < PASSES; round++) {
    const now = round === 0 ? before : envelopesOf(spectra, bank);
    applyGains(spectra, rows, gainsTo(wanted, now, frames, inside, choice));
    heard = await soundOf(spectra, padded.length, pacer);
    spectra = await spectraOf(heard, pacer);
  }
  const cut = (values: Float32Array): Float32Array => cutFrames(values, frames, inside);
  const [was, is] = [
    await mapOfEnvelopes(cut(before), inside.count, pacer),
    await mapOfEnvelopes(cut(envelopesOf(spectra, bank)), inside.count, pacer),
  ];
  const { rates } = choice;
  const change = (wantedRate: (rate: number) => boolean): number | null =>
    changeDb(was, is, (band, rate) => isChosen(band, choice) && wantedRate(rate));
  return {
    samples: heard.subarray(FRAME, FRAME + samples.length),
    chosenDb: change((rate) => rate >= rates[0] && rate <= rates[1]),
    // What lies beside the chosen octaves lies in their skirts too.
    othersDb: change((rate) => rate < rates[0] - 1 || rate > rates[1] + 1),
  };
}

const isChosen = (band: number, { carriers }: ModulationChoice): boolean =>
  band >= carriers[0] && band <= carriers[1];

interface Pass {
  size: number;
  /** `[size]`: share of each frequency that stays. */
  share: Float64Array;
}

/** What stays of each frequency of an envelope of so many values among its mirror images. */
function passes(count: number, { mode, rates }: ModulationChoice): Pass {
  const size = 2 ** Math.ceil(Math.log2(Math.max(2, 2 * count)));
  const [low, high] = rates.map((rate) => MODULATION_RATES[rate] ?? 1) as [number, number];
  const share = Float64Array.from({ length: size }, (_, k) => {
    const hz = (Math.min(k, size - k) * ENVELOPE_RATE) / size;
    if (hz === 0) return 1;
    const beyond = Math.max(Math.log2(low / hz), Math.log2(hz / high));
    const within = Math.min(1, Math.max(0, (GONE - beyond) / (GONE - FULL)));
    const kept = 0.5 - 0.5 * Math.cos(Math.PI * within);
    return mode === 'only' ? kept : 1 - kept;
  });
  return { size, share };
}

/** Filters an envelope in place; it stays above zero. */
function keepRates(envelope: Float32Array, { size, share }: Pass): void {
  const count = envelope.length;
  if (count === 0) return;
  const mean = envelope.reduce((sum, value) => sum + value, 0) / count;
  const [re, im] = [new Float64Array(size), new Float64Array(size)];
  // Mirror images before and after it, so that its ends meet something like them.
  const start = Math.floor((size - count) / 2);
  for (let i = 0; i < size; i++) {
    const at = (((i - start) % (2 * count)) + 2 * count) % (2 * count);
    re[i] = (envelope[at < count ? at : 2 * count - 1 - at] ?? 0) - mean;
  }
  transform(re, im);
  for (let k = 0; k < size; k++) {
    re[k] = (re[k] ?? 0) * (share[k] ?? 0);
    im[k] = (im[k] ?? 0) * (share[k] ?? 0);
  }
  transform(re, im, true);
  for (let i = 0; i < count; i++) envelope[i] = Math.max(0, mean + (re[start + i] ?? 0) / size);
}

interface Inside {
  first: number;
  count: number;
}

/** What each band is raised by in each frame `[CARRIER_BANDS, frames]`; its mean level is left alone. */
function gainsTo(
  wanted: Float32Array,
  now: Float32Array,
  frames: number,
  { first, count }: Inside,
  choice: ModulationChoice,
): Float32Array {
  const gains = new Float32Array(CARRIER_BANDS * frames);
  for (let band = 0; band < CARRIER_BANDS; band++) {
    const row = gains.subarray(band * frames, (band + 1) * frames);
    if (!isChosen(band, choice)) {
      row.fill(choice.mode === 'only' ? 0 : 1);
      continue;
    }
    const at = band * frames + first;
    const [to, from] = [wanted.subarray(at, at + count), now.subarray(at, at + count)];
    const sum = (values: Float32Array): number => values.reduce((all, value) => all + value, 0);
    const [sumTo, sumFrom] = [sum(to), sum(from)];
    if (sumTo <= 0 || sumFrom <= 0) continue;
    for (let t = 0; t < count; t++) {
      const ratio = (((to[t] ?? 0) / sumTo) * sumFrom) / Math.max(from[t] ?? 0, (1e-4 * sumFrom) / count);
      row[first + t] = Math.min(MOST_GAIN, ratio);
    }
    // Frames that reach beyond the sound do as those beside them.
    row.fill(row[first] ?? 0, 0, first);
    row.fill(row[first + count - 1] ?? 0, first + count);
  }
  return gains;
}

/** The bands that each bin lies in, with their shares of it. */
function binRows(): { band: number; share: number }[][] {
  const { weights } = carrierBank();
  const own = Array.from({ length: BINS }, (_, k) => {
    const found = Array.from({ length: CARRIER_BANDS }, (_bin, band) => ({
      band,
      share: weights[band * BINS + k] ?? 0,
    })).filter(({ share }) => share > 0);
    const all = found.reduce((sum, { share }) => sum + share, 0);
    return found.map(({ band, share }) => ({ band, share: share / all }));
  });
  // Bins beyond the two ends, and between the narrowest bands, do as the nearest that lies in one.
  return own.map((row, k) => {
    for (let away = 0; away < BINS; away++)
      for (const at of [k + away, k - away]) if ((own[at]?.length ?? 0) > 0) return own[at] ?? row;
    return row;
  });
}

function applyGains(
  { frames, real, imaginary }: Spectra,
  rows: readonly { band: number; share: number }[][],
  gains: Float32Array,
): void {
  for (const [k, row] of rows.entries())
    for (let t = 0; t < frames; t++) {
      let gain = 0;
      for (const { band, share } of row) gain += share * (gains[band * frames + t] ?? 0);
      const at = t * BINS + k;
      real[at] = (real[at] ?? 0) * gain;
      imaginary[at] = (imaginary[at] ?? 0) * gain;
    }
}

/** The frames of envelopes that lie inside. */
function cutFrames(envelopes: Float32Array, frames: number, { first, count }: Inside): Float32Array {
  const cut = new Float32Array(CARRIER_BANDS * count);
  for (let band = 0; band < CARRIER_BANDS; band++)
    cut.set(envelopes.subarray(band * frames + first, band * frames + first + count), band * count);
  return cut;
}

/** What the modulations of some cells changed by, dB, by the strength that they had; null where there were none. */
function changeDb(
  was: ModulationMap,
  is: ModulationMap,
  counts: (band: number, rate: number) => boolean,
): number | null {
  let [before, after] = [0, 0];
  for (let band = 0; band < CARRIER_BANDS; band++)
    for (let rate = was.slowest; rate < MODULATION_RATES.length; rate++) {
      if (!counts(band, rate)) continue;
      const at = band * MODULATION_RATES.length + rate;
      const weight = 10 ** ((was.levels[band] ?? 0) / 10);
      before += weight * (was.depth[at] ?? 0) ** 2;
      after += weight * (is.depth[at] ?? 0) ** 2;
    }
  return before > 0 && after > 0 ? 10 * Math.log10(after / before) : null;
}
