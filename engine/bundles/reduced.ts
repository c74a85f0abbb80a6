import {
  knnGraph,
  writeDatasetNpz,
  writeDatasetParquet,
  type ParquetColumn,
  type RowNeighbours,
  type WritableSet,
} from '../../models/datasets/index.ts';
import { nearestRows, type KnnClassifier } from '../../models/knn/index.ts';
import { fitPca, fitUmap } from '../../models/projection/index.ts';

/** Neighbours that a map shows for every prototype. */
const MAP_NEIGHBOURS = 10;
/** Sets up to this size are laid out by UMAP, which takes seconds there; larger ones by PCA. */
const UMAP_ROWS = 2000;
/** Share of a vector's length below which nothing but rounding is left of it. */
const NO_DIRECTION = 1e-10;

/** A reduced set on its way into a bundle. */
export interface ReducedSetFiles {
  set: WritableSet;
  /** Rows of the corpus behind each prototype: how many, and which where that is known. */
  clusterSizes: readonly number[];
  clusters: readonly (readonly number[])[] | null;
  /** Of the map. */
  seed: number;
  /** Path of each prototype's sound in the bundle; null without sounds. */
  audio: readonly string[] | null;
  /** Nearest real track of each prototype; null where there is none. */
  nearest: readonly (string | null)[] | null;
}

/** What the manifest says about files that need words. */
export interface ReducedSetStatement {
  map?: { method: 'umap' | 'pca'; seed: number; neighbours: number };
  classifier?: {
    file: string;
    classifier: KnnClassifier;
    k: number;
    input: string;
    outputs: { labels: string; scores: string };
  };
}

/** NPZ of a set, as programs for multilabel data sets read it. */
export function reducedArrays({ set, clusterSizes }: ReducedSetFiles): Uint8Array {
  const sizes = { dtype: 'int32' as const, shape: [set.count], data: Int32Array.from(clusterSizes) };
  return writeDatasetNpz(set, { cluster_sizes: sizes });
}

/** Parquet with a map, as embedding-atlas reads it. @throws the signal's reason */
export async function reducedParquet(
  { set, clusterSizes, audio, nearest, seed }: ReducedSetFiles,
  signal: AbortSignal,
): Promise<{ content: Uint8Array; map: NonNullable<ReducedSetStatement['map']> }> {
  const map = await mapOf(set, seed, signal);
  const more: ParquetColumn[] = [
    { name: 'cluster_size', integers: [...clusterSizes] },
    ...(audio ? [{ name: 'audio', text: [...audio] }] : []),
    ...(nearest ? [{ name: 'nearest_path', text: [...nearest] }] : []),
  ];
  const content = await writeDatasetParquet(set, map, more);
  return { content, map: { method: map.method, seed, neighbours: map.neighbours } };
}

/** The kNN classifier of a set as a graph. @throws the signal's reason */
export async function reducedClassifier(
  set: WritableSet,
  { name, k: wanted }: { name: KnnClassifier; k: number },
  signal: AbortSignal,
): Promise<{ graph: Uint8Array; statement: Omit<NonNullable<ReducedSetStatement['classifier']>, 'file'> }> {
  // A set of fewer rows was scored with all of them.
  const k = Math.min(wanted, set.count);
  return {
    graph: await knnGraph(set, { classifier: name, k, signal }),
    statement: {
      classifier: name,
      k,
      input: `features float32 [batch, ${set.dim}]`,
      outputs: {
        labels: `labels uint8 [batch, ${set.labelNames.length}]`,
        scores: `scores float32 [batch, ${set.labelNames.length}]`,
      },
    },
  };
}

async function mapOf(
  set: WritableSet,
  seed: number,
  signal: AbortSignal,
): Promise<{
  x: Float32Array;
  y: Float32Array;
  method: 'umap' | 'pca';
  neighbors: RowNeighbours[];
  neighbours: number;
}> {
  // A map depends on distances alone, and its price on the square of the dimension.
  const { vectors, dim } = fewerDimensions(set);
  const neighbours = Math.min(MAP_NEIGHBOURS, set.count - 1);
  const { x, y, method } =
    set.count <= UMAP_ROWS
      ? await fitUmap(vectors, dim, { seed, signal })
      : {
          ...(await (await fitPca(vectors, dim, { signal })).project(vectors, { signal })),
          method: 'pca' as const,
        };
  const nearest = await nearestRows(set, set, { k: neighbours + 1, signal });
  const width = neighbours + 1;
  const neighbors = Array.from({ length: set.count }, (_, row): RowNeighbours => {
    const at = Array.from({ length: width }, (_unused, i) => row * width + i);
    // A row is its own nearest, unless an equal one comes before it.
    const others = at.filter((i) => nearest.rows[i] !== row).slice(0, neighbours);
    return {
      ids: others.map((i) => nearest.rows[i] ?? 0),
      distances: others.map((i) => Math.sqrt(nearest.distances[i] ?? 0)),
    };
  });
  return { x, y, method, neighbors, neighbours };
}

/**
 * The same points in as many dimensions as there are points, where that is fewer: coordinates along the axes that
 * modified Gram–Schmidt finds among them. All distances stay.
 */
function fewerDimensions({ features, count, dim }: WritableSet): { vectors: Float32Array; dim: number } {
  if (count >= dim) return { vectors: Float32Array.from(features), dim };
  const origin = features.slice(0, dim);
  const axes: Float64Array[] = [];
  const vectors = new Float32Array(count * count);
  for (let row = 1; row < count; row++) {
    const rest = Float64Array.from(origin, (first, d) => (features[row * dim + d] ?? 0) - first);
    const whole = lengthOf(rest);
    for (const [axis, direction] of axes.entries()) {
      let along = 0;
      for (let d = 0; d < dim; d++) along += (rest[d] as number) * (direction[d] as number);
      for (let d = 0; d < dim; d++) rest[d] = (rest[d] as number) - along * (direction[d] as number);
      vectors[row * count + axis] = along;
    }
    const length = lengthOf(rest);
    // What rounding leaves of a point that lies among the axes already is no direction.
    if (length <= NO_DIRECTION * whole) continue;
    vectors[row * count + axes.length] = length;
    axes.push(rest.map((value) => value / length));
  }
  return { vectors, dim: count };
}

const lengthOf = (vector: Float64Array): number =>
  Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));

/** JSON in pieces, one object per prototype: labels by name, and the rows of the corpus it stands for where known. */
export function* reducedJson({
  set,
  clusterSizes,
  clusters,
  audio,
  nearest,
}: ReducedSetFiles): Generator<string> {
  const { features, count, dim, labels, labelNames, featureNames, name } = set;
  const L = labelNames.length;
  const head = JSON.stringify({ name, labels: labelNames, features: featureNames });
  yield `${head.slice(0, -1)},"prototypes":[`;
  for (let i = 0; i < count; i++) {
    const prototype = {
      index: i,
      labels: labelNames.filter((_label, l) => labels[i * L + l] === 1),
      clusterSize: clusterSizes[i] ?? 0,
      ...(clusters ? { rows: clusters[i] } : {}),
      ...(audio ? { audio: audio[i] } : {}),
      ...(nearest ? { nearest: nearest[i] } : {}),
      vector: Array.from(features.subarray(i * dim, (i + 1) * dim)),
    };
    yield `${i === 0 ? '' : ','}\n${JSON.stringify(prototype)}`;
  }
  yield '\n]}\n';
}
