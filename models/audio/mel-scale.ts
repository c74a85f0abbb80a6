/** A scale of heard pitch, and the way back. */
export interface MelScale {
  mel: (hz: number) => number;
  hz: (mel: number) => number;
}

/** Where the Slaney scale turns from linear to logarithmic, and its steps (M. Slaney, Auditory Toolbox, 1998). */
const LINEAR_HZ = 200 / 3;
const BREAK_HZ = 1000;
const BREAK_MEL = BREAK_HZ / LINEAR_HZ;
const LOG_STEP = Math.log(6.4) / 27;

/** The two scales in use: `htk` is logarithmic throughout (O'Shaughnessy's formula, as HTK has it). */
export const melScales = {
  slaney: {
    mel: (hz) => (hz < BREAK_HZ ? hz / LINEAR_HZ : BREAK_MEL + Math.log(hz / BREAK_HZ) / LOG_STEP),
    hz: (mel) => (mel < BREAK_MEL ? mel * LINEAR_HZ : BREAK_HZ * Math.exp(LOG_STEP * (mel - BREAK_MEL))),
  },
  htk: {
    mel: (hz) => 2595 * Math.log10(1 + hz / 700),
    hz: (mel) => 700 * (10 ** (mel / 2595) - 1),
  },
} as const satisfies Record<string, MelScale>;
