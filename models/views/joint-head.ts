import { minimise } from '../probes/lbfgs.ts';
import { Perceptron } from '../probes/perceptron.ts';

/** A linear head on the similarities to the prototypes of all views. */
export interface Head {
  /** [C, P] */
  weights: Float32Array;
  /** [C] */
  bias: Float32Array;
}

/** Similarities [n, P] of windows, and their labels [n, C] of 0 and 1. */
export interface SimilarityRows {
  similarities: Float32Array;
  labels: Float32Array;
  count: number;
}

interface HeadOptions {
  task: 'single' | 'multi';
  temperature: number;
  signal: AbortSignal;
}

/** How far a head may go from where it starts: the smaller, the farther. */
const PENALTIES = [1, 0.1, 0.01, 0.001];
const ITERATIONS = 200;
const TOLERANCE = 1e-5;

/**
 * Fits a head anew while the prototypes stay: mean loss + p/2·‖W − W₀‖², by L-BFGS, for some penalties p. Of those and the
 * head it starts from, the one of the lowest loss on validation windows is taken. The joint head of a blended training
 * weighs little there, and is left behind what its prototypes allow; W₀ is the sum of all branches by their weights.
 * @param typical [P]: mean similarities of the training windows
 */
export async function refitHead(
  start: Head,
  train: SimilarityRows,
  validation: SimilarityRows,
  typical: Float32Array,
  { task, temperature, signal }: HeadOptions,
): Promise<Head> {
  const classes = start.bias.length;
  const prototypes = typical.length;
  const size = classes * prototypes;
  const network = await Perceptron.open([prototypes, classes], task);
  try {
    // About its mean, and by the temperature: otherwise all columns look like the bias.
    const rows = (set: SimilarityRows) => ({
      x: set.similarities.map((value, i) => (value - (typical[i % prototypes] ?? 0)) / temperature),
      y: set.labels,
      count: set.count,
    });
    const [known, held] = [rows(train), rows(validation)];
    // The perceptron has its weights as [P, C]; its bias is that of centred similarities over the temperature.
    const from = new Float64Array(size + classes);
    for (let c = 0; c < classes; c++) {
      let bias = start.bias[c] ?? 0;
      for (let k = 0; k < prototypes; k++) {
        const weight = start.weights[c * prototypes + k] ?? 0;
        from[k * classes + c] = weight;
        bias += weight * (typical[k] ?? 0);
      }
      from[size + c] = bias / temperature;
    }
    const parts = (at: Float64Array): Float64Array[] => [at.subarray(0, size), at.subarray(size)];
    let best: { at: Float64Array; loss: number } = {
      at: from,
      loss: (await network.run(held, parts(from))).loss,
    };
    for (const penalty of PENALTIES) {
      const at = await minimise(
        from.slice(),
        async (there) => {
          signal.throwIfAborted();
          const { loss, gradients } = await network.run(known, parts(there));
          const gradient = new Float64Array(there.length);
          let value = loss;
          gradients[0]?.forEach((slope, i) => {
            const away = (there[i] ?? 0) - (from[i] ?? 0);
            value += (penalty / 2) * away * away;
            gradient[i] = slope + penalty * away;
          });
          gradients[1]?.forEach((slope, i) => (gradient[size + i] = slope));
          return { value, gradient };
        },
        { iterations: ITERATIONS, tolerance: TOLERANCE },
      );
      const { loss } = await network.run(held, parts(at));
      if (loss < best.loss) best = { at, loss };
    }
    return headOf(best.at, typical, classes, temperature);
  } finally {
    await network.close();
  }
}

function headOf(at: Float64Array, typical: Float32Array, classes: number, temperature: number): Head {
  const prototypes = typical.length;
  const weights = new Float32Array(classes * prototypes);
  const bias = new Float32Array(classes);
  for (let c = 0; c < classes; c++) {
    let value = temperature * (at[classes * prototypes + c] ?? 0);
    for (let k = 0; k < prototypes; k++) {
      const weight = Math.fround(at[k * classes + c] ?? 0);
      weights[c * prototypes + k] = weight;
      value -= weight * (typical[k] ?? 0);
    }
    bias[c] = value;
  }
  return { weights, bias };
}
