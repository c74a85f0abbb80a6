import type { Random } from '../numerics/random.ts';

/** One step of a scenario: what is done to the audio, with the parameters as an evaluation file names them. */
export interface DeformationStep {
  type: string;
  params: Readonly<Record<string, number | string>>;
}

/** Audio on its way through a scenario. */
export interface Sound {
  /** Mono. */
  samples: Float32Array;
  sampleRate: number;
}

/** What a deformation cannot do by itself. */
export interface DeformationTools {
  /** MP3 there and back, the same length; null where no program can. */
  mp3: ((sound: Sound, kilobits: number) => Promise<Float32Array>) | null;
  /** The impulse response of a file at a sample rate, mono. */
  response: (path: string, sampleRate: number) => Promise<Float32Array>;
}

/** What was measured of a deformation's output, to hold against what was asked for. */
export interface DeformationMeasure {
  name: string;
  unit: string;
  wanted: number;
  found: number;
  /** How far they may be apart. */
  tolerance: number;
}

/** Everything about one kind of deformation. Definitions are those of audiomentations, which mir_ref calls. */
export interface DeformationKind {
  type: string;
  title: string;
  /** Parameters with two names are spelled either way in files; `min` and `max` are drawn between. */
  parameters: readonly { min: readonly string[]; max: readonly string[]; low: number; high: number }[];
  /** For people: “noise at 15 dB”. @param value of the first parameter, its range where it is one */
  says: (value: string) => string;
  /** Needs a program that may not be there. */
  outside?: 'ffmpeg';
  /** Takes a file name in this parameter. */
  file?: string;
  apply: (sound: Sound, value: number, context: ApplyContext) => Float32Array | Promise<Float32Array>;
  /** Null where the output of this sound says nothing, such as silence. */
  measure: (before: Sound, after: Float32Array, value: number) => DeformationMeasure | null;
}

export interface ApplyContext {
  random: Random;
  tools: DeformationTools;
  /** The file of an impulse response; null: a synthetic one. */
  file: string | null;
}
