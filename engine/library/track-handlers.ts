import type { Handlers } from '../api/contract.ts';
import type { EngineContext } from '../context.ts';
import type { Playback } from './playback.ts';
import { answer } from '../answer.ts';

type Part = Pick<
  Handlers,
  | 'tracks.list'
  | 'tracks.get'
  | 'tracks.prepareSearch'
  | 'tracks.values'
  | 'tracks.paths'
  | 'tracks.leaveOut'
  | 'tracks.setNotes'
  | 'tracks.groups'
  | 'tracks.covers'
  | 'tracks.peaks'
  | 'tracks.audioUrl'
>;

/** Tracks: table, details, waveform, sound. */
export function tracksHandlers(context: EngineContext, playback: Playback): Part {
  const { libraries, media } = context;
  return {
    'tracks.list': (query) => answer(() => libraries.get(query.libraryId).tracks.list(query)),
    'tracks.get': (query) => answer(() => libraries.get(query.libraryId).tracks.get(media, query)),
    'tracks.prepareSearch': async ({ libraryId }, { signal }) => {
      await libraries.get(libraryId).search.prepare(signal);
      return null;
    },
    'tracks.values': (query) => answer(() => libraries.get(query.libraryId).tracks.values(query)),
    'tracks.paths': ({ libraryId, trackIds }) =>
      answer(() => libraries.get(libraryId).tracks.paths(trackIds)),
    'tracks.leaveOut': ({ libraryId, trackIds, leftOut }) =>
      answer(() => ({ changed: libraries.get(libraryId).tracks.leaveOut(trackIds, leftOut) })),
    'tracks.setNotes': ({ libraryId, changes }) =>
      answer(() => ({ previous: libraries.get(libraryId).tracks.setNotes(changes) })),
    'tracks.groups': ({ libraryId }) => answer(() => libraries.get(libraryId).tracks.groups()),
    'tracks.covers': ({ libraryId, trackIds }) =>
      answer(() => libraries.get(libraryId).tracks.covers(media, trackIds)),
    'tracks.peaks': ({ libraryId, trackId }) => answer(() => libraries.get(libraryId).tracks.peaks(trackId)),
    'tracks.audioUrl': async ({ libraryId, trackId }) => ({
      url: await playback.urlOf(libraries.get(libraryId), trackId),
    }),
  };
}
