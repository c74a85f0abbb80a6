import type { SortKey, TrackFilter } from '../library/tracks.svelte.ts';

/** Where a person was in a library: kept when it closes, so that it opens there again. */
export interface Place {
  sort: SortKey;
  descending: boolean;
  search: string;
  filter: TrackFilter;
  taxonomyId: string | null;
  experimentId: string | null;
}

const key = (libraryId: string): string => `archetone.place.${libraryId}`;

export function keepPlace(libraryId: string, place: Place): void {
  try {
    localStorage.setItem(key(libraryId), JSON.stringify(place));
  } catch {
    // Without storage the library opens as for the first time.
  }
}

/** @returns what was kept and still looks like a place; the engine checks the rest when it is asked. */
export function placeOf(libraryId: string): Partial<Place> {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(key(libraryId)) ?? '{}');
    return typeof kept === 'object' && kept !== null ? kept : {};
  } catch {
    return {};
  }
}

export function forgetPlace(libraryId: string): void {
  try {
    localStorage.removeItem(key(libraryId));
  } catch {
    // Nothing was kept.
  }
}
