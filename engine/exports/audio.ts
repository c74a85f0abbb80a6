import { readFile } from 'node:fs/promises';
import type { VectorRef } from '../api/domain.ts';
import type { EngineContext, OpenLibrary } from '../context.ts';
import type { JobHandle } from '../jobs/queue.ts';
import { sonificationPath } from '../sonify/store.ts';
import { sonifyTargets } from '../sonify/sonify.ts';
import type { Bundle } from './bundle.ts';
import type { AudioStatement } from './manifest.ts';

/** A prototype that is to be heard: `file` is its path in the bundle. */
export interface AudioTarget {
  ref: VectorRef;
  file: string;
}

/**
 * Adds the sound of every prototype; sounds that were not made yet are made now. With a pack that only makes embeddings
 * nothing is added, and the manifest says so.
 */
export async function addAudio(
  context: EngineContext,
  library: OpenLibrary,
  bundle: Bundle,
  targets: readonly AudioTarget[],
  seed: number,
  job: JobHandle,
): Promise<AudioStatement> {
  const { manifest } = context.packs.get(library.packId());
  if (manifest.kind !== 'generative' || !manifest.sampler || targets.length === 0) return null;
  const made = await sonifyTargets(context, library, { targets: targets.map(({ ref }) => ref), seed }, job);
  for (const [index, { sonification }] of made.entries()) {
    const target = targets[index];
    if (target) await bundle.add(target.file, await readFile(sonificationPath(library, sonification.id)));
  }
  return { seed, steps: manifest.sampler.steps, guidance: manifest.sampler.guidance };
}
