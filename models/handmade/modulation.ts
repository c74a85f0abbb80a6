import { melBank } from '../audio/mel-bank.ts';
import { GraphBuilder } from '../onnx/builder.ts';
import type { HandmadeSpace } from './handmade-space.ts';
import { frameCount, powerSpectra, type Framing } from './spectra.ts';

const SAMPLE_RATE = 16_000;
const SAMPLES = 4 * SAMPLE_RATE;
/**
 * 200 envelope values a second. Frames of 16 ms: a Hann window of 32 ms, as is usual for the bands alone, lets nothing of
 * a modulation of 62.5 Hz through. Whole frames only, since silence beyond the ends would itself be a modulation.
 */
const FRAMING: Framing = { size: 256, hop: 80, centred: false };
const FRAMES = frameCount(SAMPLES, FRAMING);
const RATE = SAMPLE_RATE / FRAMING.hop;
const BANDS = 40;
const [LOWEST_HZ, HIGHEST_HZ] = [60, 7500];
/** Hz */
const CENTRES = [0.5, 1, 2, 4, 8, 16, 32, 64];
/** Longest filter: as long as the envelope. */
const TAPS = 801;
/** Level of a band that counts as silence, re a full-scale sine: −100 dB. */
const SILENT = 1e-5;
/** Modulation that counts as none. */
const STEADY = 1e-3;

/**
 * How fast the bands of a sound swell and fade (after Vahidi, Saitis, Fazekas 2021, arXiv 2105.11836, with fixed filters):
 * 40 mel bands × RMS of their envelopes in eight octaves around 0.5 … 64 Hz, relative to the band's mean, and the mean
 * levels relative to each other. Independent of gain.
 */
export const modulationSpace: HandmadeSpace = {
  id: 'modulation',
  title: 'Modulation spectrum',
  says: 'How fast 40 mel bands swell and fade: the modulation of each envelope in eight octaves from 0.5 to 64 Hz, and the levels of the bands relative to each other.',
  sampleRate: SAMPLE_RATE,
  windowSeconds: 4,
  frameRate: RATE,
  featureDim: BANDS,
  embeddingDim: BANDS * (CENTRES.length + 1),
  graph: () => {
    const g = new GraphBuilder('modulation');
    const waveform = g.input('waveform', 'float32', ['batch', SAMPLES]);
    const magnitudes = g.sqrt(powerSpectra(g, waveform, SAMPLES, FRAMING));
    g.section('envelopes');
    const { bins, weights } = melBank(BANDS, FRAMING.size, SAMPLE_RATE, [LOWEST_HZ, HIGHEST_HZ]);
    // [batch, bands, frames]
    const envelopes = g.matMul(g.weight('bank', [BANDS, bins], weights), g.transpose(magnitudes, [0, 2, 1]));
    const level = g.reduceMean(envelopes, [2], true);
    const swing = g.div(g.sub(envelopes, level), g.add(level, SILENT));
    g.section('modulation');
    const filters = g.weight('filters', [CENTRES.length, 1, TAPS], sincFilters());
    const rows = g.reshape(swing, [-1, 1, FRAMES]);
    const half = (TAPS - 1) / 2;
    const filtered = g.op('Conv', [rows, filters], { kernel_shape: [TAPS], pads: [half, half] });
    const depth = g.sqrt(g.reduceMean(g.mul(filtered, filtered), [2], false));
    const modulation = g.reshape(g.log(g.add(depth, STEADY)), [-1, BANDS, CENTRES.length]);
    const logLevel = g.log(g.add(level, SILENT));
    const balance = g.sub(logLevel, g.reduceMean(logLevel, [1], true));
    const z = g.reshape(g.concat([modulation, balance], 2), [-1, BANDS * (CENTRES.length + 1)]);
    g.section('');
    g.output('z', z, ['batch', BANDS * (CENTRES.length + 1)]);
    return g.build();
  },
};

/** Band-pass filters `[centres, taps]` an octave wide: differences of two sinc functions under a Hamming window, 1 at their centre. */
function sincFilters(): Float32Array {
  const filters = new Float32Array(CENTRES.length * TAPS);
  const middle = (TAPS - 1) / 2;
  for (const [row, centre] of CENTRES.entries()) {
    const [low, high] = [centre / Math.SQRT2 / RATE, (centre * Math.SQRT2) / RATE];
    // Four periods of the centre, as far as they fit.
    const reach = Math.min(middle, Math.round((2 * RATE) / centre));
    const taps = Array.from({ length: 2 * reach + 1 }, (_, i) => {
      const n = i - reach;
      const hamming = 0.54 + 0.46 * Math.cos((Math.PI * n) / (reach + 1));
      return hamming * (lowPass(high, n) - lowPass(low, n));
    });
    const gain = taps.reduce(
      (sum, tap, i) => sum + tap * Math.cos((2 * Math.PI * centre * (i - reach)) / RATE),
      0,
    );
    taps.forEach((tap, i) => (filters[row * TAPS + middle - reach + i] = tap / gain));
  }
  return filters;
}

/** Impulse response of the ideal low-pass. @param cutoff cycles per sample */
function lowPass(cutoff: number, n: number): number {
  return n === 0 ? 2 * cutoff : Math.sin(2 * Math.PI * cutoff * n) / (Math.PI * n);
}
