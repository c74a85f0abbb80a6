import { meanOfRows } from '../embeddings/pooling.ts';
import { PrototypeError } from './errors.ts';
import { explainLogit, type Explanation } from './explain.ts';
import { networkFromBytes, networkToBytes } from './network-file.ts';
import { packPrototypes, similarityMatrix, type PackedPrototypes } from './similarities.ts';
import { checkNetworkData, type PrototypeNetworkData, type ResolvedNetworkData } from './network-data.ts';

export type { PrototypeNetworkData } from './network-data.ts';
export type { Contribution, Explanation } from './explain.ts';

/** Decision of a network about one track. */
export interface Classification {
  /** [C], mean over the track's windows. */
  logits: Float32Array;
  /** [C]; they sum to 1 for a single-label task, each stands alone for a multilabel one. */
  probabilities: Float32Array;
  /** The class with the largest logit; the first of equal ones. */
  prediction: number;
  /** [n, C] */
  windowLogits: Float32Array;
}

/**
 * A trained prototype network (PECMAE, arXiv 2402.09318): similarity S = exp(−mean_d w·(z − p)²) in the normalised
 * space, with a weight of every number of every prototype or 1 (ADR 36), logits = W·S + b. Immutable; edits (`edits.ts`) make a new network. Sums run in float64.
 */
export class PrototypeNetwork {
  readonly data: ResolvedNetworkData;
  #packed: PackedPrototypes | null = null;

  /** @throws PrototypeError `shape` or `not-finite` when the parts do not fit together. */
  constructor(data: PrototypeNetworkData) {
    this.data = checkNetworkData(data);
  }

  /** Number of prototypes, K. */
  get prototypeCount(): number {
    return this.data.prototypeClasses.length;
  }

  /**
   * @param z [n, D] embeddings as the encoder gave them.
   * @returns [n, K] in (0, 1]; 1 where a window is the prototype.
   */
  similarities(z: Float32Array, n: number): Float32Array {
    return Float32Array.from(this.#similarities(z, n));
  }

  /** @param z [n, D] as the encoder gave them. @returns [n, C]. */
  logits(z: Float32Array, n: number): Float32Array {
    const { weights, bias, classes } = this.data;
    const similarities = this.#similarities(z, n);
    const k = this.prototypeCount;
    const logits = new Float32Array(n * classes.length);
    for (let i = 0; i < n; i++) {
      for (let c = 0; c < classes.length; c++) {
        let sum = bias[c] ?? 0;
        for (let j = 0; j < k; j++) sum += (weights[c * k + j] ?? 0) * (similarities[i * k + j] ?? 0);
        logits[i * classes.length + c] = sum;
      }
    }
    return logits;
  }

  /** softmax(logits/τ), or sigmoid(logits/τ) for a multilabel task. @param logits [C]. */
  probabilities(logits: Float32Array): Float32Array {
    const { task, temperature } = this.data;
    if (task === 'multi') return logits.map((logit) => 1 / (1 + Math.exp(-logit / temperature)));
    const top = Math.max(...logits);
    const exponentials = Array.from(logits, (logit) => Math.exp((logit - top) / temperature));
    const total = exponentials.reduce((a, b) => a + b, 0);
    return Float32Array.from(exponentials, (value) => value / total);
  }

  /** Classifies a track by its windows [n, D], n ≥ 1. */
  classify(windows: Float32Array, n: number): Classification {
    const windowLogits = this.logits(windows, n);
    const logits = meanOfRows(windowLogits, this.data.classes.length);
    const probabilities = this.probabilities(logits);
    return { logits, probabilities, prediction: logits.indexOf(Math.max(...logits)), windowLogits };
  }

  /**
   * Why the class got its logit: contributions of all prototypes, largest first. Bias plus contributions equal the
   * logit of {@link classify} to 1e-5.
   */
  explain(windows: Float32Array, n: number, classIndex: number): Explanation {
    return explainLogit(this.data, this.#similarities(windows, n), n, classIndex);
  }

  /** Prototype `k` as a vector of the embedding space, for sonification and neighbours. */
  prototypeVector(k: number): Float32Array {
    const { prototypes, embeddingDim, normalisation } = this.data;
    this.classOf(k);
    const row = prototypes.subarray(k * embeddingDim, (k + 1) * embeddingDim);
    return row.map((value) => value * normalisation.scale + normalisation.mean);
  }

  /** Class index of prototype `k`. @throws RangeError when there is no such prototype. */
  classOf(k: number): number {
    const classIndex = this.data.prototypeClasses[k];
    if (classIndex === undefined)
      throw new RangeError(`there is no prototype ${k} of ${this.prototypeCount}`);
    return classIndex;
  }

  /** What a person called prototype `k`; empty where nobody did. */
  nameOf(k: number): string {
    return this.data.prototypeNames[k] ?? '';
  }

  /** Whether a person froze prototype `k`. */
  isFrozen(k: number): boolean {
    return this.data.prototypeFrozen[k] ?? false;
  }

  /** The network as a safetensors file; equal networks give equal bytes. */
  toBytes(): Uint8Array {
    return networkToBytes(this.data);
  }

  /** @throws PrototypeError `file` when the bytes are not a prototype network. */
  static fromBytes(bytes: Uint8Array): PrototypeNetwork {
    return new PrototypeNetwork(networkFromBytes(bytes));
  }

  #similarities(z: Float32Array, n: number): Float64Array {
    const { embeddingDim: d, normalisation, prototypes, channelWeights } = this.data;
    if (n < 1 || z.length !== n * d) {
      throw new PrototypeError(
        'shape',
        `${z.length} numbers are not ${n} embeddings of ${d}`,
        'Use embeddings of the pack the network was trained with.',
      );
    }
    this.#packed ??= packPrototypes(prototypes, d, channelWeights);
    return similarityMatrix(z, this.#packed, normalisation);
  }
}
