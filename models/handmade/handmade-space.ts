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
  /** `waveform [batch, samples]` → `z [batch, D]`; the same bytes every time. */
  graph: () => Uint8Array;
}
