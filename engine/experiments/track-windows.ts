import type { Rows } from '../../models/neighbours/rows.ts';
import type { LibraryVectors } from '../library/vectors.ts';
import type { WindowEmbeddings } from '../library/window-embeddings.ts';

/** The windows of one track inside a set of window embeddings. */
export interface TrackWindows {
  trackId: string;
  /** First window, as a row of the set. */
  start: number;
  count: number;
  /** `[count, dim]`; of a large library read from its file each time, so taken once and let go. */
  readonly vectors: Float32Array;
}

/** The windows of a library by track, in memory or in its file. @throws the signal's reason; EngineError */
export async function tracksOf(vectors: LibraryVectors, signal: AbortSignal): Promise<TrackWindows[]> {
  return windowsByTrack(vectors.windows, await vectors.rows('window', signal));
}

/** Cuts a set of window embeddings, which is ordered by track, into tracks. @param rows their vectors */
export function windowsByTrack(
  { count, trackOf, trackIds }: Pick<WindowEmbeddings, 'count' | 'trackOf' | 'trackIds'>,
  rows: Rows,
): TrackWindows[] {
  const result: TrackWindows[] = [];
  let start = 0;
  while (start < count) {
    const track = trackOf[start] ?? 0;
    let end = start + 1;
    while (end < count && trackOf[end] === track) end++;
    result.push(new LyingWindows(trackIds[track] ?? '', start, end - start, rows));
    start = end;
  }
  return result;
}

class LyingWindows implements TrackWindows {
  readonly trackId: string;
  readonly start: number;
  readonly count: number;
  readonly #rows: Rows;

  constructor(trackId: string, start: number, count: number, rows: Rows) {
    this.trackId = trackId;
    this.start = start;
    this.count = count;
    this.#rows = rows;
  }

  get vectors(): Float32Array {
    return this.#rows.read(this.start, this.count);
  }
}
