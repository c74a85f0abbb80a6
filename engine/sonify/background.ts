import { setImmediate as nextTurn } from 'node:timers/promises';
import type * as z from 'zod';
import type { PrototypeNetwork } from '../../models/pecmae/network.ts';
import { EngineError, type EngineErrorCode } from '../api/errors.ts';
import { sonifyMethods } from '../api/sonify.ts';
import type { EngineContext } from '../context.ts';
import type { JobHandle } from '../jobs/queue.ts';
import { nameOfVectors, resolveVector } from '../neighbours/vector-ref.ts';
import { SoundMaker, type PlannedSound } from './maker.ts';

/** What a job in the background is told. */
export const backgroundSpecSchema = sonifyMethods['sonify.background'].input;
export type BackgroundRequest = z.output<typeof backgroundSpecSchema>;

/** A network of so many prototypes is made as a whole: 40 MB of sounds, and minutes of a processor that is free. */
const AT_EASE = 200;
/** What keeps one sound from being made says nothing of the others. */
const OF_ONE_SOUND: readonly EngineErrorCode[] = ['not-found', 'unreadable', 'audio'];
/** A sound that nothing can be done about: no recording of its space is there to begin with, or its prototype was removed meanwhile. */
const CANNOT_BE_MADE: readonly EngineErrorCode[] = ['not-found', 'other-space'];

/** What of a network says how strong its prototypes are. */
type Weighed = Pick<PrototypeNetwork, 'prototypeCount' | 'classOf'> & {
  data: Pick<PrototypeNetwork['data'], 'weights'>;
};

/**
 * Prototypes in the order in which their sounds are most likely wanted: the strongest of each class (by its weight on
 * its own class), then the second of each, and so on.
 */
export function strongestFirst(network: Weighed): { index: number; rank: number }[] {
  const { weights } = network.data;
  const count = network.prototypeCount;
  const byClass = new Map<number, number[]>();
  for (let k = 0; k < count; k++)
    byClass.set(network.classOf(k), [...(byClass.get(network.classOf(k)) ?? []), k]);
  const weight = (k: number): number => weights[network.classOf(k) * count + k] ?? 0;
  return [...byClass.values()]
    .flatMap((own) =>
      own.sort((a, b) => weight(b) - weight(a) || a - b).map((index, rank) => ({ index, rank })),
    )
    .sort((a, b) => a.rank - b.rank || a.index - b.index);
}

/** The prototypes whose sounds are made, most wanted first; those of the newest revision. */
function wanted(network: PrototypeNetwork, all: boolean): number[] {
  const whole = all || network.prototypeCount <= AT_EASE;
  return strongestFirst(network)
    .filter(({ rank }) => whole || rank === 0)
    .map(({ index }) => index);
}

/**
 * The request with what it comes to: of a network that is made as a whole anyway it makes no difference whether somebody
 * looks at it, and a job need not end for that.
 * @throws EngineError `not-found` for the experiment
 */
export function settled(context: EngineContext, request: BackgroundRequest): BackgroundRequest {
  const { experiments } = context.libraries.get(request.libraryId);
  // Only what somebody asks for is made: most views have no decoder.
  if (experiments.get(request.experimentId).views !== null) return request;
  const network = experiments.network(request.experimentId);
  return { ...request, all: request.all || network.prototypeCount <= AT_EASE };
}

/**
 * Whether a sound of the experiment's prototypes is missing that could be made.
 * @throws EngineError `not-found` for the experiment
 */
export async function soundsAreMissing(context: EngineContext, request: BackgroundRequest): Promise<boolean> {
  const { libraryId, experimentId } = request;
  const library = context.libraries.get(libraryId);
  const { space, views } = library.experiments.get(experimentId);
  if (views !== null) return false;
  const pack = context.packs.ofSpace(space);
  if (pack?.manifest.kind !== 'generative') return false;
  const recorded = request.from.origin === 'recording';
  if (recorded && !pack.manifest.graphs.features) return false;
  const maker = await SoundMaker.open(context, library, { space, lane: 'background', settings: request });
  for (const index of wanted(library.experiments.network(experimentId), request.all)) {
    const target = { kind: 'prototype', experimentId, index } as const;
    try {
      if (!maker.find(await maker.plan(target, resolveVector(library, target)))) return true;
    } catch (thrown) {
      if (!(thrown instanceof EngineError) || !CANNOT_BE_MADE.includes(thrown.code)) throw thrown;
    }
    // Looking for the nearest recording of a large library takes its time.
    if (recorded) await nextTurn();
  }
  return false;
}

/**
 * Makes the sounds of an experiment's prototypes that are not there yet, one after the other, and tells of each. What is
 * edited meanwhile is taken up with the next sound; a sound that cannot be made is passed over.
 * @throws EngineError `disk-full`; `pack` when it is taken away meanwhile; the signal's reason
 */
export async function soundsInBackground(
  context: EngineContext,
  request: BackgroundRequest,
  job: JobHandle,
): Promise<{ made: number; failed: number }> {
  const { libraryId, experimentId } = request;
  const failed = new Set<string>();
  let made = 0;
  let seen = { revision: -1, left: [] as number[], total: 0 };
  for (;;) {
    await job.checkpoint();
    // Each time anew: it may have been closed and opened, or the experiment removed.
    const library = context.libraries.get(libraryId);
    const experiment = experimentOf(context, request);
    if (!experiment) return { made, failed: failed.size };
    const { revision, space } = experiment;
    if (revision !== seen.revision) {
      const left = wanted(library.experiments.network(experimentId), request.all);
      seen = { revision, left, total: left.length };
    }
    const index = seen.left.shift();
    if (index === undefined) return { made, failed: failed.size };
    const target = { kind: 'prototype', experimentId, index } as const;
    const { total, left } = seen;
    const done = total - left.length;
    job.report({
      ...{ done: done - 1, total, unit: 'sounds', failures: failed.size },
      current: nameOfVectors(library, [target]),
    });
    let planned: PlannedSound | null = null;
    try {
      const maker = await SoundMaker.open(context, library, { space, lane: job.lane, settings: request });
      planned = await maker.plan(target, resolveVector(library, target));
      if (!maker.find(planned) && !failed.has(planned.id)) {
        const sonification = await maker.make(planned, job.signal);
        job.kept();
        made++;
        // After an edit the index may name another prototype.
        if (experimentOf(context, request)?.revision === revision)
          context.events.emit({ type: 'sound', libraryId, target, sonification });
      }
    } catch (thrown) {
      job.signal.throwIfAborted();
      if (!(thrown instanceof EngineError) || !OF_ONE_SOUND.includes(thrown.code)) throw thrown;
      failed.add(planned?.id ?? `${revision} ${index}`);
    }
    job.report({ done, total, failures: failed.size });
  }
}

/** Null when it was removed. */
function experimentOf(context: EngineContext, { libraryId, experimentId }: BackgroundRequest) {
  const library = context.libraries.get(libraryId);
  return library.experiments.list().find(({ id }) => id === experimentId) ?? null;
}
