/** Searches that a person keeps under a name. */
import * as z from 'zod';
import { query } from '../wire/index.ts';
import { id, inLibrary } from './shared.ts';
import { MOST_SEARCHED } from './tracks.ts';

export interface SavedSearch {
  id: string;
  name: string;
  /** In the language of `search-query.ts`; may name what is no longer there. */
  search: string;
}

const name = z.string().trim().min(1).max(200);

export const searchesMethods = {
  /** By name. */
  'searches.list': query<SavedSearch[]>()(z.strictObject(inLibrary)),
  /** Keeps a search under a name that none has yet. */
  'searches.save': query<SavedSearch>()(
    z.strictObject({ ...inLibrary, name, search: z.string().min(1).max(MOST_SEARCHED) }),
  ),
  'searches.rename': query<SavedSearch>()(z.strictObject({ ...inLibrary, searchId: id, name })),
  'searches.remove': query<null>()(z.strictObject({ ...inLibrary, searchId: id })),
};
