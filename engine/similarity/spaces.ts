import type { Pack } from '../../models/packs/index.ts';
import { EngineError } from '../api/errors.ts';
import type { Job } from '../api/jobs.ts';
import type { SpaceInfo } from '../api/spaces.ts';
import type { EngineContext } from '../context.ts';
import type { Library } from '../library/library.ts';
import { spaceOfPack } from '../library/pack-space.ts';
import { packOfSpace } from '../packs/of-space.ts';

/** Tracks whose windows are projected and stored at once. */
const TRACKS = 200;
/** Windows in one run of the projection. */
const WINDOWS = 4096;

/** A space with the pack that makes its vectors. */
export interface PackedSpace {
  pack: Pack;
  space: SpaceInfo;
}

/**
 * The space that projections are learned on: the library's own, or, where that is a projection, what it was learned on.
 * @throws EngineError `pack`, `other-space` when the pack is not installed
 */
export function parentSpace(context: EngineContext, library: Library): PackedSpace {
  const space = library.space();
  const pack = packOfSpace(context, space, 'this library was imported with');
  const from = pack.manifest.projectionOf;
  if (!from) return { pack, space };
  const parent = context.packs.ofSpace({ ...from, packSha256: '' });
  if (!parent)
    throw new EngineError(
      'pack',
      `The pack “${from.title}” is not installed, and “${pack.manifest.title}” was learned on it.`,
      'Add that pack again.',
    );
  return { pack: parent, space: spaceOfPack(library, parent) };
}

/**
 * Projects what is embedded in the space below and not yet in that of the projection.
 * @returns how many tracks are embedded there then
 * @throws PackError; the signal's reason
 */
export async function fillSpace(
  context: EngineContext,
  library: Library,
  { pack, space }: PackedSpace,
  from: SpaceInfo,
  { signal, onTrack }: { signal: AbortSignal; onTrack?: (done: number, total: number) => void },
): Promise<number> {
  const there = new Set(library.embeddings.tracks(space).trackIds);
  const missing = library.embeddings.tracks(from).trackIds.filter((id) => !there.has(id));
  const runtime = await context.packs.runtime(pack.manifest.id);
  const width = pack.manifest.embeddingDim;
  for (let first = 0; first < missing.length; first += TRACKS) {
    signal.throwIfAborted();
    const windows = library.embeddings.load(from, missing.slice(first, first + TRACKS));
    const projected = new Float32Array(windows.count * width);
    for (let row = 0; row < windows.count; row += WINDOWS) {
      const count = Math.min(WINDOWS, windows.count - row);
      const rows = windows.vectors.slice(row * windows.dim, (row + count) * windows.dim);
      projected.set(await runtime.project(rows, count), row * width);
    }
    library.embeddings.putDerived(space, windows, projected, runtime.computedBy);
    onTrack?.(Math.min(missing.length, first + TRACKS), missing.length);
  }
  return library.embeddings.tracks(space).trackIds.length;
}

/** A job other than `own` that works on the library, or will; what goes on in the background keeps nobody from anything. */
export function otherJob({ jobs }: EngineContext, library: Library, own: string | null = null): Job | null {
  const works = ({ id, libraryId, lane, finishedAt }: Job): boolean =>
    libraryId === library.id && lane !== 'background' && finishedAt === null && id !== own;
  return jobs.list().find(works) ?? null;
}

/** @throws EngineError `library-busy` while a job works on the library */
export function requireIdle(context: EngineContext, library: Library): void {
  const other = otherJob(context, library);
  if (!other) return;
  throw new EngineError(
    'library-busy',
    `“${other.title}” is working on this library.`,
    'Wait until it has ended, or cancel it; then switch the space.',
  );
}

/** Sees the library in a space from now on; every view shows its tracks anew. */
export function seeIn(context: EngineContext, library: Library, space: SpaceInfo): void {
  if (space.key === library.space().key) return;
  library.use(space);
  library.announce('tracks');
  context.events.emit({ type: 'libraries-changed' });
}
