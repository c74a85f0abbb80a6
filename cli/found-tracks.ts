import type { Input } from '../engine/api/contract.ts';
import { EngineError } from '../engine/api/errors.ts';
import type { TrackPage, TrackRow } from '../engine/api/tracks.ts';
import type { Session } from './session.ts';

/** Most tracks that `tracks.list` answers at once. */
const PAGE = 1000;

/** All tracks of a query, page after page, up to a limit. */
export async function foundTracks(
  session: Session,
  query: Input<'tracks.list'>,
  limit = Infinity,
): Promise<TrackPage> {
  const tracks: TrackRow[] = [];
  let total = Infinity;
  while (tracks.length < Math.min(total, limit)) {
    const page = await session.client.call(
      'tracks.list',
      { ...query, offset: tracks.length, limit: Math.min(PAGE, limit - tracks.length) },
      { signal: session.signal },
    );
    total = page.total;
    tracks.push(...page.tracks);
    if (page.tracks.length === 0) break;
  }
  return { total, tracks };
}

/** What labels and predictions are meant: what was named, or what the window would show first. */
export async function scopeOf(
  session: Session,
  libraryId: string,
  { taxonomy, experiment }: { taxonomy?: string | undefined; experiment?: string | undefined },
): Promise<{ taxonomyId: string | null; experimentId: string | null }> {
  const known = await session.client.call('experiments.list', { libraryId });
  const chosen = experiment === undefined ? known[0] : await session.experiment(libraryId, experiment);
  const taxonomies = await session.client.call('taxonomies.list', { libraryId });
  const named =
    taxonomy === undefined
      ? (taxonomies.find(({ id }) => id === chosen?.taxonomyId) ?? taxonomies[0])
      : (taxonomies.find(({ id, name }) => id === taxonomy || name === taxonomy) ??
        // “folders”, as the source of “Folders” is written.
        taxonomies.find(({ name }) => name.toLowerCase() === taxonomy.toLowerCase()));
  if (taxonomy !== undefined && !named)
    throw new EngineError(
      'not-found',
      `There is no taxonomy “${taxonomy}”.`,
      `There are ${taxonomies.map(({ name }) => name).join(', ') || 'none'}.`,
    );
  return { taxonomyId: named?.id ?? null, experimentId: chosen?.id ?? null };
}
