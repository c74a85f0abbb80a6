/** Sets of tracks that a person keeps under a name. */
import * as z from 'zod';
import { query } from '../wire/index.ts';
import { id, inLibrary } from './shared.ts';

export interface TrackSet {
  id: string;
  name: string;
  /** How many tracks are in it. */
  tracks: number;
}

const name = z.string().trim().min(1).max(200);
const trackIds = z.array(id).max(100_000);
const inSet = { ...inLibrary, setId: id };

export const setsMethods = {
  /** By name. */
  'sets.list': query<TrackSet[]>()(z.strictObject(inLibrary)),
  /** Tracks of a set, in the order of their paths. */
  'sets.tracks': query<string[]>()(z.strictObject(inSet)),
  /** Keeps tracks under a name that no set has yet. */
  'sets.save': query<TrackSet>()(z.strictObject({ ...inLibrary, name, trackIds })),
  'sets.rename': query<TrackSet>()(z.strictObject({ ...inSet, name })),
  /** The tracks stay where they are; answers with those it had, which undo gives back. */
  'sets.remove': query<{ trackIds: string[] }>()(z.strictObject(inSet)),
  /** Puts tracks into a set, or takes them out; answers with those that this changed, which undo gives back. */
  'sets.change': query<{ changed: string[] }>()(
    z.strictObject({ ...inSet, trackIds: trackIds.min(1), include: z.boolean() }),
  ),
};
