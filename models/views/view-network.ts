import { meanOfRows } from '../embeddings/pooling.ts';
import { standardise } from '../neighbours/standardised.ts';
import { PrototypeError } from '../pecmae/errors.ts';
import type { Contribution } from '../pecmae/explain.ts';
import { PrototypeNetwork, type Classification } from '../pecmae/network.ts';
import type { ViewNetworkData } from './view-network-data.ts';
import { viewsFromBytes, viewsToBytes } from './view-network-file.ts';

export type { View, ViewNetworkData } from './view-network-data.ts';

/** Windows of a track in each view, `[n, D_v]` as the encoders gave them; null where the track lacks the view. */
export type ViewVectors = readonly (Float32Array | null)[];

/** What one prototype of a view adds to a class's logit; `prototype` counts over all views. */
export interface ViewContribution extends Contribution {
  view: number;
}

/** A class's logit, taken apart: bias + Σ contributions = bias + Σ views = logit. */
export interface ViewExplanation {
  /** With what the views that the track lacks say in the mean of the training windows. */
  bias: number;
  logit: number;
  /** By falling |contribution|, then by index. */
  contributions: ViewContribution[];
  /** Sum of the contributions of each view; null where the track lacks it. */
  views: (number | null)[];
}

/** Decision of a network of several views. */
export interface ViewClassification extends Classification {
  /** What each view adds to each logit, [C]; null where the track lacks it. */
  parts: (Float32Array | null)[];
  /** The class each view would give on its own; null where the track lacks it. */
  alone: (number | null)[];
  /**
   * The view that decided: of all, it adds most to the lead of the predicted class over the next one (multilabel: to the
   * logit of the predicted label).
   */
  deciding: number;
}

/**
 * A trained network of several views: a prototype network in each embedding space, and a joint head on the similarities to
 * the prototypes of all of them: logits = Σ_v W_v·S_v + b. Immutable. What a view says is a part of the sum, so decisions
 * come apart by view and by prototype.
 */
export class ViewNetwork {
  readonly data: ViewNetworkData;
  /** Each view with its part of the joint head and no bias: their logits add up. */
  readonly #parts: readonly PrototypeNetwork[];
  readonly #starts: readonly number[];

  /** @throws PrototypeError `shape` or `not-finite` when the parts do not fit together. */
  constructor(data: ViewNetworkData) {
    checkViews(data);
    this.data = data;
    const counts = data.views.map(({ network }) => network.prototypeCount);
    this.#starts = counts.map((_, v) => counts.slice(0, v).reduce((a, b) => a + b, 0));
    this.#parts = data.views.map(({ network }, v) => {
      const { classes } = network.data;
      const k = network.prototypeCount;
      const weights = new Float32Array(classes.length * k);
      for (let c = 0; c < classes.length; c++) {
        const row = c * this.prototypeCount + (this.#starts[v] ?? 0);
        weights.set(data.joint.weights.subarray(row, row + k), c * k);
      }
      return new PrototypeNetwork({ ...network.data, weights, bias: new Float32Array(classes.length) });
    });
  }

  get classes(): readonly string[] {
    return this.#first.data.classes;
  }

  get task(): 'single' | 'multi' {
    return this.#first.data.task;
  }

  /** Prototypes of all views, ΣK. */
  get prototypeCount(): number {
    return this.data.views.reduce((sum, { network }) => sum + network.prototypeCount, 0);
  }

  /** Of logits [C]. */
  probabilities(logits: Float32Array): Float32Array {
    return this.#first.probabilities(logits);
  }

  /** Classifies a track by its windows. @throws PrototypeError `shape` where it lacks every view */
  classify(windows: ViewVectors, n: number): ViewClassification {
    const { classes } = this;
    const windowLogits = new Float32Array(n * classes.length);
    const bias = this.#bias(windows);
    for (let cell = 0; cell < windowLogits.length; cell++)
      windowLogits[cell] = bias[cell % classes.length] ?? 0;
    const alone: (number | null)[] = [];
    const parts = this.data.views.map(({ network }, v) => {
      const vectors = this.#standardised(windows, v);
      const part = vectors && this.#parts[v]?.logits(vectors, n);
      alone.push(vectors && network.classify(vectors, n).prediction);
      if (!part) return null;
      for (let cell = 0; cell < part.length; cell++)
        windowLogits[cell] = (windowLogits[cell] ?? 0) + (part[cell] ?? 0);
      return meanOfRows(part, classes.length);
    });
    const logits = meanOfRows(windowLogits, classes.length);
    const prediction = logits.indexOf(Math.max(...logits));
    return {
      ...{ logits, windowLogits, prediction, probabilities: this.probabilities(logits) },
      ...{ parts, alone, deciding: this.#deciding(parts, logits, prediction) },
    };
  }

  /** Why a class got its logit; of its mean over the windows. */
  explain(windows: ViewVectors, n: number, classIndex: number): ViewExplanation {
    const bias = this.#bias(windows)[classIndex];
    if (bias === undefined) throw new RangeError(`there is no class ${classIndex}`);
    const contributions: ViewContribution[] = [];
    const views = this.#parts.map((part, view) => {
      const vectors = this.#standardised(windows, view);
      if (!vectors) return null;
      const own = part.explain(vectors, n, classIndex);
      for (const contribution of own.contributions)
        contributions.push({
          ...contribution,
          prototype: contribution.prototype + (this.#starts[view] ?? 0),
          view,
        });
      return own.logit;
    });
    contributions.sort(
      (a, b) => Math.abs(b.contribution) - Math.abs(a.contribution) || a.prototype - b.prototype,
    );
    const logit = views.reduce<number>((sum, part) => sum + (part ?? 0), bias);
    return { bias, logit, contributions, views };
  }

  /** The view of a prototype, and its number there. @throws RangeError when there is no such prototype */
  placeOf(prototype: number): { view: number; index: number } {
    const view = this.#starts.findLastIndex((start) => start <= prototype);
    const index = prototype - (this.#starts[view] ?? 0);
    if (!Number.isInteger(prototype) || view < 0 || prototype >= this.prototypeCount)
      throw new RangeError(`there is no prototype ${prototype} of ${this.prototypeCount}`);
    return { view, index };
  }

  /** Class index of a prototype. @throws RangeError */
  classOf(prototype: number): number {
    const { view, index } = this.placeOf(prototype);
    return this.data.views[view]?.network.classOf(index) ?? 0;
  }

  /** A prototype as a vector of the embedding space of its view. @throws RangeError */
  prototypeVector(prototype: number): Float32Array {
    const { view, index } = this.placeOf(prototype);
    const own = this.data.views[view];
    if (!own) throw new RangeError(`there is no view ${view}`);
    const { mean, scale } = own.standardisation;
    return own.network
      .prototypeVector(index)
      .map((value, d) => (mean[d] ?? 0) + ((scale[d] ?? 0) > 0 ? value / (scale[d] ?? 1) : 0));
  }

  /**
   * What a view says of the logits: a prototype network of its standardised vectors, without bias; the parts of all views and
   * the joint bias add up. @throws RangeError
   */
  part(view: number): PrototypeNetwork {
    const part = this.#parts[view];
    if (!part) throw new RangeError(`there is no view ${view}`);
    return part;
  }

  /** Where the prototypes of a view begin among those of all. @throws RangeError */
  startOf(view: number): number {
    const start = this.#starts[view];
    if (start === undefined) throw new RangeError(`there is no view ${view}`);
    return start;
  }

  /** Vectors `[n, D_v]` of a view as its networks take them. @throws RangeError */
  standardise(view: number, vectors: Float32Array): Float32Array {
    const own = this.data.views[view];
    if (!own) throw new RangeError(`there is no view ${view}`);
    return standardise(vectors, own.standardisation);
  }

  /** The network as a safetensors file; equal networks give equal bytes. */
  toBytes(): Uint8Array {
    return viewsToBytes(this.data);
  }

  /** @throws PrototypeError `file` when the bytes are not a network of several views. */
  static fromBytes(bytes: Uint8Array): ViewNetwork {
    return new ViewNetwork(viewsFromBytes(bytes));
  }

  get #first(): PrototypeNetwork {
    const [first] = this.data.views;
    if (!first) throw new RangeError('there are no views');
    return first.network;
  }

  #standardised(windows: ViewVectors, view: number): Float32Array | null {
    const vectors = windows[view];
    const own = this.data.views[view];
    return vectors && own ? standardise(vectors, own.standardisation) : null;
  }

  /** The bias, with the mean of what the views that are lacking would say. */
  #bias(windows: ViewVectors): Float32Array {
    if (!windows.some((vectors) => vectors !== null))
      throw new PrototypeError(
        'shape',
        'a track without any view cannot be classified',
        'Embed it in one of the views.',
      );
    const { views, joint } = this.data;
    return joint.bias.map((start, c) => {
      let sum = start;
      views.forEach(({ typical }, v) => {
        if (windows[v]) return;
        const row = c * this.prototypeCount + (this.#starts[v] ?? 0);
        typical.forEach((similarity, k) => (sum += (joint.weights[row + k] ?? 0) * similarity));
      });
      return sum;
    });
  }

  #deciding(parts: readonly (Float32Array | null)[], logits: Float32Array, top: number): number {
    let next = -1;
    if (this.task === 'single')
      logits.forEach((logit, c) => {
        if (c !== top && (next < 0 || logit > (logits[next] ?? 0))) next = c;
      });
    const leads = parts.map((part) => (part ? (part[top] ?? 0) - (part[next] ?? 0) : -Infinity));
    return leads.indexOf(Math.max(...leads));
  }
}

function checkViews({ views, joint }: ViewNetworkData): void {
  const [first] = views;
  const prototypes = views.reduce((sum, { network }) => sum + network.prototypeCount, 0);
  const classes = first?.network.data.classes ?? [];
  const problems: [boolean, string][] = [
    [views.length < 2, 'it has fewer than two views'],
    [
      views.some(
        ({ network: { data } }) =>
          data.classes.join('\0') !== classes.join('\0') ||
          data.task !== first?.network.data.task ||
          data.temperature !== first.network.data.temperature,
      ),
      'its views differ in what they decide',
    ],
    [
      views.some(
        ({ network, standardisation: { mean, scale }, typical }) =>
          mean.length !== network.data.embeddingDim ||
          scale.length !== mean.length ||
          typical.length !== network.prototypeCount,
      ),
      'the parts of a view do not fit together',
    ],
    [joint.weights.length !== classes.length * prototypes, 'its joint head does not fit its prototypes'],
    [joint.bias.length !== classes.length, 'its joint head does not fit its classes'],
  ];
  const problem = problems.find(([wrong]) => wrong);
  if (problem)
    throw new PrototypeError('shape', `not a network of several views: ${problem[1]}`, 'Train it again.');
  const numbers = [
    joint.weights,
    joint.bias,
    ...views.flatMap(({ standardisation: { mean, scale }, typical }) => [mean, scale, typical]),
  ];
  if (!numbers.every((values) => values.every(Number.isFinite)))
    throw new PrototypeError(
      'not-finite',
      'a network of several views holds numbers that are not finite',
      'Train it again.',
    );
}
