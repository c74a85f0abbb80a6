import type { Handlers } from '../api/contract.ts';
import type { EngineContext } from '../context.ts';
import type { Playback } from './playback.ts';
import { trackDetail, trackPeaks } from './track-detail.ts';
import { listTracks } from './track-list.ts';
import { answer } from '../answer.ts';

type Part = Pick<Handlers, 'tracks.list' | 'tracks.get' | 'tracks.peaks' | 'tracks.audioUrl'>;

/** Tracks: table, details, waveform, sound. */
export function tracksHandlers(context: EngineContext, playback: Playback): Part {
  const { libraries, media } = context;
  return {
    'tracks.list': (query) => answer(() => listTracks(libraries.get(query.libraryId), query)),
    'tracks.get': (query) => answer(() => trackDetail(libraries.get(query.libraryId), media, query)),
    'tracks.peaks': ({ libraryId, trackId }) => answer(() => trackPeaks(libraries.get(libraryId), trackId)),
    'tracks.audioUrl': async ({ libraryId, trackId }) => ({
      url: await playback.urlOf(libraries.get(libraryId), trackId),
    }),
  };
}
