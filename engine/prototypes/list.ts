import { Pacer } from '../../models/numerics/pacer.ts';
import type { Experiment } from '../api/experiments.ts';
import { MOST_LISTED_WEIGHTS, type PrototypeInfo } from '../api/prototypes.ts';
import type { EngineContext } from '../context.ts';
import type { Library } from '../library/library.ts';
import { windowRefs } from '../neighbours/nearest.ts';
import { allVectors, factsOf } from './facts.ts';
import { sameRevision } from './edit.ts';
import { partsOf, partWith, weightsIn, type NetworkPart } from './parts.ts';

/** Work of looking for the sound and the windows of a prototype in the database, for the pacer. */
const LIST_UNITS = 1 << 16;

/**
 * Describes every prototype of an experiment, view after view: how many training windows it stands for, how pure they are,
 * how it weighs on the classes, which real windows are nearest, and its sound where one was made.
 * @throws EngineError `not-found`; the signal's reason
 */
export async function listPrototypes(
  context: EngineContext,
  library: Library,
  experimentId: string,
  signal: AbortSignal,
): Promise<PrototypeInfo[]> {
  const experiment = library.experiments.get(experimentId);
  const network = library.experiments.anyNetwork(experimentId, experiment.revision);
  const all: PrototypeInfo[] = [];
  for (const part of partsOf(experiment, network))
    all.push(...(await listPart(context, library, experiment, part, signal)));
  return all;
}

async function listPart(
  context: EngineContext,
  library: Library,
  experiment: Experiment,
  part: NetworkPart,
  signal: AbortSignal,
): Promise<PrototypeInfo[]> {
  const { network, space, first, view } = part;
  const vectors = library.embeddings.madeIn(space, 'This experiment');
  const dim = network.data.embeddingDim;
  const queries = allVectors(part);
  const { support, matching, nearest, twins } = await factsOf(library, experiment, part, vectors, signal);
  const pack = context.packs.ofSpace(space);
  const listed: PrototypeInfo[] = [];
  const names = new Map<string, { title: string; path: string }>();
  const pacer = new Pacer(signal);
  for (let k = 0; k < network.prototypeCount; k++) {
    if (pacer.due(LIST_UNITS + experiment.classes.length)) await pacer.pause();
    const twin = twins[k];
    const count = support[k] ?? 0;
    const weights = weightsIn(part, k);
    listed.push({
      ...{ index: first + k, view },
      class: experiment.classes[network.classOf(k)] ?? '',
      name: network.nameOf(k),
      frozen: network.isFrozen(k),
      support: count,
      purity: count > 0 ? (matching[k] ?? 0) / count : null,
      weight: weights[network.classOf(k)] ?? 0,
      weights: largestOf(weights, MOST_LISTED_WEIGHTS),
      nearest: windowRefs(library, vectors, nearest[k] ?? [], names),
      twin: twin ? { ...twin, index: first + twin.index } : null,
      sonification: library.sonifications.latest(context.media, {
        packSha256: pack?.sha256 ?? space.packSha256,
        vector: queries.subarray(k * dim, (k + 1) * dim),
        sampler: pack?.manifest.sampler ?? null,
      }),
    });
  }
  return listed;
}

/**
 * Weight of a prototype towards every class.
 * @throws EngineError `not-found`; `busy` when the experiment is at another revision than was looked at
 */
export function weightsOf(
  library: Library,
  { experimentId, revision, index }: { experimentId: string; revision?: number | undefined; index: number },
): number[] {
  const experiment = library.experiments.get(experimentId);
  sameRevision(experiment, revision);
  const network = library.experiments.anyNetwork(experimentId, experiment.revision);
  const part = partWith(partsOf(experiment, network), index);
  return [...weightsIn(part, index - part.first)];
}

/** The largest by size, the first of equal ones first. */
function largestOf(weights: Float32Array, most: number): PrototypeInfo['weights'] {
  const size = (c: number): number => Math.abs(weights[c] as number);
  const best: number[] = [];
  for (let c = 0; c < weights.length; c++) {
    if (best.length === most && size(c) <= size(best[most - 1] as number)) continue;
    let place = best.length;
    while (place > 0 && size(c) > size(best[place - 1] as number)) place--;
    best.splice(place, 0, c);
    best.length = Math.min(best.length, most);
  }
  return best.map((c) => ({ class: c, weight: weights[c] as number }));
}
