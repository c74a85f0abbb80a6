import type { MelBandsSettings } from '../onnx/graphs/mel-bands.ts';

/** A front-end that has a name, and how its networks are fed with it. */
export interface MelPreset {
  mel: MelBandsSettings;
  /** Frames of a patch, and from one patch to the next, where neither file nor person says otherwise. */
  patch: number;
  hop: number;
}

const SLANEY_96: MelBandsSettings = {
  sampleRate: 16_000,
  ...{ frame: 512, fft: 512, hop: 256, hann: 'symmetric', spectrum: 'power' },
  ...{ bands: 96, lowHz: 0, highHz: 8000, scale: 'slaney', sides: 'hz', weights: 'area' },
  compression: { kind: 'log', base: '10', gain: 10_000, offset: 1 },
  ...{ shift: 0, divisor: 1, edges: 'zeros' },
};

/**
 * The front-ends of the published music networks. MusiCNN, EffNet and VGGish as Essentia computes them (P. Alonso-Jiménez and
 * others, ICASSP 2020); MAEST's shift and scale are those of its training set (ISMIR 2023); OpenL3's as its 128-band mel model.
 */
export const melPresets = {
  musicnn: { mel: SLANEY_96, patch: 187, hop: 93 },
  'effnet-discogs': { mel: SLANEY_96, patch: 128, hop: 62 },
  maest: {
    mel: { ...SLANEY_96, shift: 2.06755686098554, divisor: 2 * 1.268292820667291 },
    ...{ patch: 1876, hop: 1875 },
  },
  vggish: {
    mel: {
      sampleRate: 16_000,
      ...{ frame: 400, fft: 512, hop: 160, hann: 'symmetric', spectrum: 'magnitude' },
      ...{ bands: 64, lowHz: 125, highHz: 7500, scale: 'htk', sides: 'mel', weights: 'peak' },
      compression: { kind: 'log', base: 'e', gain: 1, offset: 0.01 },
      ...{ shift: 0, divisor: 1, edges: 'zeros' },
    },
    ...{ patch: 96, hop: 93 },
  },
  openl3: {
    mel: {
      sampleRate: 48_000,
      ...{ frame: 2048, fft: 2048, hop: 242, hann: 'symmetric', spectrum: 'magnitude' },
      ...{ bands: 128, lowHz: 0, highHz: 24_000, scale: 'slaney', sides: 'hz', weights: 'area' },
      compression: { kind: 'decibels', floor: 1e-10, range: 80 },
      ...{ shift: 0, divisor: 1, edges: 'zeros' },
    },
    ...{ patch: 199, hop: 199 },
  },
} as const satisfies Record<string, MelPreset>;

export type MelPresetName = keyof typeof melPresets;
