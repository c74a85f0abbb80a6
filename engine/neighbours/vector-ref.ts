import { basename } from 'node:path';
import { meanOfRows } from '../../models/embeddings/pooling.ts';
import { ViewNetwork } from '../../models/views/view-network.ts';
import type { VectorRef, WindowRef } from '../api/neighbours.ts';
import type { SpaceInfo } from '../api/spaces.ts';
import { EngineError } from '../api/errors.ts';
import type { AnyNetwork } from '../library/experiments.ts';
import type { Library } from '../library/library.ts';
import type { WindowEmbeddings } from '../library/window-embeddings.ts';

/** A vector with the space it is of. */
export interface LocatedVector {
  /** `[D]` */
  vector: Float32Array;
  space: SpaceInfo;
}

type Kind = VectorRef['kind'];
type Found = Pick<WindowRef, 'trackId' | 'windowIndex'>;
type RefOf<K extends Kind> = { [P in K]: Extract<VectorRef, { kind: P }> }[K];

/** Everything about one kind of vectors. */
interface VectorKind<R> {
  /** The vector, a copy. @throws EngineError `not-found`; `reduction` for one that is of no space */
  locate(library: Library, ref: R): LocatedVector;
  /** As the window calls it: “oboe #3”. @throws EngineError `not-found` */
  name(library: Library, ref: R): string;
  /** Identifier of what several may be named after; empty for a kind that is named by itself. */
  owner(ref: R): string;
  /** What several of one owner are called: “prototypes of Folders · 4 per class”. @throws EngineError `not-found` */
  several(library: Library, ref: R): string;
  /** Tracks whose recordings its sound may start from; null: all. Kept in `known` by what they depend on. */
  startFrom(
    library: Library,
    ref: R,
    known: Map<string, ReadonlySet<string> | null>,
  ): ReadonlySet<string> | null;
  /** Whether something found near the vector is what it stands for. */
  isItself(ref: R, found: Found, level: 'track' | 'window'): boolean;
}

/** Every kind of vector that a reference can name. */
const kinds: { readonly [K in Kind]: VectorKind<RefOf<K>> } = {
  track: {
    // In the library's current space, as windows are.
    locate: (library, { trackId }) => {
      const { space, vectors, dim } = library.embeddings.ofTrack(trackId);
      return { space, vector: meanOfRows(vectors, dim) };
    },
    name: (library, { trackId }) => fileOf(library, trackId),
    owner: () => '',
    several: () => 'tracks',
    startFrom: (_library, { trackId }) => new Set([trackId]),
    isItself: ({ trackId }, found, level) => level === 'track' && found.trackId === trackId,
  },
  window: {
    locate: (library, { trackId, windowIndex }) => {
      const windows = library.embeddings.ofTrack(trackId);
      return { space: windows.space, vector: windowOf(windows, windowIndex) };
    },
    name: (library, { trackId, windowIndex }) => `window ${windowIndex + 1} of ${fileOf(library, trackId)}`,
    owner: () => '',
    several: () => 'windows',
    startFrom: (_library, { trackId }) => new Set([trackId]),
    isItself: ({ trackId, windowIndex }, found, level) =>
      found.trackId === trackId && (level === 'track' || found.windowIndex === windowIndex),
  },
  prototype: {
    locate: (library, ref) => {
      const { space, views } = library.experiments.get(ref.experimentId);
      const network = networkOf(library, ref);
      // Of several views, in the space of its own.
      const own =
        network instanceof ViewNetwork ? views?.views[network.placeOf(ref.index).view]?.space : space;
      return { space: own ?? space, vector: network.prototypeVector(ref.index) };
    },
    name: (library, ref) => {
      const network = networkOf(library, ref);
      const { classes } = library.experiments.get(ref.experimentId);
      const of = ref.revision === undefined ? '' : ` of revision ${ref.revision}`;
      return `${classes[network.classOf(ref.index)] ?? 'prototype'} #${ref.index + 1}${of}`;
    },
    owner: ({ experimentId }) => experimentId,
    several: (library, { experimentId }) => `prototypes of ${library.experiments.get(experimentId).name}`,
    startFrom: (library, ref, known) => {
      const network = networkOf(library, ref);
      const label = network.classOf(ref.index);
      const key = `${ref.experimentId} ${label}`;
      const tracks = known.get(key) ?? tracksOfClass(library, ref.experimentId, label);
      known.set(key, tracks);
      return tracks;
    },
    isItself: () => false,
  },
  generated: {
    locate: (library, { reductionId, index }) => {
      const { space } = library.reductions.get(reductionId);
      if (space === null)
        throw new EngineError(
          'reduction',
          'Prototypes of a data set file are not embeddings: they have no sound and no neighbours here.',
          'Reduce the tracks of a library to hear prototypes.',
        );
      const set = library.reductions.setOf(reductionId);
      return { space, vector: rowOf(set.prototypes, set.dim, index, 'prototype') };
    },
    name: (library, { reductionId, index }) => `#${index + 1} of ${library.reductions.get(reductionId).name}`,
    owner: ({ reductionId }) => reductionId,
    several: (library, { reductionId }) => `prototypes of ${library.reductions.get(reductionId).name}`,
    startFrom: () => null,
    isItself: () => false,
  },
  between: {
    locate: (library, { experimentId, from, to, share }) => {
      const [first, second] = [from, to].map((index) =>
        kinds.prototype.locate(library, { kind: 'prototype', experimentId, index }),
      );
      if (!first || !second || first.space.key !== second.space.key)
        throw new EngineError(
          'several-views',
          'These two prototypes are of different views: nothing lies between them.',
          'Choose two of one view.',
        );
      // The ends are the prototypes themselves, to the bit: their sounds are made once.
      const vector = first.vector.map((value, e) => (1 - share) * value + share * (second.vector[e] ?? 0));
      return { space: first.space, vector };
    },
    name: (library, { experimentId, from, to, share }) => {
      const [first, second] = [from, to].map((index) =>
        kinds.prototype.name(library, { kind: 'prototype', experimentId, index }),
      );
      return `${Math.round(100 * share)} % of the way from ${first ?? ''} to ${second ?? ''}`;
    },
    owner: ({ experimentId, from, to }) => `${experimentId} ${from} ${to}`,
    several: (library, { experimentId, from, to }) => {
      const [first, second] = [from, to].map((index) =>
        kinds.prototype.name(library, { kind: 'prototype', experimentId, index }),
      );
      return `points between ${first ?? ''} and ${second ?? ''}`;
    },
    startFrom: (library, { experimentId, from, to }, known) => {
      const sets = [from, to].map((index) =>
        kinds.prototype.startFrom(library, { kind: 'prototype', experimentId, index }, known),
      );
      return new Set(sets.flatMap((set) => [...(set ?? [])]));
    },
    isItself: () => false,
  },
};

/**
 * The vector a reference stands for, a copy: of a track or window in the library's current space, of a prototype in the
 * space it was made in.
 * @throws EngineError `not-found`; `reduction` for a prototype of a data set file, which is of no space
 */
export function resolveVector<K extends Kind>(library: Library, ref: RefOf<K>): LocatedVector {
  return kinds[ref.kind].locate(library, ref);
}

/** Whether something found near a vector is what the vector stands for. */
export function isItself<K extends Kind>(ref: RefOf<K>, found: Found, level: 'track' | 'window'): boolean {
  return kinds[ref.kind].isItself(ref, found, level);
}

/**
 * Tracks whose recordings the sound of a vector may start from: its own, or those an experiment has of its class.
 * @param known what was asked before, by what it depends on
 * @returns null: any
 * @throws EngineError `not-found`
 */
export function tracksToStartFrom<K extends Kind>(
  library: Library,
  ref: RefOf<K>,
  known: Map<string, ReadonlySet<string> | null>,
): ReadonlySet<string> | null {
  return kinds[ref.kind].startFrom(library, ref, known);
}

function tracksOfClass(library: Library, experimentId: string, label: number): ReadonlySet<string> {
  const tracks = library.experiments.tracksOf(experimentId).filter(({ labels }) => labels.includes(label));
  return new Set(tracks.map(({ id }) => id));
}

/**
 * What vectors are called, as they are in the window: “oboe #3”, “12 prototypes of Folders · 4 per class”.
 * @throws EngineError `not-found`
 */
export function nameOfVectors(library: Library, targets: readonly VectorRef[]): string {
  const [first, ...others] = targets;
  if (first === undefined) return 'nothing';
  if (others.length === 0) return nameOf(library, first);
  const owner = ownerOf(first);
  const alike = others.every((target) => ownerOf(target) === owner);
  return `${targets.length} ${alike ? nameOfSeveral(library, first) : 'vectors'}`;
}

function nameOf<K extends Kind>(library: Library, ref: RefOf<K>): string {
  return kinds[ref.kind].name(library, ref);
}

function nameOfSeveral<K extends Kind>(library: Library, ref: RefOf<K>): string {
  return kinds[ref.kind].several(library, ref);
}

function ownerOf<K extends Kind>(ref: RefOf<K>): string {
  return `${ref.kind} ${kinds[ref.kind].owner(ref)}`;
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

/** The network of a prototype that it has. @throws EngineError `not-found` */
function networkOf(library: Library, { experimentId, index, revision }: RefOf<'prototype'>): AnyNetwork {
  const network = library.experiments.anyNetwork(experimentId, revision);
  const count = network.prototypeCount;
  if (index < count) return network;
  throw new EngineError('not-found', `The experiment has no prototype ${index}; it has ${count}.`);
}

function fileOf(library: Library, trackId: string): string {
  return basename(library.tracks.file(trackId).path);
}
