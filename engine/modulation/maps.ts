import { MODULATION_RATES } from '../../models/modulation/filters.ts';
import { meanMap, modulationMap, type ModulationMap } from '../../models/modulation/map.ts';
import { SAMPLE_RATE, carrierCentres } from '../../models/modulation/spectra.ts';
import { Random } from '../../models/numerics/random.ts';
import { AudioError } from '../../models/audio/index.ts';
import { EngineError } from '../api/errors.ts';
import type { ModulationClass, ModulationMapInfo } from '../api/modulation.ts';
import type { EngineContext } from '../context.ts';
import type { JobHandle } from '../jobs/queue.ts';
import type { Library } from '../library/library.ts';
import type { ListedTrack } from '../library/tracks.ts';
import { readPart } from './source.ts';

/** Seconds of each track of a class: long enough for the slowest rate. */
const CLASS_SECONDS = 4;

/** The map of samples, for shells. */
export async function mapInfo(samples: Float32Array, signal: AbortSignal): Promise<ModulationMapInfo> {
  return told(await modulationMap(samples, signal), samples.length / SAMPLE_RATE);
}

function told({ depth, levels, slowest }: ModulationMap, seconds: number): ModulationMapInfo {
  return {
    carriersHz: carrierCentres(),
    ratesHz: [...MODULATION_RATES],
    depth: [...depth],
    levels: [...levels],
    slowest,
    seconds,
  };
}

/** What a class map is asked of. */
export interface ClassRequest {
  taxonomyId: string;
  class: string;
  tracks: number;
  seed: number;
}

/**
 * The mean map of tracks of a class. Tracks that cannot be read are left out and counted.
 * @throws EngineError `not-found` for a class that no track bears; `unreadable` when no track of it can be read; the
 * signal's reason
 */
export async function classMap(
  context: EngineContext,
  library: Library,
  request: ClassRequest,
  job: JobHandle,
): Promise<ModulationClass> {
  const all = tracksOfClass(library, request);
  const drawn = new Random(request.seed).shuffle(all).slice(0, request.tracks);
  const maps: ModulationMap[] = [];
  let seconds = 0;
  for (const [i, track] of drawn.entries()) {
    await job.checkpoint();
    job.report({ done: i, total: drawn.length, unit: 'tracks' });
    try {
      const samples = await middleOf(context, library, track, job.signal);
      maps.push(await modulationMap(samples, job.signal));
      seconds += samples.length / SAMPLE_RATE;
    } catch (thrown) {
      if (!isUnreadable(thrown)) throw thrown;
    }
  }
  job.report({ done: drawn.length, total: drawn.length, unit: 'tracks' });
  if (maps.length === 0)
    throw new EngineError(
      'unreadable',
      `No track of “${request.class}” could be read.`,
      'Connect the drive of the music folder.',
    );
  return {
    map: told(meanMap(maps), seconds),
    tracks: maps.length,
    of: all.length,
    unreadable: drawn.length - maps.length,
  };
}

/** Tracks that bear the class, in the order of their paths, so that a seed always draws the same ones. */
function tracksOfClass(library: Library, { taxonomyId, class: wanted }: ClassRequest): ListedTrack[] {
  // An unknown taxonomy is told of, not an empty class.
  library.taxonomies.nameOf(taxonomyId);
  const leftOut = library.tracks.leftOut();
  const labels = library.labels.of(taxonomyId);
  const found = library.tracks
    .listed()
    .filter(({ id }) => labels.get(id)?.includes(wanted) && !leftOut.has(id))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
  if (found.length === 0)
    throw new EngineError('not-found', `No track bears “${wanted}”.`, 'Choose another class.');
  return found;
}

/** Four seconds from the middle of a track, or all of a shorter one. */
export function middleOf(
  context: EngineContext,
  library: Library,
  { path, durationSeconds }: ListedTrack,
  signal: AbortSignal,
): Promise<Float32Array> {
  const startSeconds = Math.max(0, ((durationSeconds ?? CLASS_SECONDS) - CLASS_SECONDS) / 2);
  const part = { startSeconds, seconds: CLASS_SECONDS };
  return readPart(context, library.absolutePath(path), part, signal);
}

/** Whether it is the file's fault. */
export const isUnreadable = (thrown: unknown): boolean =>
  thrown instanceof AudioError ||
  (thrown instanceof EngineError && ['unreadable', 'audio'].includes(thrown.code));
