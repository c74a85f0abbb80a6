import { readFile } from 'node:fs/promises';
import type { VectorRef } from '../api/neighbours.ts';
import type { SoundOrigin } from '../api/sonify.ts';
import type { SpaceInfo } from '../api/spaces.ts';
import type { EngineContext } from '../context.ts';
import type { Library } from '../library/library.ts';
import type { JobHandle } from '../jobs/queue.ts';
import { sonifyTargets } from '../sonify/sonify.ts';
import type { Bundle } from '../bundles/bundle.ts';
import type { AudioStatement, SoundsStart } from '../bundles/manifest.ts';

/** A prototype that is to be heard: `file` is its path in the bundle. */
export interface AudioTarget {
  ref: VectorRef;
  file: string;
}

/**
 * Adds the sound of every prototype; sounds that were not made yet are made now. With a pack that only makes embeddings
 * (or one that is gone) nothing is added, and the manifest says so.
 * @param space of the prototypes
 */
export async function addAudio(
  context: EngineContext,
  library: Library,
  bundle: Bundle,
  space: SpaceInfo,
  targets: readonly AudioTarget[],
  { seed, soundsFrom: from }: { seed: number; soundsFrom: SoundOrigin },
  job: JobHandle,
): Promise<AudioStatement> {
  const manifest = context.packs.ofSpace(space)?.manifest;
  if (manifest?.kind !== 'generative' || !manifest.sampler || targets.length === 0) return null;
  const made = await sonifyTargets(
    context,
    library,
    { targets: targets.map(({ ref }) => ref), seed, from },
    job,
  );
  const recordings: SoundsStart['recordings'] = [];
  for (const [index, { sonification }] of made.entries()) {
    const target = targets[index];
    if (!target) continue;
    if (sonification.from.origin === 'recording') {
      const { path, windowIndex, startSeconds } = sonification.from.recording;
      recordings.push({ file: target.file, path, windowIndex, startSeconds });
    }
    await bundle.add(target.file, await readFile(library.sonifications.path(sonification.id)));
  }
  return {
    seed,
    method: manifest.sampler.method,
    steps: manifest.sampler.steps,
    guidance: manifest.sampler.guidance,
    from: { ...from, recordings },
  };
}
