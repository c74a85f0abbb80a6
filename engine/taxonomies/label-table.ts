import type { UnmatchedRows } from '../api/taxonomies.ts';
import type { LabelRow } from './label-rows.ts';
import { TrackMatcher } from '../library/track-matcher.ts';
import { unmatchedText } from './unmatched.ts';

/** What a label file says about the tracks of a library. */
export interface LabelTable {
  /** Rows of the file, its header not counted. */
  rows: number;
  /** Labels by number of the track, in the order of the file. */
  labels: Map<number, string[]>;
  unmatched: number;
  /** One entry per reason, the most frequent first. */
  reasons: UnmatchedRows[];
  /** All rows, where there are few enough to be kept; else null. */
  kept: LabelRow[] | null;
}

/** More rows than this are not kept: the file is read again instead. */
const MAX_KEPT_ROWS = 50_000;

/** Gathers the rows of a label file by the tracks they name. Rows of the same track are joined. */
export class LabelTableBuilder {
  readonly #paths: readonly string[];
  readonly #matcher: TrackMatcher;
  readonly #labels = new Map<number, Set<string>>();
  readonly #reasons = new Map<UnmatchedRows['reason'], Omit<UnmatchedRows, 'message'>>();
  #kept: LabelRow[] | null = [];
  #rows = 0;
  #unmatched = 0;

  /** @param paths of tracks, relative to `folder`, with forward slashes */
  constructor(paths: readonly string[], folder: string) {
    this.#paths = paths;
    this.#matcher = new TrackMatcher(paths, folder);
  }

  get rows(): number {
    return this.#rows;
  }

  add(row: LabelRow): void {
    this.#rows++;
    if (this.#kept && this.#rows > MAX_KEPT_ROWS) this.#kept = null;
    this.#kept?.push(row);
    const track = this.#matcher.match(row.path);
    if (typeof track !== 'number') {
      this.#unmatched++;
      const known = this.#reasons.get(track.reason);
      if (known) known.rows++;
      else
        this.#reasons.set(track.reason, {
          reason: track.reason,
          rows: 1,
          example: { row: this.#rows + 1, path: row.path.slice(0, 500) },
          tracks: track.tracks.map((number) => this.#paths[number] ?? ''),
        });
      return;
    }
    let labels = this.#labels.get(track);
    if (!labels) this.#labels.set(track, (labels = new Set()));
    for (const label of row.labels) labels.add(label);
  }

  finish(): LabelTable {
    return {
      rows: this.#rows,
      labels: new Map([...this.#labels].map(([track, labels]) => [track, [...labels]])),
      unmatched: this.#unmatched,
      reasons: [...this.#reasons.values()]
        .sort((a, b) => b.rows - a.rows)
        .map((found) => ({ ...found, message: unmatchedText(found) })),
      kept: this.#kept,
    };
  }
}
