import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { z } from 'zod';
import { encodeWav } from '../../models/audio/encode-wav.ts';
import { rmsDbfs } from '../../models/audio/level.ts';
import type { PackRuntime } from '../../models/packs/runtime.ts';
import { sonifyBest, type CheckedSonification } from '../../models/pecmae/candidates.ts';
import { stepsTaken } from '../../models/pecmae/sonify.ts';
import { sonifyMethods, type Sonification } from '../api/sonify.ts';
import type { JobLane } from '../api/jobs.ts';
import type { VectorRef } from '../api/neighbours.ts';
import { EngineError } from '../api/errors.ts';
import type { EngineContext } from '../context.ts';
import { writeWhole } from '../files/write-whole.ts';
import type { Library } from '../library/library.ts';
import { packOfSpace } from '../packs/of-space.ts';
import type { JobHandle } from '../jobs/queue.ts';
import { otherSpace, sameEncoder } from '../library/spaces.ts';
import { type LocatedVector, resolveVector } from '../neighbours/vector-ref.ts';
import { audibleGainDb } from './measures.ts';
import {
  firstSoundId,
  sonificationId,
  soundStart,
  vectorHash,
  type SonificationKey,
} from '../library/sonifications.ts';
import { featuresOf, StartRecordings } from './recording.ts';

/** What a sonify job is told; steps and guidance default to the pack's. */
export const sonifySpecSchema = sonifyMethods['sonify.start'].input;
export type SonifyRequest = Omit<z.output<typeof sonifySpecSchema>, 'libraryId'>;

/** A pack without a sampler fails at its first graph. */
const NO_SAMPLER = { method: 'ddim', steps: 1, guidance: 0, candidates: 1, accept: 1 } as const;

/**
 * Turns vectors into sound, one after the other, reporting every step. Where a person listens, the first draw of a sound
 * is told at once (`first-sound`). What was made before with the same pack, vector, seed, steps, guidance and beginning is
 * taken from the cache. Cancelling keeps the sounds that are finished.
 * @throws EngineError `pack` when their pack only makes embeddings; `other-space` for vectors of several packs, or of a
 * version that is gone; `not-found`; `disk-full`; where a recording is to be started from, also as {@link featuresOf}
 */
export async function sonifyTargets(
  context: EngineContext,
  library: Library,
  request: SonifyRequest,
  job: JobHandle,
): Promise<{ target: VectorRef; sonification: Sonification }[]> {
  const targets = request.targets.map((target) => ({ target, ...resolveVector(library, target) }));
  const runtime = await generativeRuntime(context, targets, job.lane);
  const sampler = runtime.pack.manifest.sampler ?? NO_SAMPLER;
  const steps = request.steps ?? sampler.steps;
  const guidance = request.guidance ?? sampler.guidance;
  const started = performance.now();
  const { candidates, accept, method } = sampler;
  const { from } = request;
  // At most: a candidate that is good enough ends the draw.
  const stepsEach = candidates * stepsTaken(steps, method, from.origin === 'recording' ? from : undefined);
  const total = request.targets.length * stepsEach;
  let cached = 0;
  const results: { target: VectorRef; sonification: Sonification }[] = [];
  const recordings = new StartRecordings(library);
  for (const [index, { target, ...located }] of targets.entries()) {
    await job.checkpoint();
    const { vector, space } = located;
    const start = from.origin === 'recording' ? await recordings.nearest(target, located) : null;
    const recording = start && from.origin === 'recording' ? { ...start, share: from.share } : null;
    const key = {
      packSha256: runtime.pack.sha256,
      vectorSha256: vectorHash(vector),
      seed: request.seed,
      steps,
      guidance,
      recording,
    };
    const id = sonificationId(key);
    let sonification = library.sonifications.find(context.media, id);
    if (!sonification) {
      const settings = { seed: request.seed, steps, guidance, candidates, accept };
      const first = job.lane === 'listen' ? firstSound(context, library, target, id, key) : null;
      const { signal } = job;
      const features =
        recording && (await featuresOf(context, library, runtime, recording, { space, signal }));
      const sound = await sonifyBest(runtime, vector, {
        ...settings,
        signal,
        from: features ? { features, share: recording.share } : undefined,
        onStep: (step) => {
          const done = index * stepsEach + step;
          const secondsEach = (performance.now() - started) / 1000 / (done - cached * stepsEach);
          job.report({ done, total, unit: 'steps', etaSeconds: (total - done) * secondsEach });
        },
        ...(first && { onFirst: first.tell }),
      });
      await first?.told();
      library.sonifications.insert(id, key, await writeSound(library.sonifications.path(id), sound));
      sonification = library.sonifications.find(context.media, id);
    } else cached++;
    if (!sonification) throw new EngineError('internal', 'The sound that was just written is gone.');
    job.report({ done: (index + 1) * stepsEach, total, unit: 'steps' });
    results.push({ target, sonification });
  }
  return results;
}

/**
 * The pack that made the vectors can also make them sound; which windows were embedded does not matter for that.
 * @throws EngineError `pack`; `other-space` for vectors of several packs, or of a version that is gone
 */
async function generativeRuntime(
  context: EngineContext,
  [first, ...others]: readonly LocatedVector[],
  lane: JobLane,
): Promise<PackRuntime> {
  if (!first) throw new EngineError('bad-input', 'There is nothing to hear.', 'Name at least one vector.');
  const other = others.find(({ space }) => !sameEncoder(space, first.space));
  if (other) throw otherSpace('One of these vectors', other.space, first.space);
  const { manifest } = packOfSpace(context, first.space, 'this vector was made with');
  if (manifest.kind !== 'generative')
    throw new EngineError(
      'pack',
      `The pack “${manifest.title}” only makes embeddings; it cannot make sound.`,
      'Open the library with a generative pack, such as the compact pack, to hear prototypes.',
    );
  return context.packs.runtime(manifest.id, lane);
}

/** Tells shells the first draw of a sound, as a file that is not kept. */
function firstSound(
  context: EngineContext,
  library: Library,
  target: VectorRef,
  id: string,
  { seed, steps, guidance, recording }: SonificationKey,
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

type SoundFacts = Pick<Sonification, 'durationSeconds' | 'rmsDbfs' | 'gainDb' | 'cycleCosine'>;

/** Writes a sound as a WAV file, raised where it is too quiet. */
async function writeSound(
  path: string,
  { samples, sampleRate, cycleCosine }: CheckedSonification,
): Promise<SoundFacts> {
  const gainDb = audibleGainDb(samples);
  const raised = samples.map((sample) => sample * 10 ** (gainDb / 20));
  await mkdir(dirname(path), { recursive: true });
  await writeWhole(path, encodeWav(raised, sampleRate, 'pcm16'));
  return { durationSeconds: samples.length / sampleRate, rmsDbfs: rmsDbfs(raised), gainDb, cycleCosine };
}
