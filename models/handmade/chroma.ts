import { GraphBuilder } from '../onnx/builder.ts';
import type { HandmadeSpace } from './handmade-space.ts';
import { isHeard, meanAndDeviation, powerSpectra, statisticsGroups, type Framing } from './spectra.ts';

const SAMPLE_RATE = 24_000;
const SAMPLES = 4 * SAMPLE_RATE;
const FRAMING: Framing = { size: 4096, hop: 960, centred: true };
const CLASSES = 12;
/** Octave (A0 = 0) that counts most, and the deviation of the bell over octaves. */
const CENTRE_OCTAVE = 5;
const OCTAVE_WIDTH = 2;
/** Chroma that counts as silence: −80 dB of power. */
const SILENT = 1e-8;

/** Mean and deviation of the twelve pitch classes over the audible frames, each frame scaled to its strongest class. */
export const chromaSpace: HandmadeSpace = {
  id: 'chroma',
  title: 'Chroma',
  says: 'Mean and standard deviation of the energy of the twelve pitch classes, C first, over the audible frames of a window, each frame relative to its strongest class.',
  sampleRate: SAMPLE_RATE,
  windowSeconds: 4,
  frameRate: SAMPLE_RATE / FRAMING.hop,
  featureDim: CLASSES,
  embeddingDim: 2 * CLASSES,
  groups: statisticsGroups(CLASSES),
  graphFile: {
    sha256: '9f9c9a7b41ec1c20bdccfed8d0210acf0541cb62b85e8509811a13e1c196a1d2',
    bytes: 118_026,
  },
  graph: () => {
    const g = new GraphBuilder('chroma');
    const waveform = g.input('waveform', 'float32', ['batch', SAMPLES]);
    const power = powerSpectra(g, waveform, SAMPLES, FRAMING);
    g.section('classes');
    const bins = FRAMING.size / 2 + 1;
    const raw = g.matMul(power, g.weight('bank', [bins, CLASSES], chromaBank()));
    const strongest = g.op('ReduceMax', [raw, g.integers([2])], { keepdims: true });
    const chroma = g.div(raw, g.max(strongest, SILENT));
    const heard = isHeard(g, raw, SILENT);
    g.section('');
    g.output('z', meanAndDeviation(g, chroma, heard), ['batch', 2 * CLASSES]);
    return g.build();
  },
};

/**
 * `[bins, 12]`: how much a bin counts for each pitch class, a bell around its own pitch (D. Ellis, 2007), as librosa's
 * `filters.chroma` computes it for a tuning of 440 Hz.
 */
function chromaBank(): Float32Array {
  const { size } = FRAMING;
  const pitch = Array.from(
    { length: size },
    (_, k) => CLASSES * Math.log2((k * SAMPLE_RATE) / size / (440 / 16)),
  );
  // The bin of 0 Hz stands an octave and a half below the next one.
  pitch[0] = (pitch[1] ?? 0) - 1.5 * CLASSES;
  const bank = new Float32Array((size / 2 + 1) * CLASSES);
  for (let k = 0; k <= size / 2; k++) {
    const own = pitch[k] ?? 0;
    const width = Math.max(1, (pitch[k + 1] ?? own + 1) - own);
    // Classes count from A in the formula and from C in the result.
    const bells = Array.from({ length: CLASSES }, (_, c) => {
      const away = own - ((c + 3) % CLASSES);
      const folded = away - CLASSES * Math.floor((away + CLASSES / 2) / CLASSES);
      return Math.exp(-0.5 * ((2 * folded) / width) ** 2);
    });
    const length = Math.hypot(...bells);
    const octave = Math.exp(-0.5 * ((own / CLASSES - CENTRE_OCTAVE) / OCTAVE_WIDTH) ** 2);
    bells.forEach((bell, c) => (bank[k * CLASSES + c] = (bell / length) * octave));
  }
  return bank;
}
