import { encoderGraphs, type Pack } from '../../models/packs/index.ts';
import { assessSimilarity } from '../../models/similarity/assess.ts';
import { learnedPack } from '../../models/similarity/pack.ts';
import type { LearnedProjection } from '../../models/similarity/projection.ts';
import { defaultSimilaritySettings, learnProjection } from '../../models/similarity/train.ts';
import { counted } from '../../models/text/counted.ts';
import { similarityMethods } from '../api/similarity.ts';
import type { ParsedInput } from '../api/contract.ts';
import type { JobResult } from '../api/jobs.ts';
import type { EngineContext } from '../context.ts';
import type { JobHandle } from '../jobs/queue.ts';
import { spaceOfPack } from '../library/pack-space.ts';
import { keepPack } from '../packs/keep-pack.ts';
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
  job.entitle(`Learn “${title}” from ${counted(playlists, 'playlist')}`);
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
  const pack = await keptPack(context, parent.pack, { projection, title, card, addFolder });
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

async function keptPack(
  context: EngineContext,
  parent: Pack,
  {
    projection,
    title,
    card,
    addFolder,
  }: { projection: LearnedProjection; title: string; card: LearnedCard; addFolder: string },
): Promise<Pack> {
  const files = learnedPack(parent, projection, { title, card, libraryId: card.libraryId });
  const { folder } = await context.packs.ready(parent.manifest.id);
  const names = encoderGraphs(parent.manifest).map((name) => parent.manifest.graphs[name]?.file ?? '');
  return keepPack(context.packs, files, { addFolder, shared: { folder, names } });
}
