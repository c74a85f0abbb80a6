import { quantile } from './summary.ts';

/** Seconds of a frame: three and a half periods of the lowest pitch. */
const FRAME_SECONDS = 0.085;
/** Hz */
const LOWEST = 40;
/** Frames further than that under the loudest one say nothing of the pitch: 40 dB. */
const ACTIVE = 1e-4;

/**
 * How clearly a sound has a pitch, about 0 (noise) … 1 (a periodic tone): the median over its active frames of the
 * highest peak of the normalised square difference function (McLeod, Wyvill 2005: clarity) at periods of at most 1/40 s.
 * @param sampleRate Hz
 */
export function pitchClarity(samples: Float32Array, sampleRate: number): number {
  const clarities = frameClarities(samples, sampleRate);
  return clarities.length > 0 ? quantile(clarities, 0.5) : 0;
}

/** The clarity of every active frame; none for silence. @param sampleRate Hz */
export function frameClarities(samples: Float32Array, sampleRate: number): number[] {
  const size = Math.round(FRAME_SECONDS * sampleRate);
  const longest = Math.floor(sampleRate / LOWEST);
  const frames: { clarity: () => number; power: number }[] = [];
  for (let first = 0; first + size <= samples.length; first += Math.floor(size / 2)) {
    const frame = samples.subarray(first, first + size);
    const power = frame.reduce((sum, value) => sum + value * value, 0);
    frames.push({ power, clarity: () => clarityOf(frame, longest) });
  }
  const loudest = Math.max(0, ...frames.map(({ power }) => power));
  if (loudest === 0) return [];
  return frames.filter(({ power }) => power >= ACTIVE * loudest).map(({ clarity }) => clarity());
}

/** Highest value after the first dip below zero: before it every sound is like itself. */
function clarityOf(frame: Float32Array, longest: number): number {
  let [best, dipped] = [0, false];
  for (let lag = 1; lag <= longest; lag++) {
    let [product, squares] = [0, 0];
    for (let i = 0; i + lag < frame.length; i++) {
      const [a, b] = [frame[i] ?? 0, frame[i + lag] ?? 0];
      product += a * b;
      squares += a * a + b * b;
    }
    const likeness = squares > 0 ? (2 * product) / squares : 0;
    if (likeness < 0) dipped = true;
    else if (dipped) best = Math.max(best, likeness);
  }
  return best;
}
