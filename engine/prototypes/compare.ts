import { assign } from '../../models/numerics/assignment.ts';
import { squaredDistance } from '../../models/numerics/distances.ts';
import { Pacer } from '../../models/numerics/pacer.ts';
import type { PrototypeNetwork } from '../../models/pecmae/network.ts';
import type {
  ComparedModel,
  ComparedPrototype,
  ModelComparison,
  ModelRef,
  PrototypePair,
} from '../api/prototypes.ts';
import type { Library } from '../library/library.ts';
import { otherSpace, sameEncoder } from '../library/spaces.ts';
import { allVectors } from './facts.ts';
import { partsOf } from './parts.ts';
import { pairInWords, summary } from './compare-words.ts';

/** A model that is compared: what is told of it, and its prototypes `[K, D]` in the embedding space. */
interface Side {
  told: ComparedModel;
  network: PrototypeNetwork;
  vectors: Float32Array;
}

/**
 * Two experiments, or two revisions, prototype by prototype. Those that are the same or have moved a little are found by the
 * assignment of least total distance, in which a prototype stays alone rather than go further than `reach`: the median
 * distance of a prototype to the nearest other one of its model.
 * @throws EngineError `not-found`; `other-space` where their vectors cannot be compared; the signal's reason
 */
export async function compareModels(
  library: Library,
  request: { first: ModelRef; second: ModelRef },
  signal: AbortSignal,
): Promise<ModelComparison> {
  const first = sideOf(library, request.first);
  const second = sideOf(library, request.second);
  const [spaceA, spaceB] = [first, second].map(
    ({ told }) => library.experiments.get(told.experimentId).space,
  );
  if (spaceA && spaceB && !sameEncoder(spaceA, spaceB))
    throw otherSpace(`“${second.told.name}”`, spaceB, spaceA);
  const pacer = new Pacer(signal);
  const dim = first.network.data.embeddingDim;
  const [rows, columns] = [first.network.prototypeCount, second.network.prototypeCount];
  const distances = await between(first.vectors, second.vectors, dim, pacer);
  const reach = medianOf([
    ...nearestOther(await between(first.vectors, first.vectors, dim, pacer), rows),
    ...nearestOther(await between(second.vectors, second.vectors, dim, pacer), columns),
  ]);
  // What would go further stays alone: it costs the same wherever it is put.
  const columnOf = await assign(
    distances.map((distance) => Math.min(distance, reach)),
    rows,
    columns,
    pacer,
  );
  const pairs: PrototypePair[] = [];
  const taken = new Set<number>();
  for (const [i, j] of columnOf.entries()) {
    const distance = j < 0 ? Infinity : (distances[i * columns + j] ?? Infinity);
    const matched = distance < reach || distance === 0;
    if (matched) taken.add(j);
    pairs.push(
      pairOf(
        prototypeOf(first, i),
        matched ? prototypeOf(second, j) : null,
        matched ? distance : null,
        reach,
      ),
    );
  }
  for (let j = 0; j < columns; j++)
    if (!taken.has(j)) pairs.push(pairOf(null, prototypeOf(second, j), null, reach));
  const order = [...new Set([...first.told.classes, ...second.told.classes])];
  const place = ({ first: a, second: b }: PrototypePair): number => order.indexOf((a ?? b)?.class ?? '');
  pairs.sort((a, b) => place(a) - place(b));
  return {
    first: first.told,
    second: second.told,
    reach: Number.isFinite(reach) ? reach : null,
    pairs,
    words: summary(first.told, second.told, pairs),
  };
}

function sideOf(library: Library, { experimentId, revision }: ModelRef): Side {
  const experiment = library.experiments.get(experimentId);
  const wanted = revision ?? experiment.revision;
  const network = library.experiments.network(experimentId, wanted);
  const known = library.experiments.log(experimentId).revisions.find((of) => of.revision === wanted);
  return {
    network,
    vectors: partsOf(experiment, network).map(allVectors)[0] ?? new Float32Array(),
    told: {
      ...{ experimentId, revision: wanted, name: experiment.name, change: known?.change ?? '' },
      ...{ classes: experiment.classes, prototypes: network.prototypeCount },
      accuracy: known?.accuracy ?? null,
      balancedAccuracy: known?.balancedAccuracy ?? null,
    },
  };
}

/** Distances `[n, m]` of all vectors of one to all of the other. */
async function between(a: Float32Array, b: Float32Array, dim: number, pacer: Pacer): Promise<Float64Array> {
  const [n, m] = [a.length / dim, b.length / dim];
  const distances = new Float64Array(n * m);
  for (let i = 0; i < n; i++) {
    if (pacer.due(b.length)) await pacer.pause();
    for (let j = 0; j < m; j++)
      distances[i * m + j] = Math.sqrt(squaredDistance(a, i * dim, b, j * dim, dim));
  }
  return distances;
}

/** Of every vector the distance to the nearest other one. */
function nearestOther(distances: Float64Array, n: number): number[] {
  return Array.from({ length: n }, (_, i) => {
    let nearest = Infinity;
    for (let j = 0; j < n; j++) if (j !== i) nearest = Math.min(nearest, distances[i * n + j] ?? Infinity);
    return nearest;
  });
}

/** Infinity where nothing is known: then everything may be matched. */
function medianOf(values: readonly number[]): number {
  const finite = values.filter(Number.isFinite).sort((a, b) => a - b);
  return finite[Math.floor(finite.length / 2)] ?? Infinity;
}

function prototypeOf({ network, told }: Side, index: number): ComparedPrototype {
  const c = network.classOf(index);
  return {
    ...{ index, class: told.classes[c] ?? '', name: network.nameOf(index) },
    weight: network.data.weights[c * network.prototypeCount + index] ?? 0,
  };
}

function pairOf(
  first: ComparedPrototype | null,
  second: ComparedPrototype | null,
  distance: number | null,
  reach: number,
): PrototypePair {
  const pair = { first, second, distance };
  return { ...pair, ...pairInWords(pair, reach) };
}
