import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GraphBuilder, type Value } from '../../models/onnx/builder.ts';
import type { GraphName } from '../../models/packs/manifest.ts';
import { Random } from '../../models/numerics/random.ts';

/** Sizes of the tiny pack; half a second per window. */
export const TINY = { sampleRate: 8000, S: 4000, T: 25, F: 24, D: 32 } as const;
const HOP = TINY.S / TINY.T;
const KERNEL = 256;
/** Features are (ln energy + 6) / 4, which keeps them within about −2 … 1.5. */
const OFFSET = 6;
const SCALE = 4;

/** Options of {@link writeTinyPack}. */
export interface TinyPackOptions {
  /** Fixes every random weight. */
  seed: number;
  /** Default `tiny`. */
  id?: string;
  /** Default `generative`. */
  kind?: 'generative' | 'embedding-only';
  /** Also writes the fused graph; default false. */
  fused?: boolean;
  /** Default 4, so that tests are fast. */
  steps?: number;
  /** How many sounds are drawn of a vector, of which the best is kept; default one. None is good enough to stop at. */
  candidates?: number;
  /** Graphs to write instead of the real ones, for tests of packs that do not keep their promises. */
  replace?: Partial<Record<GraphName, Uint8Array>>;
}

/**
 * Writes a small but honest generative pack into `folder`, for tests of everything above the packs: its features are
 * log energies of 24 bands, its embedding a random rotation of their mean over time (so sounds of different spectrum
 * lie apart), its denoiser leads to the spectrum a vector stands for, and its decoder is a bank of sines. Embedding a
 * window takes well under a millisecond.
 * @returns the folder
 */
export async function writeTinyPack(folder: string, options: TinyPackOptions): Promise<string> {
  const {
    seed,
    id = 'tiny',
    kind = 'generative',
    fused = false,
    steps = 4,
    candidates,
    replace = {},
  } = options;
  const projection = orthonormalRows(TINY.F, TINY.D, new Random(seed));
  const files = new Map<GraphName, Uint8Array>([
    ['features', featuresGraph()],
    ['encoder', encoderGraph(projection)],
    ['summary', summaryGraph()],
  ]);
  if (kind === 'generative') {
    files.set('denoiser', denoiserGraph(projection, new Random(seed + 1)));
    files.set('decoder', decoderGraph());
  }
  if (fused) files.set('embed', embedGraph(projection));
  for (const [name, bytes] of Object.entries(replace)) files.set(name as GraphName, bytes);

  await mkdir(folder, { recursive: true });
  const graphs: Record<string, { file: string; sha256: string; bytes: number }> = {};
  for (const [name, bytes] of files) {
    const file = `${name}.onnx`;
    await writeFile(join(folder, file), bytes);
    graphs[name] = { file, sha256: createHash('sha256').update(bytes).digest('hex'), bytes: bytes.length };
  }
  const manifest = {
    schema: 'archetone.pack/1',
    id,
    version: '1.0.0',
    title: 'Tiny test pack',
    kind,
    licence: 'CC0-1.0',
    attribution: 'The Archetone developers',
    sampleRate: TINY.sampleRate,
    windowSeconds: TINY.S / TINY.sampleRate,
    windowSamples: TINY.S,
    frameRate: TINY.sampleRate / HOP,
    framesPerWindow: TINY.T,
    featureDim: TINY.F,
    embeddingDim: TINY.D,
    ...(kind === 'generative'
      ? {
          sampler: {
            ...{ steps, guidance: 0.1, initialNoise: 1 },
            ...(candidates === undefined ? {} : { candidates, accept: 1 }),
          },
        }
      : {}),
    trainingData: { statement: 'None: the weights are random or computed.', hours: 0 },
    graphs,
    quality: {},
  };
  await writeFile(join(folder, 'pack.json'), JSON.stringify(manifest, null, 2));
  return folder;
}

/** Centre frequencies in Hz: whole multiples of the frame rate, so that a sine goes on smoothly from frame to frame. */
export function tinyBands(): number[] {
  const step = TINY.sampleRate / HOP;
  const bands: number[] = [];
  for (let i = 0; i < TINY.F; i++) {
    const wanted = Math.round(2 * (78 / 2) ** (i / (TINY.F - 1)));
    bands.push(Math.max(wanted, (bands.at(-1) ?? 0) + 1));
  }
  return bands.map((multiple) => step * multiple);
}

function featuresGraph(): Uint8Array {
  const g = new GraphBuilder('tiny-features');
  const waveform = g.input('waveform', 'float32', ['batch', TINY.S]);
  g.output('features', features(g, waveform), ['batch', TINY.T, TINY.F]);
  return g.build();
}

function encoderGraph(projection: Float32Array): Uint8Array {
  const g = new GraphBuilder('tiny-encoder');
  const input = g.input('features', 'float32', ['batch', TINY.T, TINY.F]);
  g.output('hidden', encode(g, input, projection), ['batch', TINY.T, TINY.D]);
  return g.build();
}

function summaryGraph(): Uint8Array {
  const g = new GraphBuilder('tiny-summary');
  const hidden = g.input('hidden', 'float32', ['batch', TINY.T, TINY.D]);
  g.output('z', summarise(g, hidden), ['batch', TINY.D]);
  return g.build();
}

function embedGraph(projection: Float32Array): Uint8Array {
  const g = new GraphBuilder('tiny-embed');
  const waveform = g.input('waveform', 'float32', ['batch', TINY.S]);
  const hidden = encode(g, features(g, waveform), projection);
  g.output('z', summarise(g, hidden), ['batch', TINY.D]);
  return g.build();
}

/** Windowed sine and cosine per band → energy → logarithm. */
function features(g: GraphBuilder, waveform: Value): Value {
  const bands = tinyBands();
  const hann = Float64Array.from(
    { length: KERNEL },
    (_, n) => 0.5 - 0.5 * Math.cos((2 * Math.PI * n) / KERNEL),
  );
  const gain = 2 / hann.reduce((a, b) => a + b, 0);
  const kernels = bands.flatMap((hz) =>
    [Math.cos, Math.sin].flatMap((wave) =>
      Array.from(hann, (h, n) => gain * h * wave((2 * Math.PI * hz * n) / TINY.sampleRate)),
    ),
  );
  const pairs = bands.flatMap((_, i) => bands.flatMap((__, j) => (i === j ? [1, 1] : [0, 0])));
  const padding = (KERNEL - HOP) / 2;
  const parts = g.op('Conv', [g.unsqueeze(waveform, [1]), g.floats(kernels, [2 * TINY.F, 1, KERNEL])], {
    strides: [HOP],
    pads: [padding, padding],
  });
  const energy = g.op('Conv', [g.mul(parts, parts), g.floats(pairs, [TINY.F, 2 * TINY.F, 1])]);
  return g.transpose(g.div(g.add(g.log(g.add(energy, 1e-6)), OFFSET), SCALE), [0, 2, 1]);
}

function encode(g: GraphBuilder, frames: Value, projection: Float32Array): Value {
  return g.matMul(frames, g.floats(projection, [TINY.F, TINY.D]));
}

function summarise(g: GraphBuilder, hidden: Value): Value {
  return g.reduceMean(hidden, [1], false);
}

/**
 * The exact velocity `(αx − target) / β` towards the mean spectrum that z was made from, disturbed by a little that
 * depends on x, so that seeds are heard. Without z (all zeros) it leads to the middle of the feature range.
 */
function denoiserGraph(projection: Float32Array, random: Random): Uint8Array {
  const g = new GraphBuilder('tiny-denoiser');
  const x = g.input('features', 'float32', ['batch', TINY.T, TINY.F]);
  const sigma = g.input('sigma', 'float32', ['batch']);
  const z = g.input('z', 'float32', ['batch', TINY.D]);
  const spectrum = g.unsqueeze(g.gemm(z, g.floats(projection, [TINY.F, TINY.D]), { transB: true }), [1]);
  const colour = g.floats(
    random.normals(TINY.F * TINY.F).map((w) => w / Math.sqrt(TINY.F)),
    [TINY.F, TINY.F],
  );
  const target = g.add(spectrum, g.mul(g.op('Tanh', [g.matMul(x, colour)]), 0.1));
  const angle = g.mul(g.unsqueeze(sigma, [1, 2]), Math.PI / 2);
  const v = g.div(g.sub(g.mul(g.op('Cos', [angle]), x), target), g.max(g.op('Sin', [angle]), 1e-3));
  g.output('v', v, ['batch', TINY.T, TINY.F]);
  return g.build();
}

/** A bank of sines with the amplitudes that the features name. */
function decoderGraph(): Uint8Array {
  const g = new GraphBuilder('tiny-decoder');
  const frames = g.input('features', 'float32', ['batch', TINY.T, TINY.F]);
  const energy = g.op('Clip', [g.sub(g.mul(frames, SCALE), OFFSET), g.scalar(-20), g.scalar(0)]);
  const amplitude = g.transpose(g.exp(g.mul(energy, 0.5)), [0, 2, 1]);
  const sines = tinyBands().flatMap((hz) =>
    Array.from({ length: HOP }, (_, n) => Math.sin((2 * Math.PI * hz * n) / TINY.sampleRate)),
  );
  const wave = g.op('ConvTranspose', [amplitude, g.floats(sines, [TINY.F, 1, HOP])], { strides: [HOP] });
  g.output('waveform', g.op('Squeeze', [wave, g.integers([1])]), ['batch', TINY.S]);
  return g.build();
}

/** `rows × columns` with orthonormal rows, by Gram–Schmidt on normal numbers. */
function orthonormalRows(rows: number, columns: number, random: Random): Float32Array {
  const basis: Float64Array[] = [];
  while (basis.length < rows) {
    const row = Float64Array.from(random.normals(columns));
    for (const other of basis) {
      const overlap = row.reduce((sum, value, i) => sum + value * (other[i] ?? 0), 0);
      other.forEach((value, i) => (row[i] = (row[i] ?? 0) - overlap * value));
    }
    const norm = Math.hypot(...row);
    if (norm > 1e-3) basis.push(row.map((value) => value / norm));
  }
  return Float32Array.from(basis.flatMap((row) => [...row]));
}
