import { GraphBuilder } from '../onnx/builder.ts';
import {
  ENVELOPE_RATE,
  MODULATION_RATES,
  MOST_REACH,
  octaveFilter,
  type ModulationFilter,
} from '../modulation/filters.ts';
import { CARRIER_BANDS, FRAME, HOP, SAMPLE_RATE, carrierBank } from '../modulation/spectra.ts';
import { numbersIn, type HandmadeSpace } from './handmade-space.ts';
import { frameCount, powerSpectra, type Framing } from './spectra.ts';

const SAMPLES = 4 * SAMPLE_RATE;
const FRAMING: Framing = { size: FRAME, hop: HOP, centred: false };
const FRAMES = frameCount(SAMPLES, FRAMING);
const BANDS = CARRIER_BANDS;
const CENTRES = MODULATION_RATES;
const TAPS = 2 * MOST_REACH + 1;
/** Level of a band that counts as silence, re a full-scale sine: −100 dB. */
const SILENT = 1e-5;
/** Modulation that counts as none. */
const STEADY = 1e-3;

/** How a window is looked at, whichever filters there are. */
export const modulationWindow = {
  sampleRate: SAMPLE_RATE,
  windowSeconds: 4,
  frameRate: ENVELOPE_RATE,
  featureDim: BANDS,
} as const;

/** Numbers of a vector by so many filters: what passes each of them in every band, and the level of the band. */
export const modulationDim = (filters: number): number => BANDS * (filters + 1);

/**
 * How fast the bands of a sound swell and fade (after Vahidi, Saitis, Fazekas 2021, arXiv 2105.11836, with fixed filters):
 * 40 mel bands × RMS of their envelopes in eight octaves around 0.5 … 64 Hz, relative to the band's mean, and the mean
 * levels relative to each other. Independent of gain.
 */
export const modulationSpace: HandmadeSpace = {
  id: 'modulation',
  title: 'Modulation spectrum',
  says: 'How fast 40 mel bands swell and fade: the modulation of each envelope in eight octaves from 0.5 to 64 Hz, and the levels of the bands relative to each other.',
  ...modulationWindow,
  embeddingDim: modulationDim(CENTRES.length),
  // Band by band, each rate of it and then its level.
  groups: [...CENTRES.map((rate) => `${rate} Hz`), 'levels'].map((name, column, { length }) => ({
    name,
    dims: numbersIn(0, BANDS).map((band) => band * length + column),
  })),
  graphFile: {
    sha256: '8fd77259d3d8b14cbbb425c2dc2a55fec6d6f63e9be7606475c76e61c337353c',
    bytes: 50_435,
  },
  graph: () => modulationGraph('modulation', CENTRES.map(octaveFilter)),
};

/**
 * `waveform [batch, samples]` → `z [batch, bands · (filters + 1)]`, band by band what passes each filter and then its level; the
 * same bytes for the same filters.
 */
export function modulationGraph(name: string, filters: readonly ModulationFilter[]): Uint8Array {
  const count = filters.length;
  const g = new GraphBuilder(name);
  const waveform = g.input('waveform', 'float32', ['batch', SAMPLES]);
  const magnitudes = g.sqrt(powerSpectra(g, waveform, SAMPLES, FRAMING));
  g.section('envelopes');
  const { bins, weights } = carrierBank();
  // [batch, bands, frames]
  const envelopes = g.matMul(g.weight('bank', [BANDS, bins], weights), g.transpose(magnitudes, [0, 2, 1]));
  const level = g.reduceMean(envelopes, [2], true);
  const swing = g.div(g.sub(envelopes, level), g.add(level, SILENT));
  g.section('modulation');
  const taps = g.weight('filters', [count, 1, TAPS], tapsOf(filters));
  const rows = g.reshape(swing, [-1, 1, FRAMES]);
  const filtered = g.op('Conv', [rows, taps], { kernel_shape: [TAPS], pads: [MOST_REACH, MOST_REACH] });
  const depth = g.sqrt(g.reduceMean(g.mul(filtered, filtered), [2], false));
  const modulation = g.reshape(g.log(g.add(depth, STEADY)), [-1, BANDS, count]);
  const logLevel = g.log(g.add(level, SILENT));
  const balance = g.sub(logLevel, g.reduceMean(logLevel, [1], true));
  const z = g.reshape(g.concat([modulation, balance], 2), [-1, modulationDim(count)]);
  g.section('');
  g.output('z', z, ['batch', modulationDim(count)]);
  return g.build();
}

/** Filters `[filters, taps]`, each in the middle of its row. */
function tapsOf(filters: readonly ModulationFilter[]): Float32Array {
  const rows = new Float32Array(filters.length * TAPS);
  for (const [row, { reach, taps }] of filters.entries()) rows.set(taps, row * TAPS + MOST_REACH - reach);
  return rows;
}
