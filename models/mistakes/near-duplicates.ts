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
 * Cosine similarity of track embeddings from which two tracks of one length are taken for one recording where they cannot be
 * heard. The embeddings hear the level: by this alone, most copies that are 12 dB quieter are missed.
 */
export const SAME_SOUND = 0.98;
/** From this similarity on tracks of one length are listened to: a copy that is 12 dB quieter is hardly ever less alike. */
const ALIKE = 0.8;
/** Codecs add some padding at either end. */
const LENGTH_SECONDS = 0.2;
const LENGTH_SHARE = 0.01;
/** Copies of one track that are looked for; more of them are found through one another. */
const COPIES = 6;
/**
 * What is as similar more often than that, and could not be heard, is a kind of sound (drum hits, test tones): only the same bytes are
 * copies.
 */
const MOST_COPIES = 8;

/**
 * Told by the audio of two rows whether they are one recording; null where it could not be heard.
 * @param counted pairs that were decided before, and all of them
 */
export type HeardSame = (
  row: number,
  other: number,
  counted: { done: number; total: number },
) => Promise<boolean | null>;

/**
 * Groups of copies: same bytes, or the same sound at another rate, codec or gain. What is only alike (another take, a cover) has
 * another length, a lower similarity, or another waveform.
 * @param vectors `[n, dim]` track embeddings, finite
 * @param options.heard decides about tracks that are alike; without it their similarity does
 * @throws the signal's reason; what `heard` throws
 */
export async function findDuplicates(
  tracks: readonly ComparedTrack[],
  vectors: Float32Array,
  dim: number,
  { signal, heard }: { signal: AbortSignal; heard?: HeardSame },
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
    let found;
    try {
      found = await index.query(vectors, Math.min(tracks.length, COPIES), { signal });
    } finally {
      await index.close();
    }
    const pairs = alikePairs(tracks, found, heard ? ALIKE : SAME_SOUND);
    for (const [i, { row, other, similarity }] of pairs.entries()) {
      // One that is in the group already needs no ear.
      if (heard && joined.together(row, other)) continue;
      const answer = heard ? await heard(row, other, { done: i, total: pairs.length }) : null;
      if (answer ?? similarity >= SAME_SOUND) joined.join(row, other, similarity, answer === null);
    }
  }
  return joined.groups().flatMap(({ guessed, ...group }): DuplicateGroup[] => {
    const sameBytes = byContent(tracks, group.rows);
    if (sameBytes.length === 1) return [{ ...group, kind: 'content' }];
    if (!guessed || group.rows.length <= MOST_COPIES) return [{ ...group, kind: 'sound' }];
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

/** Pairs of one length that are near each other, each once, the lower row first. */
function alikePairs(
  tracks: readonly ComparedTrack[],
  found: readonly (readonly { row: number; distance: number }[])[],
  least: number,
): { row: number; other: number; similarity: number }[] {
  const asked = new Set<number>();
  return found.flatMap((near, from) =>
    near.flatMap(({ row: to, distance }) => {
      const similarity = 1 - distance;
      if (to === from || similarity < least || !sameLength(tracks[from], tracks[to])) return [];
      const [row, other] = [Math.min(from, to), Math.max(from, to)];
      const pair = row * tracks.length + other;
      if (asked.has(pair)) return [];
      asked.add(pair);
      return [{ row, other, similarity }];
    }),
  );
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
  /** Roots of groups that similarity alone joined somewhere. */
  readonly #guessed = new Set<number>();

  constructor(count: number) {
    this.#parent = Array.from({ length: count }, (_, row) => row);
  }

  /** @param guessed whether nothing but their similarity speaks for it */
  join(a: number, b: number, similarity: number, guessed = false): void {
    const [x, y] = [this.#root(a), this.#root(b)];
    if (guessed || this.#guessed.has(x) || this.#guessed.has(y)) this.#guessed.add(Math.min(x, y));
    const least = Math.min(similarity, this.#similarity.get(x) ?? 1, this.#similarity.get(y) ?? 1);
    this.#parent[Math.max(x, y)] = Math.min(x, y);
    this.#similarity.set(Math.min(x, y), least);
  }

  together(a: number, b: number): boolean {
    return this.#root(a) === this.#root(b);
  }

  groups(): { rows: number[]; similarity: number; guessed: boolean }[] {
    const rows = new Map<number, number[]>();
    for (const row of this.#parent.keys()) {
      const root = this.#root(row);
      const own = rows.get(root);
      if (own) own.push(row);
      else rows.set(root, [row]);
    }
    return [...rows]
      .filter(([, own]) => own.length > 1)
      .map(([root, own]) => ({
        rows: own,
        similarity: this.#similarity.get(root) ?? 1,
        guessed: this.#guessed.has(root),
      }));
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
