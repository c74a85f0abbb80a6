import { copyFile, link, mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { encoderGraphs, packWith, writePack, type Pack } from '../../models/packs/index.ts';
import { assessSimilarity } from '../../models/similarity/assess.ts';
import { learnedPack } from '../../models/similarity/pack.ts';
import { defaultSimilaritySettings, learnProjection } from '../../models/similarity/train.ts';
import { similarityMethods } from '../api/similarity.ts';
import type { ParsedInput } from '../api/contract.ts';
import type { JobResult } from '../api/jobs.ts';
import type { EngineContext } from '../context.ts';
import type { JobHandle } from '../jobs/queue.ts';
import { spaceOfPack } from '../library/pack-space.ts';
import { isDiskFull, storageError } from '../storage/errors.ts';
import type { LearnedCard } from './card.ts';
import { gatherSimilarity } from './gather.ts';
import { fillSpace, otherJob, parentSpace, seeIn } from './spaces.ts';

/** What a job that learns a similarity is told. */
export const learnSpecSchema = similarityMethods['similarity.learn'].input;

/** Shares of the work, in percent: measuring learns six times, and what is kept once. */
const [ASSESSED, LEARNED, TOTAL] = [80, 93, 100];

/**
 * Learns a projection from the playlists of a library, measures it on playlists and tracks that it did not learn from, and
 * keeps it as a pack in whose space all tracks are embedded at once. The library is seen in it, unless another job works on
 * the library by then.
 * @throws EngineError `too-few-labels`, `pack`, `disk-full`; NumericError; the signal's reason
 */
export async function learnSimilarity(
  context: EngineContext,
  { libraryId, settings: asked, title, use }: ParsedInput<'similarity.learn'>,
  job: JobHandle,
): Promise<Extract<JobResult, { kind: 'learn-similarity' }>> {
  const library = context.libraries.get(libraryId);
  // Without a place for it nothing is learned.
  const { addFolder } = context.packs;
  const parent = parentSpace(context, library);
  const data = await gatherSimilarity(library, parent.space, job.signal);
  const settings = { ...defaultSimilaritySettings, ...asked };
  const [playlists, tracks] = [data.lists.length, data.groups.length];
  job.entitle(`Learn “${title}” from ${playlists} playlists`);
  const report = (done: number, current: string): void =>
    job.report({ done: Math.floor(done), total: TOTAL, unit: 'percent', current });
  const options = { signal: job.signal, pace: () => job.checkpoint() };
  const assessment = await assessSimilarity(data, settings, {
    ...options,
    onProgress: (share) => report(ASSESSED * share, 'learning from a part, and asking the rest'),
  });
  const projection = await learnProjection(data, settings, {
    ...options,
    onProgress: ({ step, steps }) =>
      report(ASSESSED + ((LEARNED - ASSESSED) * step) / steps, 'learning from all playlists'),
  });
  const card: LearnedCard = { libraryId, settings: asked, playlists, tracks, assessment };
  const pack = await keepPack(context, parent.pack, { projection, title, card, addFolder });
  const space = spaceOfPack(library, pack);
  const embedded = await fillSpace(context, library, { pack, space }, parent.space, {
    signal: job.signal,
    onTrack: (done, total) =>
      report(LEARNED + ((TOTAL - LEARNED) * done) / total, 'putting tracks in the learned space'),
  });
  const used = use && otherJob(context, library, job.id) === null;
  if (used) seeIn(context, library, space);
  return { kind: 'learn-similarity', packId: pack.manifest.id, title, tracks: embedded, used, assessment };
}

async function keepPack(
  context: EngineContext,
  parent: Pack,
  {
    projection,
    title,
    card,
    addFolder,
  }: { projection: Parameters<typeof learnedPack>[1]; title: string; card: LearnedCard; addFolder: string },
): Promise<Pack> {
  const files = learnedPack(parent, projection, { title, card, libraryId: card.libraryId });
  const folder = join(addFolder, files.manifest.id);
  const made = packWith(files.manifest, folder);
  if (context.packs.find(made.manifest.id)?.sha256 === made.sha256) return made;
  const { folder: from } = await context.packs.ready(parent.manifest.id);
  // Out of sight until it is whole: folders that begin with a dot are no packs.
  const draft = join(addFolder, `.learning-${files.manifest.id}`);
  // Of a run that was ended.
  await rm(draft, { recursive: true, force: true });
  try {
    await mkdir(draft, { recursive: true });
    for (const name of encoderGraphs(parent.manifest)) {
      const file = parent.manifest.graphs[name]?.file ?? '';
      // The same bytes, kept once where the disk can.
      await link(join(from, file), join(draft, file)).catch(() =>
        copyFile(join(from, file), join(draft, file)),
      );
    }
    await writePack(files, draft);
    await rm(folder, { recursive: true, force: true });
    await rename(draft, folder);
  } catch (thrown) {
    throw isDiskFull(thrown) ? storageError(thrown, folder) : thrown;
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
  await context.packs.refresh();
  return context.packs.get(made.manifest.id);
}
