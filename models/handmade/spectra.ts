import type { GraphBuilder, Value } from '../onnx/builder.ts';
import { numbersIn, type FeatureGroup } from './handmade-space.ts';

/** How a waveform is cut into frames. */
export interface Framing {
  /** Samples per frame under a periodic Hann window: a power of two. */
  size: number;
  /** Samples from one frame to the next. */
  hop: number;
  /** Frames lie around `t · hop`, with silence beyond the ends; otherwise only whole frames count. */
  centred: boolean;
}

/** Frames of a window of that many samples. */
export function frameCount(samples: number, { size, hop, centred }: Framing): number {
  return 1 + Math.floor((centred ? samples : samples - size) / hop);
}

/**
 * Power spectra `[batch, frames, size/2 + 1]` of `waveform [batch, samples]`, scaled so that a full-scale sine has about
 * the power 1 in its bin.
 */
export function powerSpectra(g: GraphBuilder, waveform: Value, samples: number, framing: Framing): Value {
  const { size } = framing;
  const frames = frameCount(samples, framing);
  g.section('spectrum');
  // Hann windows sum to half their length, and a real sine has half its amplitude at each sign of its frequency.
  const window = Float32Array.from(
    { length: size },
    (_, n) => (4 / size) * (0.5 - 0.5 * Math.cos((2 * Math.PI * n) / size)),
  );
  const cut = g.mul(framesOf(g, waveform, samples, framing), g.weight('window', [size], window));
  const spectrum = dft(g, g.unsqueeze(cut, [3]), ['batch', frames, size / 2 + 1, 2], 2, { onesided: true });
  const power = g.reduceSum(g.mul(spectrum, spectrum), [3], false);
  g.section('');
  return power;
}

/** A Fourier transform along `axis` of values whose last axis is 1 (real) or 2 (real and imaginary part). */
export function dft(
  g: GraphBuilder,
  values: Value,
  shape: readonly (number | string)[],
  axis: number,
  { inverse = false, onesided = false }: { inverse?: boolean; onesided?: boolean } = {},
): Value {
  const inputs = [values, null, g.integers([axis], [])];
  return g.call('DFT', inputs, { inverse, onesided }, { types: ['float32'], shapes: [shape] })[0];
}

/** Blocks of `hop` samples, side by side with as many of their successors as a frame needs. */
function framesOf(g: GraphBuilder, waveform: Value, samples: number, framing: Framing): Value {
  const { size, hop, centred } = framing;
  const frames = frameCount(samples, framing);
  const reach = Math.ceil(size / hop);
  const before = centred ? size / 2 : 0;
  const wanted = (frames - 1 + reach) * hop;
  const after = Math.max(0, wanted - before - samples);
  const padded = g.op('Pad', [waveform, g.integers([0, before, 0, after])]);
  const blocks = g.reshape(g.slice(padded, 0, wanted, 1), [-1, frames - 1 + reach, hop]);
  const shifted = Array.from({ length: reach }, (_, i) => g.slice(blocks, i, i + frames, 1));
  return g.slice(g.concat(shifted, 2), 0, size, 2);
}

/**
 * Means, then standard deviations, `[batch, 2 · width]` of the rows `[batch, frames, width]` where `heard [batch, frames,
 * 1]` is 1; of all of them where it is 1 nowhere.
 */
export function meanAndDeviation(g: GraphBuilder, rows: Value, heard: Value): Value {
  g.section('statistics');
  const any = g.reduceSum(heard, [1], true);
  const weights = g.where(g.greater(any, 0), heard, 1);
  const count = g.reduceSum(weights, [1], true);
  const mean = g.div(g.reduceSum(g.mul(rows, weights), [1], true), count);
  const away = g.sub(rows, mean);
  const variance = g.div(g.reduceSum(g.mul(g.mul(away, away), weights), [1], true), count);
  const both = g.squeeze(g.concat([mean, g.sqrt(variance)], 2), [1]);
  g.section('');
  return both;
}

/** What {@link meanAndDeviation} of rows of that width is made of. */
export const statisticsGroups = (width: number): FeatureGroup[] => [
  { name: 'means', dims: numbersIn(0, width) },
  { name: 'deviations', dims: numbersIn(width, 2 * width) },
];

/** 1 where a row `[batch, frames, width]` has a value above the threshold, else 0: `[batch, frames, 1]`. */
export function isHeard(g: GraphBuilder, rows: Value, threshold: number): Value {
  const loudest = g.op('ReduceMax', [rows, g.integers([2])], { keepdims: true });
  return g.where(g.greater(loudest, threshold), 1, 0);
}
