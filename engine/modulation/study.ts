import type * as z from 'zod';
import { splitGroups } from '../../models/evaluation/splits/groups.ts';
import { studyModulation } from '../../models/modulation/study.ts';
import { swingSpectrum } from '../../models/modulation/swing.ts';
import { Random } from '../../models/numerics/random.ts';
import { EngineError } from '../api/errors.ts';
import type { modulationMethods, ModulationReport } from '../api/modulation.ts';
import type { EngineContext } from '../context.ts';
import { chooseClasses } from '../experiments/classes.ts';
import type { JobHandle } from '../jobs/queue.ts';
import type { Library } from '../library/library.ts';
import { isUnreadable, middleOf } from './maps.ts';

type StudyRequest = Omit<z.output<(typeof modulationMethods)['modulation.study']['input']>, 'libraryId'>;

/** A class must be there in both parts of a split: fewer groups of tracks all go to one. */
const FEWEST = 3;

/**
 * Reads tracks of each class, learns modulation filters on them and measures.
 * @throws EngineError `not-found`; `too-few-labels` where fewer than two classes have tracks enough that can be read; the
 * signal's reason
 */
export async function modulationStudy(
  context: EngineContext,
  library: Library,
  { taxonomyId, minimumTracks, perClass, steps, splits, seed }: StudyRequest,
  job: JobHandle,
): Promise<ModulationReport> {
  const taxonomyName = library.taxonomies.nameOf(taxonomyId);
  const leftOut = library.tracks.leftOut();
  const listed = library.tracks
    .listed()
    .filter(({ id }) => !leftOut.has(id))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
  const ids = listed.map(({ id }) => id);
  const choice = chooseClasses(ids, library.labels.of(taxonomyId), { task: 'single', minimumTracks });
  const drawn = drawnOf(choice.tracks, perClass, seed);
  const byId = new Map(listed.map((track) => [track.id, track]));
  const groups = splitGroups(library.groupFacts(), 'track');
  const data = { spectra: [] as Float32Array[], labels: [] as number[], groups: [] as string[] };
  for (const [i, { id, label }] of drawn.entries()) {
    await job.checkpoint();
    job.report({ done: i, total: drawn.length, unit: 'tracks' });
    const track = byId.get(id);
    if (!track) continue;
    try {
      const samples = await middleOf(context, library, track, job.signal);
      data.spectra.push(await swingSpectrum(samples, job.signal));
      data.labels.push(label);
      data.groups.push(groups.get(id) ?? id);
    } catch (thrown) {
      if (!isUnreadable(thrown)) throw thrown;
    }
  }
  requireClasses(choice.classes, data);
  const study = await studyModulation(
    data,
    { classes: choice.classes.length, steps, splits, seed },
    job.signal,
    (done, total) => job.report({ done, total, unit: 'trainings' }),
  );
  return {
    ...{ taxonomyName, classes: choice.classes, splits, seed },
    ...{
      tracks: data.labels.length,
      of: choice.tracks.length,
      unreadable: drawn.length - data.labels.length,
    },
    ...study,
  };
}

/** So many tracks of each class, in the order of their paths. */
function drawnOf(
  tracks: readonly { id: string; labels: readonly number[] }[],
  perClass: number,
  seed: number,
): { id: string; label: number }[] {
  const random = new Random(seed);
  const labelled = tracks.map(({ id, labels }) => ({ id, label: labels[0] ?? 0 }));
  const kept = new Set<string>();
  for (const label of new Set(labelled.map((track) => track.label)))
    for (const { id } of random.shuffle(labelled.filter((track) => track.label === label)).slice(0, perClass))
      kept.add(id);
  return labelled.filter(({ id }) => kept.has(id));
}

function requireClasses(classes: readonly string[], data: { labels: number[]; groups: string[] }): void {
  const groupsOf = (label: number): number =>
    new Set(data.groups.filter((_, i) => data.labels[i] === label)).size;
  const few = classes.filter((_, label) => groupsOf(label) < FEWEST);
  if (classes.length - few.length >= 2) return;
  throw new EngineError(
    'too-few-labels',
    `Fewer than two classes have ${FEWEST} different recordings that can be read.`,
    'Label more tracks, or choose another taxonomy.',
  );
}
