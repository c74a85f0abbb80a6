import type * as z from 'zod';
import { trackQuerySchema } from '../../../engine/api/tracks.ts';

/** Where a person was in a library: kept when it closes, so that it opens there again. */
const placeSchema = trackQuerySchema.pick({
  sort: true,
  sortTag: true,
  descending: true,
  search: true,
  filter: true,
  taxonomyId: true,
  experimentId: true,
});
type Place = z.output<typeof placeSchema>;

const key = (libraryId: string): string => `archetone.place.${libraryId}`;

export function keepPlace(libraryId: string, place: Place): void {
  try {
    localStorage.setItem(key(libraryId), JSON.stringify(place));
  } catch {
    // Without storage the library opens as for the first time.
  }
}

/** @returns what was kept; where that is nothing the engine would take, the place of a library that opens first. */
export function placeOf(libraryId: string): Place {
  try {
    return placeSchema.parse(JSON.parse(localStorage.getItem(key(libraryId)) ?? '{}'));
  } catch {
    return placeSchema.parse({});
  }
}

export function forgetPlace(libraryId: string): void {
  try {
    localStorage.removeItem(key(libraryId));
  } catch {
    // Nothing was kept.
  }
}
