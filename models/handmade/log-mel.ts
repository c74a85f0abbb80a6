import { melBank } from '../audio/mel-bank.ts';
import { GraphBuilder, type Value } from '../onnx/builder.ts';
import { numbersIn, type HandmadeSpace } from './handmade-space.ts';
import {
  frameCount,
  isHeard,
  meanAndDeviation,
  powerSpectra,
  statisticsGroups,
  type Framing,
} from './spectra.ts';

const SAMPLE_RATE = 24_000;
const SAMPLES = 4 * SAMPLE_RATE;
const FRAMING: Framing = { size: 1024, hop: 480, centred: true };
const FRAMES = frameCount(SAMPLES, FRAMING);
const BANDS = 128;
/** Added to band magnitudes before the logarithm: −80 dB re a full-scale sine. */
const FLOOR = 1e-4;
/** ln units above digital silence from which a frame counts as heard. */
const HEARD = 0.05;
const COEFFICIENTS = 20;
/** Frames on each side of the regression that estimates Δ. */
const DELTA_REACH = 4;

const frames = {
  sampleRate: SAMPLE_RATE,
  windowSeconds: 4,
  frameRate: SAMPLE_RATE / FRAMING.hop,
};

/** Mean and deviation of 128 log-mel bands over the audible frames. */
export const logMelSpace: HandmadeSpace = {
  id: 'log-mel',
  title: 'Log-mel bands',
  says: 'Mean and standard deviation of 128 log-mel bands over the audible frames of a window.',
  ...frames,
  featureDim: BANDS,
  embeddingDim: 2 * BANDS,
  groups: statisticsGroups(BANDS),
  graphFile: {
    sha256: 'a8ad00e672aac075052f3279115f35b5fbf36bc4f290f31e455e512e0cfb8133',
    bytes: 269_801,
  },
  graph: () => {
    const { g, logs, heard } = logMel('log-mel');
    g.output('z', meanAndDeviation(g, logs, heard), ['batch', 2 * BANDS]);
    return g.build();
  },
};

/** Mean and deviation of 20 MFCC and their Δ over the audible frames. */
export const mfccSpace: HandmadeSpace = {
  id: 'mfcc',
  title: 'MFCC and Δ',
  says: 'Mean and standard deviation of 20 mel-frequency cepstral coefficients and their Δ over the audible frames of a window.',
  ...frames,
  featureDim: 2 * COEFFICIENTS,
  embeddingDim: 4 * COEFFICIENTS,
  // Means of both, then deviations of both.
  groups: ['coefficients', 'Δ'].map((name, part) => ({
    name,
    dims: [part, part + 2].flatMap((block) => numbersIn(block * COEFFICIENTS, (block + 1) * COEFFICIENTS)),
  })),
  graphFile: {
    sha256: '484302ff214c8a9a543a063c5ddf950d4cdfa5b840f35d2cb5d70c5b4023605c',
    bytes: 441_892,
  },
  graph: () => {
    const { g, logs, heard } = logMel('mfcc');
    g.section('cepstrum');
    const cepstra = g.matMul(logs, g.weight('cosines', [BANDS, COEFFICIENTS], cosines()));
    const slopes = g.matMul(g.weight('slopes', [FRAMES, FRAMES], slopeMatrix()), cepstra);
    const both = g.concat([cepstra, slopes], 2);
    g.output('z', meanAndDeviation(g, both, heard), ['batch', 4 * COEFFICIENTS]);
    return g.build();
  },
};

function logMel(name: string): { g: GraphBuilder; logs: Value; heard: Value } {
  const g = new GraphBuilder(name);
  const waveform = g.input('waveform', 'float32', ['batch', SAMPLES]);
  const magnitudes = g.sqrt(powerSpectra(g, waveform, SAMPLES, FRAMING));
  g.section('bands');
  const { bins, weights } = melBank(BANDS, FRAMING.size, SAMPLE_RATE);
  const bank = g.transpose(g.weight('bank', [BANDS, bins], weights), [1, 0]);
  const logs = g.log(g.add(g.matMul(magnitudes, bank), FLOOR));
  const heard = isHeard(g, logs, Math.log(FLOOR) + HEARD);
  g.section('');
  return { g, logs, heard };
}

/** Orthonormal DCT-II, `[bands, coefficients]`. */
function cosines(): Float32Array {
  return Float32Array.from({ length: BANDS * COEFFICIENTS }, (_, i) => {
    const [band, c] = [Math.floor(i / COEFFICIENTS), i % COEFFICIENTS];
    return Math.sqrt((c === 0 ? 1 : 2) / BANDS) * Math.cos((Math.PI * c * (band + 0.5)) / BANDS);
  });
}

/** `[frames, frames]`: the slope of a regression line over ±4 frames; the first and last frame are repeated. */
function slopeMatrix(): Float32Array {
  const matrix = new Float32Array(FRAMES * FRAMES);
  let norm = 0;
  for (let j = 1; j <= DELTA_REACH; j++) norm += 2 * j * j;
  for (let t = 0; t < FRAMES; t++)
    for (let j = -DELTA_REACH; j <= DELTA_REACH; j++) {
      const at = t * FRAMES + Math.max(0, Math.min(FRAMES - 1, t + j));
      matrix[at] = (matrix[at] ?? 0) + j / norm;
    }
  return matrix;
}
