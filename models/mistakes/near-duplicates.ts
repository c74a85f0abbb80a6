import { ExactIndex } from '../neighbours/exact.ts';

/** What is compared of a track. */
export interface ComparedTrack {
  /** SHA-256 of the file; null: not known. */
  contentHash: string | null;
  /** null: not known. */
  durationSeconds: number | null;
}

/** Tracks that are one recording. */
export interface DuplicateGroup {
  /** Row numbers, ascending, two or more. */
  rows: number[];
  /** `content`: all have the same bytes; `sound`: they only sound the same. */
  kind: 'content' | 'sound';
  /** Smallest cosine similarity that joined two of them, 0 … 1. */
  similarity: number;
}

/**
 * Cosine similarity of track embeddings from which two tracks of one length are taken for one recording. Chosen with the
 * compact pack on 600 rendered sounds and copies of 50 of them: it found 72 % of the copies at another rate, as MP3, as
 * Vorbis and 12 dB quieter, as many false pairs as at 0.99. On 637 recorded notes, which chose nothing: 63 %, no false pair.
 * What it misses are mostly quieter copies: the embeddings hear the level.
 */
export const SAME_SOUND = 0.98;
/** Codecs add some padding at either end. */
const LENGTH_SECONDS = 0.2;
const LENGTH_SHARE = 0.01;
/** Copies of one track that are looked for; more of them are found through one another. */
const COPIES = 6;
/** What sounds the same more often than that is a kind of sound (drum hits, test tones): only the same bytes are copies. */
const MOST_COPIES = 8;

/**
 * Groups of copies: same bytes, or the same sound at another rate or codec, and some at another gain. What is only alike
 * (another take, a cover) has another length or a lower similarity.
 * @param vectors `[n, dim]` track embeddings, finite
 */
export async function findDuplicates(
  tracks: readonly ComparedTrack[],
  vectors: Float32Array,
  dim: number,
  { signal, threshold = SAME_SOUND }: { signal: AbortSignal; threshold?: number },
): Promise<DuplicateGroup[]> {
  const joined = new Joined(tracks.length);
  const firstWith = new Map<string, number>();
  for (const [row, { contentHash }] of tracks.entries()) {
    const first = contentHash === null ? undefined : firstWith.get(contentHash);
    if (first !== undefined) joined.join(first, row, 1);
    else if (contentHash !== null) firstWith.set(contentHash, row);
  }
  if (tracks.length > 1) {
    const index = await ExactIndex.build(vectors, dim, 'cosine');
    try {
      const found = await index.query(vectors, Math.min(tracks.length, COPIES), { signal });
      for (const [row, near] of found.entries())
        for (const { row: other, distance } of near)
          if (other !== row && 1 - distance >= threshold && sameLength(tracks[row], tracks[other]))
            joined.join(row, other, 1 - distance);
    } finally {
      await index.close();
    }
  }
  return joined.groups().flatMap((group): DuplicateGroup[] => {
    const sameBytes = byContent(tracks, group.rows);
    if (sameBytes.length === 1) return [{ ...group, kind: 'content' }];
    if (group.rows.length <= MOST_COPIES) return [{ ...group, kind: 'sound' }];
    return sameBytes.flatMap((rows): DuplicateGroup[] =>
      rows.length > 1 ? [{ rows, kind: 'content', similarity: 1 }] : [],
    );
  });
}

/** The rows by their bytes; one whose bytes are not known is on its own. */
function byContent(tracks: readonly ComparedTrack[], rows: readonly number[]): number[][] {
  const groups = new Map<string | number, number[]>();
  for (const row of rows) {
    const key = tracks[row]?.contentHash ?? row;
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  return [...groups.values()];
}

function sameLength(a: ComparedTrack | undefined, b: ComparedTrack | undefined): boolean {
  const [own, other] = [a?.durationSeconds ?? null, b?.durationSeconds ?? null];
  if (own === null || other === null) return false;
  return Math.abs(own - other) <= Math.max(LENGTH_SECONDS, LENGTH_SHARE * Math.max(own, other));
}

/** Rows that belong together, by union and find. */
class Joined {
  readonly #parent: number[];
  readonly #similarity = new Map<number, number>();

  constructor(count: number) {
    this.#parent = Array.from({ length: count }, (_, row) => row);
  }

  join(a: number, b: number, similarity: number): void {
    const [x, y] = [this.#root(a), this.#root(b)];
    const least = Math.min(similarity, this.#similarity.get(x) ?? 1, this.#similarity.get(y) ?? 1);
    this.#parent[Math.max(x, y)] = Math.min(x, y);
    this.#similarity.set(Math.min(x, y), least);
  }

  groups(): { rows: number[]; similarity: number }[] {
    const rows = new Map<number, number[]>();
    for (const row of this.#parent.keys()) {
      const root = this.#root(row);
      const own = rows.get(root);
      if (own) own.push(row);
      else rows.set(root, [row]);
    }
    return [...rows]
      .filter(([, own]) => own.length > 1)
      .map(([root, own]) => ({ rows: own, similarity: this.#similarity.get(root) ?? 1 }));
  }

  #root(row: number): number {
    let at = row;
    for (let up = this.#parent[at] ?? at; up !== at; up = this.#parent[at] ?? at) {
      this.#parent[at] = this.#parent[up] ?? up;
      at = up;
    }
    return at;
  }
}
