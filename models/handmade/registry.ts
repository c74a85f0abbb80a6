import { chromaSpace } from './chroma.ts';
import type { HandmadeSpace } from './handmade-space.ts';
import { logMelSpace, mfccSpace } from './log-mel.ts';
import { modulationSpace } from './modulation.ts';
import { scatteringSpace } from './scattering.ts';

/** Every hand-made space, in the order they are listed. */
export const handmadeSpaces: readonly HandmadeSpace[] = [
  logMelSpace,
  mfccSpace,
  chromaSpace,
  modulationSpace,
  scatteringSpace,
];
