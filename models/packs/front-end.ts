import { LogBands, type LogBandsSettings } from '../audio/log-bands.ts';
import { parseModel, type ModelMessage } from '../onnx/proto.ts';
import { floatsOf } from '../onnx/quantise-int8.ts';
import type { PackManifest } from './manifest.ts';
import { testWaveforms } from './test-waveforms.ts';

/**
 * Largest difference from the graph's features at which they count as the same, in standard deviations of a band. The
 * graph's own rounding reaches a tenth of it; what another window or another bank would give is off by far more.
 */
const LARGEST_DIFFERENCE = 2e-4;

/**
 * The front-end of a pack as a kernel, if its `features` graph is one that {@link LogBands} computes: recognised by the
 * tables it holds, and believed only after both gave the same on test sounds.
 * @param graph the bytes of the graph · @param run runs it
 */
export async function kernelFrontEnd(
  graph: Uint8Array,
  manifest: PackManifest,
  run: (waveforms: Float32Array, batch: number) => Promise<Float32Array>,
): Promise<LogBands | null> {
  const settings = logBandsSettings(parseModel(graph), manifest);
  if (settings === null) return null;
  const kernel = new LogBands(settings, manifest.windowSamples);
  const waveforms = testWaveforms(manifest);
  // Silence and the step out of it are where the logarithm's floor counts.
  waveforms.fill(0, 0, manifest.windowSamples >> 1);
  const batch = waveforms.length / manifest.windowSamples;
  const found = kernel.run(waveforms, batch);
  const wanted = await run(waveforms, batch);
  const same =
    found.length === wanted.length &&
    // Written so that NaN counts as different.
    found.every((value, i) => Math.abs(value - (wanted[i] ?? NaN)) <= LARGEST_DIFFERENCE);
  return same ? kernel : null;
}

/** The settings of a log-band front-end as `models/training/features.py` exports it; null where it is another one. */
function logBandsSettings({ graph }: ModelMessage, manifest: PackManifest): LogBandsSettings | null {
  const tables = new Map(graph.initializer.map((tensor) => [tensor.name, tensor]));
  const table = (name: string): Float32Array | null => {
    const tensor = tables.get(name);
    return tensor === undefined ? null : floatsOf(tensor);
  };
  const [window, mean, deviation] = [table('window'), table('mean'), table('std')];
  const [bins, low, middle, high] = [
    table('bank.bins'),
    table('bank.low'),
    table('bank.middle'),
    table('bank.high'),
  ];
  const [tiny, floor] = [addedBefore(graph, 'Sqrt'), addedBefore(graph, 'Log')];
  if (!window || !mean || !deviation || !bins || !low || !middle || !high) return null;
  if (tiny === null || floor === null) return null;
  const hop = manifest.windowSamples / manifest.framesPerWindow;
  const size = window.length;
  const bands = mean.length;
  const fits =
    size >= 16 &&
    Number.isInteger(Math.log2(size)) &&
    Number.isInteger(hop) &&
    hop <= size &&
    bins.length === size / 2 + 1 &&
    bands === manifest.featureDim &&
    [deviation, low, middle, high].every((corner) => corner.length === bands);
  if (!fits) return null;
  return { window, hop, bank: triangles(bins, low, middle, high), tiny, floor, mean, deviation };
}

/** Triangles over the bins, `[bins, bands]`, each summing to 1, in the graph's own float32 steps. */
function triangles(
  bins: Float32Array,
  low: Float32Array,
  middle: Float32Array,
  high: Float32Array,
): Float32Array {
  const bands = low.length;
  const bank = new Float32Array(bins.length * bands);
  const { fround } = Math;
  for (let band = 0; band < bands; band++) {
    const [start, top, end] = [low[band] ?? 0, middle[band] ?? 0, high[band] ?? 0];
    let sum = 0;
    for (const [bin, hz] of bins.entries()) {
      const rise = fround(fround(hz - start) / fround(top - start));
      const fall = fround(fround(end - hz) / fround(end - top));
      const share = Math.max(0, Math.min(rise, fall));
      bank[bin * bands + band] = share;
      sum += share;
    }
    for (let bin = 0; bin < bins.length; bin++)
      bank[bin * bands + band] = (bank[bin * bands + band] ?? 0) / fround(sum);
  }
  return bank;
}

/** The one number that is added to what the only node of a kind takes. */
function addedBefore({ node }: ModelMessage['graph'], opType: string): number | null {
  const [taker, another] = node.filter((candidate) => candidate.opType === opType);
  if (taker === undefined || another !== undefined) return null;
  const add = node.find(({ output }) => output[0] === taker.input[0]);
  if (add?.opType !== 'Add') return null;
  const constants = node.filter(
    ({ opType: type, output }) => type === 'Constant' && add.input.includes(output[0] ?? ''),
  );
  const value = constants[0]?.attribute.find(({ name }) => name === 'value')?.t;
  return value?.rawData.length === 4 ? (floatsOf(value)[0] ?? null) : null;
}
