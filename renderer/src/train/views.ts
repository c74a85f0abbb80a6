import type { LibrarySpace } from '../../../engine/api/libraries.ts';
import type { PackInfo } from '../../../engine/api/packs.ts';
import type { BlendPoint, ViewsReport, ViewsRequest } from '../../../engine/api/views.ts';
import type { Series } from './curve.ts';

/** Names of a table of kinds, in its order. */
export function keysOf<T extends string>(table: Record<T, string>): T[] {
  return Object.keys(table) as T[];
}

/** The views that are chosen after one was ticked or unticked; null where one or none is left. */
export function chosenViews(
  spaces: readonly LibrarySpace[],
  views: ViewsRequest | null,
  key: string,
  chosen: boolean,
): ViewsRequest | null {
  const before = new Set(views?.spaces ?? spaces.slice(0, 1).map((space) => space.key));
  if (chosen) before.add(key);
  else before.delete(key);
  // In the order of the library: the windows of the first are those of all.
  const kept = spaces.map((space) => space.key).filter((own) => before.has(own));
  if (kept.length < 2) return null;
  return { weighting: views?.weighting ?? 'p1', head: views?.head ?? 'refit', spaces: kept };
}

/** What a pack is called, by its id. */
export type PackNames = (packId: string) => string;

/** Views by their packs; those of one pack also by their windows, or numbered. */
export function viewNames(views: ViewsReport['views'], nameOf: PackNames): string[] {
  const named = views.map(({ space: { packId, windows } }) => {
    const alone = views.filter(({ space }) => space.packId === packId).length === 1;
    const name = nameOf(packId);
    return alone ? name : `${name}, ${windows === 'all' ? 'all windows' : `${String(windows)} windows`}`;
  });
  return named.map((name, v) => (named.indexOf(name) === v ? name : `${name} (${String(v + 1)})`));
}

const DASHES = ['', '6 3', '2 3', '8 3 2 3'];
const COLOURS = 8;

/** Curves of the branches: the views by their packs, then the joint head. */
export function branchSeries(
  { views, blend }: Pick<ViewsReport, 'views' | 'blend'>,
  nameOf: PackNames,
  of: (point: BlendPoint) => readonly number[],
): Series[] {
  const names = [...viewNames(views, nameOf), 'together'];
  return names.map((name, b) => ({
    name,
    variable: b === views.length ? '--text-2' : `--class-${String(b % COLOURS)}`,
    dash: DASHES[b % DASHES.length] ?? '',
    points: blend.map((point) => ({ x: point.step, y: of(point)[b] ?? NaN })),
  }));
}

/**
 * Packs in whose space a library may be embedded too. Spaces that were learned from playlists are filled where they are learned.
 * @param windows of each track, as the library has them
 */
export function packsToAdd(
  packs: readonly PackInfo[],
  spaces: readonly LibrarySpace[],
  windows: LibrarySpace['windows'],
): PackInfo[] {
  const there = new Set(spaces.filter((space) => space.windows === windows).map(({ packId }) => packId));
  return packs.filter(({ id, learned }) => !there.has(id) && !learned);
}
