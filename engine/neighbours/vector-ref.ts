import { meanOfRows } from '../../models/embeddings/pooling.ts';
import type { SpaceInfo, VectorRef } from '../api/domain.ts';
import { EngineError } from '../api/errors.ts';
import type { Library } from '../library/library.ts';
import type { WindowEmbeddings } from '../library/window-embeddings.ts';
import { getExperiment, loadNetwork } from '../experiments/store.ts';
import { getReduction, loadReducedSet } from '../library/reductions.ts';

/** A vector with the space it is of. */
export interface LocatedVector {
  /** `[D]` */
  vector: Float32Array;
  space: SpaceInfo;
}

/**
 * The vector a reference stands for, a copy: of a track or window in the library's current space, of a prototype in the
 * space it was made in.
 * @throws EngineError `not-found`; `reduction` for a prototype of a data set file, which is of no space
 */
export function resolveVector(library: Library, ref: VectorRef): LocatedVector {
  switch (ref.kind) {
    case 'track': {
      const { space, vectors, dim } = library.embeddings.ofTrack(ref.trackId);
      return { space, vector: meanOfRows(vectors, dim) };
    }
    case 'window': {
      const windows = library.embeddings.ofTrack(ref.trackId);
      return { space: windows.space, vector: windowOf(windows, ref.windowIndex) };
    }
    case 'prototype': {
      const { space } = getExperiment(library, ref.experimentId);
      const network = loadNetwork(library, ref.experimentId);
      const count = network.prototypeCount;
      if (ref.index >= count)
        throw new EngineError('not-found', `The experiment has no prototype ${ref.index}; it has ${count}.`);
      return { space, vector: network.prototypeVector(ref.index) };
    }
    case 'generated': {
      const { space } = getReduction(library, ref.reductionId);
      if (space === null)
        throw new EngineError(
          'reduction',
          'Prototypes of a data set file are not embeddings: they have no sound and no neighbours here.',
          'Reduce the tracks of a library to hear prototypes.',
        );
      const set = loadReducedSet(library, ref.reductionId);
      return { space, vector: rowOf(set.prototypes, set.dim, ref.index, 'prototype') };
    }
  }
}

/** The vector of one window of a track, a copy. @throws EngineError `not-found` */
export function windowOf({ vectors, dim, windowIndex }: WindowEmbeddings, index: number): Float32Array {
  return rowOf(vectors, dim, windowIndex.indexOf(index), 'window');
}

function rowOf(vectors: Float32Array, dim: number, row: number, what: string): Float32Array {
  if (row < 0 || (row + 1) * dim > vectors.length)
    throw new EngineError('not-found', `There is no such ${what}.`);
  return vectors.slice(row * dim, (row + 1) * dim);
}
