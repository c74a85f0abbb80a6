/** Some numbers of a vector that say one thing together. */
export interface FeatureGroup {
  name: string;
  /** Which numbers, ascending. */
  dims: readonly number[];
}

/** Numbers of a vector, the last one excluded. */
export const numbersIn = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, i) => from + i);

/** A space whose vectors follow from a formula: nothing in it is learned. */
export interface HandmadeSpace {
  /** Of its pack. */
  id: string;
  title: string;
  /** What a vector holds, in one sentence. */
  says: string;
  /** Hz */
  sampleRate: number;
  windowSeconds: number;
  /** Frames per second. */
  frameRate: number;
  /** Numbers per frame, before they are summed up over the window. */
  featureDim: number;
  embeddingDim: number;
  /** Its numbers by what they say, each in one of them. */
  groups: readonly FeatureGroup[];
  /** What {@link graph} gives: building all of them only to list packs takes a quarter of a second. A test demands that it is right. */
  graphFile: { sha256: string; bytes: number };
  /** `waveform [batch, samples]` → `z [batch, D]`; the same bytes every time. */
  graph: () => Uint8Array;
}
