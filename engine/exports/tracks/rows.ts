import type { RowNeighbours } from '../../../models/datasets/index.ts';
import { meanOfRows } from '../../../models/embeddings/pooling.ts';
import type { PrototypeNetwork } from '../../../models/pecmae/network.ts';
import type { TrackRow } from '../../api/tracks.ts';
import { EngineError } from '../../api/errors.ts';
import { argmax } from '../../classify/network-scores.ts';
import type { Library } from '../../library/library.ts';
import type { TrackFacts } from '../../library/tracks.ts';
import type { WindowEmbeddings } from '../../library/window-embeddings.ts';
import type { JobHandle } from '../../jobs/queue.ts';
import { changed, type TablePlan } from './plan.ts';

/** Numbers of embeddings that a batch of rows holds, about: what writes one keeps the engine busy for some 50 ms. */
const BATCH_NUMBERS = 65_536;
/** What a row takes beside its embeddings, in the same measure. */
const LEAST_NUMBERS = 64;
const MOST_ROWS = 512;

/** A track, or one of its windows, with all that is exported of it. */
export interface ExportedRow {
  track: TrackRow;
  facts: TrackFacts;
  window: {
    index: number;
    startSeconds: number;
    seconds: number;
    /** What the experiment says of this window alone; null where it was made in another space. */
    prediction: { class: string; probability: number } | null;
  } | null;
  /** Null where it is not embedded. */
  place: { x: number; y: number } | null;
  neighbours: RowNeighbours | null;
  /** One for each space: the window's, or the mean over the track's windows; null where it is not embedded. */
  vectors: (Float32Array | null)[];
}

/** Reads the rows of a plan, as often as there are formats. */
export class RowReader {
  constructor(
    readonly library: Library,
    readonly plan: TablePlan,
    readonly about: { taxonomyId: string | null; experimentId: string | null },
    readonly job: JobHandle,
  ) {}

  /**
   * All rows in order, in batches.
   * @param options.vectors none of tracks' are read where they are not needed
   * @throws EngineError `not-found` where a track is gone; `bad-input` when the library changed since; the signal's reason
   */
  async *batches({ vectors = true } = {}): AsyncGenerator<ExportedRow[]> {
    const { plan, job } = this;
    const network = this.#windowNetwork();
    let row = 0;
    for (let first = 0; first < plan.trackIds.length;) {
      const last = this.#batchEnd(first);
      const rows = this.#read(first, last, { row, network, vectors });
      // One track may have very many windows.
      for (let start = 0; start < rows.length; start += this.#batchRows) {
        await job.checkpoint();
        job.report({ done: row + start, total: plan.count, unit: 'rows', current: '' });
        yield rows.slice(start, start + this.#batchRows);
      }
      row += rows.length;
      first = last;
    }
    job.report({ done: row, total: plan.count, unit: 'rows' });
  }

  get #batchRows(): number {
    const numbers = Math.max(
      LEAST_NUMBERS,
      this.plan.spaces.reduce((sum, { dim }) => sum + dim, 0),
    );
    return Math.min(MOST_ROWS, Math.max(1, Math.floor(BATCH_NUMBERS / numbers)));
  }

  /** The next tracks, whose vectors are read at once. */
  #batchEnd(first: number): number {
    const { counts, trackIds } = this.plan;
    let rows = counts[first] ?? 0;
    let last = first + 1;
    while (last < trackIds.length && rows + (counts[last] ?? 0) <= this.#batchRows)
      rows += counts[last++] ?? 0;
    return last;
  }

  #read(
    first: number,
    last: number,
    { row, network, vectors: wanted }: { row: number; network: PrototypeNetwork | null; vectors: boolean },
  ): ExportedRow[] {
    const { library, plan } = this;
    const ids = plan.trackIds.slice(first, last);
    const spaces = wanted || plan.level === 'window' ? plan.spaces : [];
    const { taxonomyId, experimentId } = this.about;
    const tracks = new Map(
      library.tracks.rows(ids, taxonomyId, experimentId).map((track) => [track.id, track]),
    );
    const facts = library.tracks.facts(ids);
    const embedded = spaces.map(({ space }) => embeddedTracks(library.embeddings.load(space, ids)));
    const rows: ExportedRow[] = [];
    for (const [i, id] of ids.entries()) {
      const track = tracks.get(id);
      const about = facts.get(id);
      if (!track || !about) throw goneTrack(id);
      const own = embedded.map((known) => known.get(id));
      if (plan.level === 'track') {
        const vectors = own.map((windows) => (windows ? meanOfRows(windows.vectors, windows.dim) : null));
        rows.push({ track, facts: about, window: null, ...this.#laidOut(row + rows.length), vectors });
        continue;
      }
      const [windows] = own;
      if (!windows || windows.count !== plan.counts[first + i]) throw changed();
      for (let w = 0; w < windows.count; w++) {
        const vector = windows.vectors.subarray(w * windows.dim, (w + 1) * windows.dim);
        const window = {
          index: windows.index[w] ?? 0,
          startSeconds: windows.startSeconds[w] ?? 0,
          seconds: windows.seconds[w] ?? 0,
          prediction: network && predicted(network, vector),
        };
        rows.push({ track, facts: about, window, ...this.#laidOut(row + rows.length), vectors: [vector] });
      }
    }
    return rows;
  }

  #laidOut(row: number): Pick<ExportedRow, 'place' | 'neighbours'> {
    const { map, neighbours } = this.plan;
    const x = map?.x[row] ?? NaN;
    const y = map?.y[row] ?? NaN;
    return { place: Number.isNaN(x) ? null : { x, y }, neighbours: neighbours?.[row] ?? null };
  }

  /** What classifies windows: the experiment's network, where the windows are of its space. */
  #windowNetwork(): PrototypeNetwork | null {
    const { experimentId } = this.about;
    if (this.plan.level === 'track' || experimentId === null) return null;
    const { space, revision, views } = this.library.experiments.get(experimentId);
    // Several views decide together, of windows that lie beside each other.
    if (views !== null || space.key !== this.plan.spaces[0]?.space.key) return null;
    return this.library.experiments.network(experimentId, revision);
  }
}

function goneTrack(id: string): EngineError {
  return new EngineError('not-found', `There is no track ${id} in this library.`);
}

/** The windows of one track. */
interface OwnWindows {
  dim: number;
  count: number;
  vectors: Float32Array;
  index: Int32Array;
  startSeconds: Float32Array;
  seconds: Float32Array;
}

/** Cuts window embeddings, which are ordered by track, into tracks by id. */
function embeddedTracks(all: WindowEmbeddings): Map<string, OwnWindows> {
  const { dim } = all;
  const tracks = new Map<string, OwnWindows>();
  for (let start = 0; start < all.count;) {
    const at = all.trackOf[start] ?? 0;
    let end = start + 1;
    while (end < all.count && all.trackOf[end] === at) end++;
    tracks.set(all.trackIds[at] ?? '', {
      ...{ dim, count: end - start, vectors: all.vectors.subarray(start * dim, end * dim) },
      index: all.windowIndex.subarray(start, end),
      startSeconds: all.startSeconds.subarray(start, end),
      seconds: all.durationSeconds.subarray(start, end),
    });
    start = end;
  }
  return tracks;
}

function predicted(network: PrototypeNetwork, vector: Float32Array): { class: string; probability: number } {
  const probabilities = network.probabilities(network.logits(vector, 1));
  const top = argmax(probabilities);
  return { class: network.data.classes[top] ?? '', probability: probabilities[top] ?? 0 };
}
