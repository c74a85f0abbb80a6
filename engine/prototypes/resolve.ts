import { meanOfRows } from '../../models/embeddings/pooling.ts';
import { chosenRows } from '../../models/neighbours/rows.ts';
import { kMeans } from '../../models/numerics/kmeans.ts';
import { Pacer } from '../../models/numerics/pacer.ts';
import { Random } from '../../models/numerics/random.ts';
import type { PrototypeEdit as NetworkEdit } from '../../models/pecmae/edits.ts';
import { EngineError } from '../api/errors.ts';
import type { Experiment } from '../api/experiments.ts';
import type { PrototypeEdit, PrototypeSource } from '../api/prototypes.ts';
import type { SpaceInfo } from '../api/spaces.ts';
import type { Library } from '../library/library.ts';
import { otherSpace, sameEncoder } from '../library/spaces.ts';
import { resolveVector, windowOf } from '../neighbours/vector-ref.ts';
import { factsOf } from './facts.ts';
import type { NetworkPart } from './parts.ts';

/** Halves of a prototype come out the same each time. */
const SPLIT_SEED = 1;
/** Work of reading one number of a track's embedding from the database, for the pacer. */
const READ_UNITS = 4;

/**
 * An edit of an experiment as one of a part of its network: names become places, sources become vectors as the part takes them.
 * @param edit prototypes are counted as the part counts them
 * @throws EngineError `not-found`; `other-space`; `bad-input` for a prototype that cannot be split; the signal's reason
 */
export async function resolveEdit(
  library: Library,
  experiment: Experiment,
  part: NetworkPart,
  edit: PrototypeEdit,
  signal: AbortSignal,
): Promise<NetworkEdit> {
  switch (edit.kind) {
    case 'add': {
      const { class: name, vector, ...rest } = edit;
      return {
        kind: 'add',
        classIndex: classOf(experiment, name),
        vector: await vectorOf(library, part, vector, signal),
        ...(rest.name !== undefined && { name: rest.name }),
      };
    }
    case 'move':
      return { ...edit, vector: await vectorOf(library, part, edit.vector, signal) };
    case 'split':
      return { ...edit, vectors: await halves(library, experiment, part, edit.index, signal) };
    case 'reassign':
      return { kind: 'reassign', index: edit.index, classIndex: classOf(experiment, edit.class) };
    case 'weight': {
      const { class: name, ...rest } = edit;
      return { ...rest, classIndex: classOf(experiment, name) };
    }
    case 'remove':
    case 'merge':
    case 'rename':
    case 'freeze':
      return edit;
  }
}

function classOf({ classes }: Experiment, name: string): number {
  const index = classes.indexOf(name);
  if (index >= 0) return index;
  throw new EngineError(
    'not-found',
    `The experiment has no class “${name}”.`,
    'A class can be added by training with its label.',
  );
}

/** A source as the network of a part takes it. */
async function vectorOf(
  library: Library,
  { space, prepare }: NetworkPart,
  source: PrototypeSource,
  signal: AbortSignal,
): Promise<Float32Array> {
  return prepare(await vectorIn(library, space, source, signal));
}

/** A source as a vector of a space. */
async function vectorIn(
  library: Library,
  space: SpaceInfo,
  source: PrototypeSource,
  signal: AbortSignal,
): Promise<Float32Array> {
  switch (source.kind) {
    case 'track':
      return meanOfTracks(library, space, [source.trackId], signal);
    case 'mean':
      return meanOfTracks(library, space, source.trackIds, signal);
    case 'window':
      return windowOf(library.embeddings.ofTrack(source.trackId, space), source.windowIndex);
    case 'prototype':
    case 'generated':
    case 'between': {
      const located = resolveVector(library, source);
      if (!sameEncoder(located.space, space)) throw otherSpace('This prototype', located.space, space);
      return located.vector;
    }
  }
}

/** The mean of the means of some tracks: each counts the same, however long it is. */
async function meanOfTracks(
  library: Library,
  space: SpaceInfo,
  trackIds: readonly string[],
  signal: AbortSignal,
): Promise<Float32Array> {
  let sum = new Float64Array();
  const pacer = new Pacer(signal);
  for (const id of trackIds) {
    const { vectors, dim } = library.embeddings.ofTrack(id, space);
    if (pacer.due(READ_UNITS * vectors.length)) await pacer.pause();
    if (sum.length === 0) sum = new Float64Array(dim);
    for (const [e, value] of meanOfRows(vectors, dim).entries()) sum[e] = (sum[e] ?? 0) + value;
  }
  return Float32Array.from(sum, (value) => value / trackIds.length);
}

/** The centres of the two halves of the training windows that are nearest to a prototype. */
async function halves(
  library: Library,
  experiment: Experiment,
  part: NetworkPart,
  index: number,
  signal: AbortSignal,
): Promise<[Float32Array, Float32Array]> {
  const vectors = library.embeddings.madeIn(part.space, 'This experiment');
  const { nearestOf } = await factsOf(library, experiment, part, vectors, signal);
  const rows = [...nearestOf.keys()].filter((row) => nearestOf[row] === index);
  const { dim } = vectors.windows;
  const all = await vectors.rows('window', signal);
  const points = Float64Array.from(part.prepare(chosenRows(all, rows).read(0, rows.length)));
  const { centres } =
    rows.length < 2
      ? { centres: new Float64Array() }
      : await kMeans(points, dim, 2, new Random(SPLIT_SEED), new Pacer(signal), { surplus: 'repeat' });
  const [first, second] = [0, 1].map((half) =>
    Float32Array.from(centres.subarray(half * dim, (half + 1) * dim)),
  );
  if (first?.length === dim && second?.length === dim && first.some((value, e) => value !== second[e]))
    return [first, second];
  throw new EngineError(
    'bad-input',
    `No two different training windows are nearest to prototype ${part.first + index + 1}: there is nothing to split.`,
    'Move it, remove it, or add a prototype from a window.',
  );
}
