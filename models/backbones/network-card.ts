import type { MelBandsSettings } from '../onnx/graphs/mel-bands.ts';
import type { TokenChoice } from '../packs/network.ts';
import type { Terms } from './publishers.ts';

/** What a published network listens through: bands of a spectrum, or the waveform itself at so many hertz. */
export type NetworkFrontEnd = { mel: MelBandsSettings } | { waveform: number };

/** What the JSON beside a network says, whoever wrote it. */
export interface NetworkCard {
  /** What kind of JSON it is, for people. */
  kind: string;
  name: string;
  title: string;
  frontEnd: NetworkFrontEnd;
  /** Frames of a patch (samples without bands); null: as the graph says. */
  patch: number | null;
  /** From patch to patch; null: one patch after the other. */
  hop: number | null;
  input: string;
  /** Sizes as the JSON has them, the batch first; null where it does not say. */
  inputShape: (number | null)[] | null;
  /** Outputs that are embeddings; the first is taken where nobody chooses. */
  embeddings: { output: string; shape: (number | null)[] | null }[];
  tokens: TokenChoice | null;
  tags: { output: string; classes: string[] } | null;
  terms: Terms;
  /** What it was trained on, as its maker says. */
  trained: string;
  notes: string[];
}
