import { meanOfRows } from '../../models/embeddings/pooling.ts';
import type { VectorRef } from '../api/domain.ts';
import { EngineError } from '../api/errors.ts';
import { trackWindows } from '../classify/explain.ts';
import type { OpenLibrary } from '../context.ts';
import { loadNetwork } from '../experiments/store.ts';
import { loadReducedSet } from '../reductions/store.ts';

/**
 * The vector a reference stands for, in the embedding space of the library's pack: `[D]`, a copy.
 * @throws EngineError `not-found`
 */
export function resolveVector(library: OpenLibrary, ref: VectorRef): Float32Array {
  switch (ref.kind) {
    case 'track': {
      const { vectors, dim } = trackWindows(library, ref.trackId);
      return meanOfRows(vectors, dim);
    }
    case 'window': {
      const windows = trackWindows(library, ref.trackId);
      return rowOf(windows.vectors, windows.dim, windows.windowIndex.indexOf(ref.windowIndex), 'window');
    }
    case 'prototype': {
      const network = loadNetwork(library, ref.experimentId);
      const count = network.prototypeCount;
      if (ref.index >= count)
        throw new EngineError('not-found', `The experiment has no prototype ${ref.index}; it has ${count}.`);
      return network.prototypeVector(ref.index);
    }
    case 'generated': {
      const set = loadReducedSet(library, ref.reductionId);
      return rowOf(set.prototypes, set.dim, ref.index, 'prototype');
    }
  }
}

function rowOf(vectors: Float32Array, dim: number, row: number, what: string): Float32Array {
  if (row < 0 || (row + 1) * dim > vectors.length)
    throw new EngineError('not-found', `There is no such ${what}.`);
  return vectors.slice(row * dim, (row + 1) * dim);
}
