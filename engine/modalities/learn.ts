import { assessShared } from '../../models/modalities/assess.ts';
import { presentModalities } from '../../models/modalities/kinds.ts';
import { defaultSharedSettings, learnShared, type SharedSettings } from '../../models/modalities/learn.ts';
import { place } from '../../models/modalities/projection.ts';
import { chooseSteps } from '../../models/modalities/stop.ts';
import { modalitiesMethods } from '../api/modalities.ts';
import type { ParsedInput } from '../api/contract.ts';
import type { JobResult } from '../api/jobs.ts';
import type { EngineContext } from '../context.ts';
import { newId } from '../identifier.ts';
import type { JobHandle } from '../jobs/queue.ts';
import type { SharedCard } from '../library/shared-spaces.ts';
import { classesTitle, gatherShared } from './gather.ts';
import { packNumbers } from './numbers.ts';
import { openedNetwork } from './read.ts';

/** What a job that learns a common space is told. */
export const learnSharedSpecSchema = modalitiesMethods['modalities.learn'].input;

/** Tried where they are chosen. */
const MOST_STEPS = 800;
/** Shares of the work, in percent: measuring learns from three parts, each time what is asked, a control, and when to stop. */
const [READ, ASSESSED, TOTAL] = [15, 88, 100];

/**
 * Looks at covers and words of a library, measures what a space in common with its sound tells of tracks that were not learned
 * from, and keeps one that was learned from all.
 * @throws EngineError `too-few-labels`, `not-found`, `disk-full`; NumericError; the signal's reason
 */
export async function learnModalities(
  context: EngineContext,
  { libraryId, classes, settings: asked, title, imageNetwork }: ParsedInput<'modalities.learn'>,
  job: JobHandle,
): Promise<Extract<JobResult, { kind: 'learn-modalities' }>> {
  const library = context.libraries.get(libraryId);
  const space = library.space();
  const report = (done: number, current: string): void =>
    job.report({ done: Math.floor(done), total: TOTAL, unit: 'percent', current });
  report(0, 'looking at covers and words');
  const reading = { ask: context.readers.ask, signal: job.signal };
  // What cannot be used is told before anything is looked at.
  const opened = imageNetwork === null ? null : await openedNetwork(imageNetwork, reading);
  const network =
    opened === null || imageNetwork === null ? null : { path: imageNetwork, sha256: opened.sha256 };
  const gathered = await gatherShared(
    library,
    { classes, network },
    {
      ...reading,
      onRead: (done, total) => report((READ * done) / Math.max(1, total), 'looking at covers and words'),
    },
  );
  const { data, names, trackIds } = gathered;
  const settings: SharedSettings = {
    ...defaultSharedSettings,
    ...asked,
    ...(asked.steps === null
      ? { steps: MOST_STEPS, stop: 'held-out' }
      : { steps: asked.steps, stop: 'fixed' }),
  };
  const options = { signal: job.signal, pace: () => job.checkpoint() };
  const assessment = await assessShared(data, settings, {
    ...options,
    onProgress: (share) =>
      report(READ + (ASSESSED - READ) * share, 'learning from a part, and asking the rest'),
  });
  const all = trackIds.map((_, track) => track);
  const steps =
    settings.stop === 'held-out'
      ? await chooseSteps(data, all, settings, {
          ...options,
          onProgress: () => report(ASSESSED, 'looking when to stop'),
        })
      : settings.steps;
  const model = await learnShared(
    data,
    all,
    { ...settings, steps },
    {
      ...options,
      onProgress: ({ step, steps }) =>
        report(ASSESSED + ((TOTAL - ASSESSED) * step) / steps, 'learning from all tracks'),
    },
  );
  const covers = coversOf(data.modalities.cover?.units ?? []);
  const cover = data.modalities.cover;
  const into = model.projections.cover;
  const card: SharedCard = {
    ...{ classesFrom: classes, classesTitle: classesTitle(library, classes), settings: asked },
    ...{ steps, imageNetwork: opened && network && { ...opened, ...network } },
    classes: names.map((name, label) => ({
      name,
      tracks: all.filter((track) => data.labels[track] === label).length,
    })),
    tracks: trackIds.length,
    groups: assessment.groups,
    trials: assessment.trials,
    fits: assessment.misfits.map(({ track, tracks, z, better }) => ({
      ...{ trackId: trackIds[track] ?? '', tracks, z },
      better: trackIds[better] ?? '',
    })),
    withoutCover: gathered.withoutCover,
    unreadCovers: gathered.unreadCovers,
    wordsLeftOut: gathered.wordsLeftOut,
    lyrics: gathered.lyrics,
    inputs: Object.fromEntries(
      presentModalities(model.projections).map((of) => [of, data.modalities[of]?.dim ?? 0]),
    ),
    covers: covers.map((track) => ({ trackId: trackIds[track] ?? '', class: data.labels[track] ?? 0 })),
  };
  const rows = new Float32Array(covers.length * (cover?.dim ?? 0));
  if (cover)
    covers.forEach((track, i) =>
      rows.set(cover.rows.subarray(track * cover.dim, (track + 1) * cover.dim), i * cover.dim),
    );
  const numbers = packNumbers({
    model,
    rare: model.projections.words ? gathered.rare : null,
    covers: into ? place(into, rows) : new Float32Array(0),
  });
  const id = newId();
  library.sharedSpaces.insert(
    { id, title, space: space.key, card, createdAt: new Date().toISOString() },
    numbers,
  );
  return {
    kind: 'learn-modalities',
    sharedId: id,
    title,
    tracks: trackIds.length,
    trials: assessment.trials,
  };
}

/** The first track of each cover. */
function coversOf(units: readonly (string | null)[]): number[] {
  const seen = new Set<string>();
  return units.flatMap((unit, track) => (unit !== null && seen.size < seen.add(unit).size ? [track] : []));
}
