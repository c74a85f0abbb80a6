import type { EngineEvent } from '../api/app.ts';

/** What of a library is shown again when it was written. */
export type Change = Extract<EngineEvent, { type: 'library-changed' }>['what'];

const kinds = {
  ...{ tracks: true, taxonomies: true, experiments: true },
  ...{ reductions: true, predictions: true, mistakes: true, sets: true, playlists: true },
  ...{ tags: true, melodies: true },
} satisfies Record<Change, true>;

/** All of a library: what is told when its database was put back. */
export const everyChange = Object.keys(kinds) as Change[];

/** Tells shells of a change: repositories call it once what they wrote is stored, and nobody else has to. */
export type Announce = (what: Change) => void;
