import { melScales } from '../../audio/mel-scale.ts';
import { GraphBuilder, type Value } from '../builder.ts';

/** How loudness is compressed. `E` is what a band holds. */
export type Compression =
  | { kind: 'none' }
  /** `log(gain · E + offset)`, natural or to the base of ten. */
  | { kind: 'log'; base: 'e' | '10'; gain: number; offset: number }
  /** `10 · log10(max(E, floor))`, re the loudest of the window, no lower than `−range`. */
  | { kind: 'decibels'; floor: number; range: number };

/** A mel front-end, as networks for music are trained on: everything that differs between them. */
export interface MelBandsSettings {
  /** Hz */
  sampleRate: number;
  /** Samples under the window. */
  frame: number;
  /** Samples that are transformed: the frame, followed by zeros. */
  fft: number;
  /** Samples from one frame to the next. */
  hop: number;
  /** A symmetric Hann window ends with the zero that a periodic one leaves out. */
  hann: 'symmetric' | 'periodic';
  spectrum: 'power' | 'magnitude';
  bands: number;
  /** Hz: where the lowest band begins, and the highest ends. */
  lowHz: number;
  highHz: number;
  scale: keyof typeof melScales;
  /** On which scale the sides of the triangles are straight. */
  sides: 'hz' | 'mel';
  /** `area`: a triangle over hertz has the area 1. `peak`: its top is 1. */
  weights: 'area' | 'peak';
  compression: Compression;
  /** `(value − shift) / divisor`, at last. */
  shift: number;
  divisor: number;
  /** What is before the first sample: with `none` the first frame begins there, otherwise its middle lies there. */
  edges: 'zeros' | 'reflect' | 'none';
}

/** Samples that give exactly so many frames. */
export function samplesOfFrames({ frame, hop, edges }: MelBandsSettings, frames: number): number {
  // A centred frame counts while its middle lies within the sound.
  return edges === 'none' ? (frames - 1) * hop + frame : frames * hop;
}

/**
 * The front-end as a pack's `features` graph: `waveform [batch, samples]` → `features [batch, frames, bands]`. The same
 * settings give the same bytes.
 */
export function melBandsGraph(settings: MelBandsSettings, frames: number): Uint8Array {
  const { bands, fft, shift, divisor } = settings;
  const bins = fft / 2 + 1;
  const samples = samplesOfFrames(settings, frames);
  const g = new GraphBuilder('mel-bands');
  const waveform = g.input('waveform', 'float32', ['batch', samples]);
  const spectrum = spectra(g, cut(g, waveform, settings, frames, samples), settings, frames);
  g.section('bands');
  const energies = g.matMul(spectrum, g.weight('bank', [bins, bands], melTriangles(settings)));
  const values = compressed(g, energies, settings.compression);
  const features = shift === 0 && divisor === 1 ? values : g.div(g.sub(values, shift), divisor);
  g.section('');
  g.output('features', features, ['batch', frames, bands]);
  return g.build();
}

/** Frames `[batch, frames, frame]`: blocks of a hop, side by side with as many of their successors as a frame needs. */
function cut(
  g: GraphBuilder,
  waveform: Value,
  { frame, hop, edges }: MelBandsSettings,
  frames: number,
  samples: number,
): Value {
  g.section('frames');
  const reach = Math.ceil(frame / hop);
  const before = edges === 'none' ? 0 : frame >> 1;
  const end = (frames - 1) * hop + frame;
  const reflected =
    edges === 'reflect'
      ? g.op('Pad', [waveform, g.integers([0, before, 0, Math.max(0, end - before - samples)])], {
          mode: 'reflect',
        })
      : waveform;
  const wanted = (frames - 1 + reach) * hop;
  const have = edges === 'reflect' ? Math.max(end, samples + before) : samples;
  const lead = edges === 'zeros' ? before : 0;
  const padded = g.op('Pad', [reflected, g.integers([0, lead, 0, Math.max(0, wanted - lead - have)])]);
  const blocks = g.reshape(g.slice(padded, 0, wanted, 1), [-1, frames - 1 + reach, hop]);
  const shifted = Array.from({ length: reach }, (_, i) => g.slice(blocks, i, i + frames, 1));
  return g.slice(g.concat(shifted, 2), 0, frame, 2);
}

/** `[batch, frames, bins]`, not scaled. */
function spectra(g: GraphBuilder, cutFrames: Value, settings: MelBandsSettings, frames: number): Value {
  const { frame, fft, hann, spectrum } = settings;
  g.section('spectrum');
  const period = hann === 'symmetric' ? frame - 1 : frame;
  const window = Float32Array.from(
    { length: frame },
    (_, n) => 0.5 - 0.5 * Math.cos((2 * Math.PI * n) / period),
  );
  const windowed = g.unsqueeze(g.mul(cutFrames, g.weight('window', [frame], window)), [3]);
  const inputs = [windowed, g.integers([fft], []), g.integers([2], [])];
  const shapes = [['batch', frames, fft / 2 + 1, 2]];
  const parts = g.call('DFT', inputs, { onesided: true }, { types: ['float32'], shapes })[0];
  const power = g.reduceSum(g.mul(parts, parts), [3], false);
  return spectrum === 'power' ? power : g.sqrt(power);
}

function compressed(g: GraphBuilder, energies: Value, compression: Compression): Value {
  switch (compression.kind) {
    case 'none':
      return energies;
    case 'log': {
      const logs = g.log(g.add(g.mul(energies, compression.gain), compression.offset));
      return compression.base === 'e' ? logs : g.div(logs, Math.LN10);
    }
    case 'decibels': {
      const levels = g.mul(g.log(g.max(energies, compression.floor)), 10 / Math.LN10);
      const loudest = g.op('ReduceMax', [levels, g.integers([1, 2])], { keepdims: true });
      return g.max(g.sub(levels, loudest), -compression.range);
    }
  }
}

/** The triangles, `[bins, bands]`. */
export function melTriangles(settings: MelBandsSettings): Float32Array {
  const { bands, fft, sampleRate, lowHz, highHz, scale, sides, weights } = settings;
  const { mel, hz } = melScales[scale];
  const bins = fft / 2 + 1;
  const [low, high] = [mel(lowHz), mel(highHz)];
  const edges = Array.from({ length: bands + 2 }, (_, i) => low + ((high - low) * i) / (bands + 1));
  const onSide = (melValue: number): number => (sides === 'mel' ? melValue : hz(melValue));
  const bank = new Float32Array(bins * bands);
  for (let band = 0; band < bands; band++) {
    const [left = 0, top = 0, right = 0] = edges.slice(band, band + 3);
    const scaled = weights === 'peak' ? 1 : 2 / (hz(right) - hz(left));
    const [start, middle, end] = [onSide(left), onSide(top), onSide(right)];
    for (let bin = 0; bin < bins; bin++) {
      const frequency = (bin * sampleRate) / fft;
      const at = sides === 'mel' ? mel(frequency) : frequency;
      const share = Math.min((at - start) / (middle - start), (end - at) / (end - middle));
      bank[bin * bands + band] = scaled * Math.max(0, share);
    }
  }
  return bank;
}
