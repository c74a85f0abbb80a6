import { Random } from '../numerics/random.ts';
import type { PackManifest } from './manifest.ts';

/** Windows of {@link testWaveforms}. */
export const TEST_WINDOWS = 4;

/** Tones, a sweep and noise at ordinary levels `[4, S]`: broadband, so that no band is mere rounding noise. */
export function testWaveforms(manifest: PackManifest): Float32Array {
  const { windowSamples, sampleRate } = manifest;
  const noise = new Random(1).normals(TEST_WINDOWS * windowSamples);
  return noise.map((value, i) => {
    const window = Math.floor(i / windowSamples);
    const t = (i % windowSamples) / sampleRate;
    const tone = 0.2 * Math.sin(2 * Math.PI * (110 * 2 ** window) * t);
    const sweep = 0.1 * Math.sin(2 * Math.PI * (50 + 200 * window + 300 * t) * t);
    return tone + sweep + 0.02 * value;
  });
}
