import { GraphBuilder, type Value } from '../onnx/builder.ts';
import { numbersIn, type HandmadeSpace } from './handmade-space.ts';
import { dft } from './spectra.ts';

const SAMPLE_RATE = 16_000;
/** A power of two: 4.096 s. */
const SAMPLES = 2 ** 16;
const OCTAVES = 8;
/** Wavelets per octave. */
const PER_OCTAVE = 8;
/** Centre of the highest wavelet in cycles per sample, first order: its band ends where it mirrors at the Nyquist frequency. */
const HIGHEST = 1 / (1 + 2 ** (3 / PER_OCTAVE));
/** Second order: one wavelet per octave, from here down. */
const HIGHEST_SECOND = 0.35;
const SECOND_ORDER = 13;
/** Second-order wavelets lie at most that far up a first-order wavelet's centre: above it an envelope holds next to nothing. */
const LARGEST_SHARE = 1 / 4;
/** Mean magnitude that counts as silence: −100 dB. */
const SILENT = 1e-5;
/** Share of a first-order path that counts as no modulation. */
const STEADY = 1e-3;

/** Octave by octave, which second-order wavelets go with it. */
const paths = Array.from({ length: OCTAVES }, (_, octave) => ({
  octave,
  second: Array.from({ length: SECOND_ORDER }, (_, j) => j).filter(
    (j) => HIGHEST_SECOND * 2 ** -j <= LARGEST_SHARE * HIGHEST * 2 ** -octave,
  ),
}));
const FIRST = OCTAVES * PER_OCTAVE;
const SECOND = paths.reduce((sum, { second }) => sum + PER_OCTAVE * second.length, 0);

/**
 * Time scattering of order two (Andén, Mallat 2014, “Deep scattering spectrum”) with Morlet wavelets, eight per octave and
 * then one, averaged over the whole window: ln of the mean magnitude of each wavelet, and ln of how much of it each
 * second wavelet finds in its envelope. A window counts as repeating.
 */
export const scatteringSpace: HandmadeSpace = {
  id: 'scattering',
  title: 'Wavelet scattering',
  says: 'Time scattering of order two over a window: the mean magnitude of 64 Morlet wavelets, and how their envelopes are modulated, octave by octave.',
  sampleRate: SAMPLE_RATE,
  windowSeconds: SAMPLES / SAMPLE_RATE,
  frameRate: 1 / (SAMPLES / SAMPLE_RATE),
  featureDim: FIRST + SECOND,
  embeddingDim: FIRST + SECOND,
  groups: [
    { name: 'order 1', dims: numbersIn(0, FIRST) },
    { name: 'order 2', dims: numbersIn(FIRST, FIRST + SECOND) },
  ],
  graphFile: {
    sha256: '4d525eed467463ccc64550ae1fb58a7b7a9a6fc46be67e78ea021b7a6f86163e',
    bytes: 1_383_571,
  },
  graph: () => {
    const g = new GraphBuilder('scattering');
    const waveform = g.input('waveform', 'float32', ['batch', SAMPLES]);
    g.section('spectrum');
    const spectrum = dft(g, g.unsqueeze(waveform, [2]), ['batch', SAMPLES, 2], 1);
    const orders = paths.map(({ octave, second }) => {
      const envelopes = firstOrder(g, spectrum, octave);
      const mean = g.reduceMean(envelopes, [2], false);
      return { mean, second: secondOrder(g, envelopes, octave, second, mean) };
    });
    g.section('');
    const first = orders.map(({ mean }) => g.log(g.add(mean, SILENT)));
    const z = g.concat([...first, ...orders.flatMap(({ second }) => second)], 1);
    g.output('z', z, ['batch', FIRST + SECOND]);
    return g.build();
  },
};

/** Magnitudes `[batch, 8, L]` of one octave of wavelets, as often as their bands need: L bins around their centres. */
function firstOrder(g: GraphBuilder, spectrum: Value, octave: number): Value {
  g.section(`first.${octave}`);
  const length = envelopeLength(octave);
  const centres = Array.from({ length: PER_OCTAVE }, (_, i) => HIGHEST * 2 ** (-octave - i / PER_OCTAVE));
  const slices = centres.map((centre) => {
    const from = Math.round(centre * SAMPLES) - length / 2;
    return g.unsqueeze(g.slice(spectrum, from, from + length, 1), [1]);
  });
  const wavelets = centres.map((centre) => morlet(centre, PER_OCTAVE, SAMPLES, length));
  const table = Float32Array.from(wavelets.flatMap((wavelet) => [...wavelet]));
  const bands = g.mul(g.concat(slices, 1), g.weight(`first.${octave}`, [PER_OCTAVE, length, 1], table));
  return modulus(g, dft(g, bands, ['batch', PER_OCTAVE, length, 2], 2, { inverse: true }));
}

/** `[batch, 8]` for every second wavelet. */
function secondOrder(
  g: GraphBuilder,
  envelopes: Value,
  octave: number,
  wavelets: readonly number[],
  mean: Value,
): Value[] {
  g.section(`second.${octave}`);
  const all = envelopeLength(octave);
  const spectrum = dft(g, g.unsqueeze(envelopes, [3]), ['batch', PER_OCTAVE, all, 2], 2);
  return wavelets.map((j) => {
    const centre = HIGHEST_SECOND * 2 ** -j;
    const length = Math.min(all, SAMPLES * 2 ** -j);
    const from = Math.round(centre * SAMPLES) - length / 2;
    // Frequencies below 0 stand at the end.
    const slice =
      from < 0
        ? g.concat([g.slice(spectrum, all + from, all, 2), g.slice(spectrum, 0, from + length, 2)], 2)
        : g.slice(spectrum, from, from + length, 2);
    const wavelet = g.weight(`second.${octave}.${j}`, [length, 1], morlet(centre, 1, all, length));
    const band = dft(g, g.mul(slice, wavelet), ['batch', PER_OCTAVE, length, 2], 2, { inverse: true });
    const found = g.reduceMean(modulus(g, band), [2], false);
    return g.log(g.add(g.div(found, g.add(mean, SILENT)), STEADY));
  });
}

/** Bins that the widest wavelet of an octave needs, and so values of its envelope. */
function envelopeLength(octave: number): number {
  return (SAMPLES / 4) * 2 ** -octave;
}

function modulus(g: GraphBuilder, complex: Value): Value {
  return g.sqrt(g.reduceSum(g.mul(complex, complex), [3], false));
}

/**
 * A Morlet wavelet in frequency, over the `length` bins around its centre: 1 at the centre and 0 at 0 Hz.
 * @param centre cycles per sample of the waveform · @param quality wavelets per octave
 * @param of values that the spectrum was taken of; the inverse transform has `length`, which is made good here
 */
function morlet(centre: number, quality: number, of: number, length: number): Float32Array {
  // Neighbours cross at −3 dB of power.
  const ratio = 2 ** (-1 / quality);
  const deviation = (centre * ((1 - ratio) / (1 + ratio))) / Math.sqrt(Math.log(2));
  const bell = (frequency: number): number => Math.exp(-0.5 * (frequency / deviation) ** 2);
  const share = bell(centre) / bell(0);
  const from = Math.round(centre * SAMPLES) - length / 2;
  return Float32Array.from({ length }, (_, i) => {
    const frequency = (from + i) / SAMPLES;
    return (length / of) * (bell(frequency - centre) - share * bell(frequency));
  });
}
