import type { ResolvedNetworkData } from './network-data.ts';

/** What one prototype adds to a class's logit. */
export interface Contribution {
  prototype: number;
  prototypeClass: number;
  /** Mean over the track's windows, in (0, 1]. */
  similarity: number;
  weight: number;
  /** weight · similarity */
  contribution: number;
}
/** A class's logit, taken apart: bias + Σ contributions = logit. */
export interface Explanation {
  bias: number;
  logit: number;
  /** All prototypes, by falling |contribution|, then by index. */
  contributions: Contribution[];
}

/**
 * Takes the logit of a class apart. The logit is linear in the similarities, so the mean logit of the windows is
 * the sum over prototypes of weight · mean similarity, plus the bias.
 * @param similarities [n, K]
 */
export function explainLogit(
  data: ResolvedNetworkData,
  similarities: Float64Array,
  n: number,
  classIndex: number,
): Explanation {
  const bias = data.bias[classIndex];
  if (bias === undefined) throw new RangeError(`there is no class ${classIndex}`);
  const k = data.prototypeClasses.length;
  const contributions = Array.from(data.prototypeClasses, (prototypeClass, prototype): Contribution => {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += similarities[i * k + prototype] ?? 0;
    const similarity = sum / n;
    const weight = data.weights[classIndex * k + prototype] ?? 0;
    return { prototype, prototypeClass, similarity, weight, contribution: weight * similarity };
  });
  const logit = contributions.reduce((total, { contribution }) => total + contribution, bias);
  contributions.sort(
    (a, b) => Math.abs(b.contribution) - Math.abs(a.contribution) || a.prototype - b.prototype,
  );
  return { bias, logit, contributions };
}
