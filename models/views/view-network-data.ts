import type { Standardisation } from '../neighbours/standardised.ts';
import type { PrototypeNetwork } from '../pecmae/network.ts';

/** One view of a network: an embedding space with a prototype network of its own. */
export interface View {
  /** What brings each dimension of its vectors to mean 0 and deviation 1 on the training windows. */
  standardisation: Standardisation;
  /** Decides about standardised vectors by this view alone. */
  network: PrototypeNetwork;
  /** [K]: mean similarities of the training windows, which stand for a track that lacks the view. */
  typical: Float32Array;
}

/** The numbers of a network of several views. */
export interface ViewNetworkData {
  /** At least two, of the same classes, task and temperature. */
  views: readonly View[];
  joint: {
    /** [C, ΣK]: of the prototypes of all views, view after view. */
    weights: Float32Array;
    /** [C] */
    bias: Float32Array;
  };
}
