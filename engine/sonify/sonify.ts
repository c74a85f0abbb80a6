import type * as z from 'zod';
import type { CheckedSonification } from '../../models/pecmae/candidates.ts';
import { sonifyMethods, type Sonification } from '../api/sonify.ts';
import type { VectorRef } from '../api/neighbours.ts';
import { EngineError } from '../api/errors.ts';
import type { EngineContext } from '../context.ts';
import type { Library } from '../library/library.ts';
import type { JobHandle } from '../jobs/queue.ts';
import { otherSpace, sameEncoder } from '../library/spaces.ts';
import { resolveVector } from '../neighbours/vector-ref.ts';
import { firstSoundId, soundStart } from '../library/sonifications.ts';
import { SoundMaker, writeSound, type PlannedSound } from './maker.ts';

/** What a sonify job is told; steps and guidance default to the pack's. */
export const sonifySpecSchema = sonifyMethods['sonify.start'].input;
export type SonifyRequest = Omit<z.output<typeof sonifySpecSchema>, 'libraryId'>;

/**
 * Turns vectors into sound, one after the other, reporting every step. Where a person listens, the first draw of a sound
 * is told at once (`first-sound`). What was made before with the same pack, vector, seed, steps, guidance and beginning is
 * taken from the cache. Cancelling keeps the sounds that are finished.
 * @throws EngineError `pack` when their pack only makes embeddings; `other-space` for vectors of several packs, or of a
 * version that is gone; `not-found`; as {@link SoundMaker.make}
 */
export async function sonifyTargets(
  context: EngineContext,
  library: Library,
  request: SonifyRequest,
  job: JobHandle,
): Promise<{ target: VectorRef; sonification: Sonification }[]> {
  const targets = request.targets.map((target) => ({ target, ...resolveVector(library, target) }));
  const [one, ...others] = targets;
  if (!one) throw new EngineError('bad-input', 'There is nothing to hear.', 'Name at least one vector.');
  const other = others.find(({ space }) => !sameEncoder(space, one.space));
  if (other) throw otherSpace('One of these vectors', other.space, one.space);
  const { space } = one;
  const maker = await SoundMaker.open(context, library, { space, lane: job.lane, settings: request });
  const { stepsEach } = maker;
  const started = performance.now();
  const total = targets.length * stepsEach;
  let cached = 0;
  const results: { target: VectorRef; sonification: Sonification }[] = [];
  for (const [index, { target, ...located }] of targets.entries()) {
    await job.checkpoint();
    const planned = await maker.plan(target, located);
    let sonification = maker.find(planned);
    if (sonification) cached++;
    else {
      const first = job.lane === 'listen' ? firstSound(context, library, target, planned) : null;
      sonification = await maker.make(planned, job.signal, {
        step: (step) => {
          const done = index * stepsEach + step;
          const secondsEach = (performance.now() - started) / 1000 / (done - cached * stepsEach);
          job.report({ done, total, unit: 'steps', etaSeconds: (total - done) * secondsEach });
        },
        ...(first && { first: first.tell }),
      });
      await first?.told();
    }
    job.report({ done: (index + 1) * stepsEach, total, unit: 'steps' });
    results.push({ target, sonification });
  }
  return results;
}

/** Tells shells the first draw of a sound, as a file that is not kept. */
function firstSound(
  context: EngineContext,
  library: Library,
  target: VectorRef,
  { id, key: { seed, steps, guidance, recording } }: PlannedSound,
): { tell: (sound: CheckedSonification) => void; told: () => Promise<void> } {
  let told = Promise.resolve();
  const tell = async (sound: CheckedSonification): Promise<void> => {
    const path = library.sonifications.firstPath(id);
    await library.sonifications.sweepFirst();
    const facts = await writeSound(path, sound);
    const url = context.media.urlFor(path, 'audio/wav');
    const from = soundStart(recording);
    const sonification = { id: firstSoundId(id), url, seed, steps, guidance, from, ...facts };
    context.events.emit({ type: 'first-sound', libraryId: library.id, target, soundId: id, sonification });
  };
  return {
    tell: (sound) => {
      // The sound itself fails with the reason where there is one (a full disk): nothing is lost with its first draw.
      told = tell(sound).catch(() => undefined);
    },
    told: () => told,
  };
}
