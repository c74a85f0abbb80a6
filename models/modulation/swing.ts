import { transform } from '../numerics/fft.ts';
import { Pacer } from '../numerics/pacer.ts';
import { ENVELOPE_RATE } from './filters.ts';
import { SILENT_DB } from './map.ts';
import { CARRIER_BANDS, carrierBank, envelopesOf, spectraOf } from './spectra.ts';

/** Carrier bands are taken in groups: a classifier of few tracks has no use for forty. */
export const CARRIER_GROUPS = 10;
/** Eighths of octaves from 0.35 Hz on. */
const PER_OCTAVE = 8;
export const FREQUENCIES = 8 * PER_OCTAVE;
const LOWEST_HZ = 0.5 / Math.SQRT2;
/** −100 dB re a full-scale sine is silence. */
const SILENCE = 1e-5;

/** Centres of the eighths of octaves, Hz. */
export const frequenciesHz = (): number[] =>
  Array.from({ length: FREQUENCIES }, (_, u) => LOWEST_HZ * 2 ** ((u + 0.5) / PER_OCTAVE));

/**
 * How much the envelopes of groups of bands swing at each frequency `[CARRIER_GROUPS, FREQUENCIES]`: mean square, relative to
 * the band's mean. By Parseval's theorem this is all that a filter's output energy depends on, so that filters can be
 * learned without filtering again.
 * @param samples mono, 16 kHz
 */
export async function swingSpectrum(samples: Float32Array, signal?: AbortSignal): Promise<Float32Array> {
  const pacer = new Pacer(signal);
  const spectra = await spectraOf(samples, pacer);
  const { frames } = spectra;
  const envelopes = envelopesOf(spectra, carrierBank());
  const energies = new Float32Array(CARRIER_GROUPS * FREQUENCIES);
  if (frames === 0) return energies;
  // Long enough for the lowest eighths of octaves to have values of their own.
  const size = Math.max(4096, 2 ** Math.ceil(Math.log2(frames)));
  const [re, im] = [new Float64Array(size), new Float64Array(size)];
  const perGroup = CARRIER_BANDS / CARRIER_GROUPS;
  const means = Float64Array.from(
    { length: CARRIER_BANDS },
    (_, band) =>
      envelopes.subarray(band * frames, (band + 1) * frames).reduce((sum, value) => sum + value, 0) / frames,
  );
  const silent = Math.max(SILENCE, Math.max(...means) * 10 ** (SILENT_DB / 20));
  for (let band = 0; band < CARRIER_BANDS; band++) {
    if (pacer.due(16 * size)) await pacer.pause();
    const own = envelopes.subarray(band * frames, (band + 1) * frames);
    const mean = means[band] ?? 0;
    if (mean < silent) continue;
    re.fill(0);
    im.fill(0);
    own.forEach((value, t) => (re[t] = value / mean - 1));
    transform(re, im);
    const group = Math.floor(band / perGroup) * FREQUENCIES;
    for (let k = 1; k < size / 2; k++) {
      const u = Math.floor(PER_OCTAVE * Math.log2((k * ENVELOPE_RATE) / size / LOWEST_HZ));
      if (u < 0 || u >= FREQUENCIES) continue;
      // Both signs of the frequency.
      const energy = (2 * ((re[k] ?? 0) ** 2 + (im[k] ?? 0) ** 2)) / (frames * size);
      energies[group + u] = (energies[group + u] ?? 0) + energy / perGroup;
    }
  }
  return energies;
}
