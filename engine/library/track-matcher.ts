import type { UnmatchedRows } from '../api/taxonomies.ts';

/** Why a row of a label file, or an entry of a playlist, names no track. */
export type UnmatchedReason = UnmatchedRows['reason'];

interface Unmatched {
  reason: UnmatchedReason;
  /** Tracks that might be meant. */
  tracks: number[];
}

/**
 * Finds the tracks that the paths of a label file or a playlist mean. Paths come from other computers: with another folder in front,
 * backslashes, as `file:` URLs, in other case, decomposed. What decides is the end of the path: the last folder and the
 * name at least, or all that the row or the track has; and only one track may end so.
 */
export class TrackMatcher {
  readonly #paths: readonly string[];
  readonly #roots: readonly string[];
  readonly #exact = new Map<string, number>();
  /** Composed; null where two tracks are told apart by their form alone. */
  readonly #composed = new Map<string, number | null>();
  readonly #byName = new Map<string, number[]>();
  readonly #byTail = new Map<string, number[]>();
  readonly #byStem = new Map<string, number>();

  /**
   * @param paths of tracks, relative to `folder`, with forward slashes
   * @param folder the music folder, absolute
   */
  constructor(paths: readonly string[], folder: string) {
    this.#paths = paths;
    const root = folder.replace(/[/\\]+$/, '');
    this.#roots = [...new Set([root, composed(root), composed(root.replaceAll('\\', '/'))])].map(
      (text) => `${text}/`,
    );
    paths.forEach((path, track) => {
      this.#exact.set(path, track);
      const form = composed(path);
      this.#composed.set(form, this.#composed.has(form) ? null : track);
      const segments = folded(path).split('/');
      const name = segments.at(-1) ?? '';
      push(this.#byName, name, track);
      push(this.#byTail, segments.slice(-2).join('/'), track);
      this.#byStem.set(stemOf(name), track);
    });
  }

  /** @returns number of the track, or why there is none */
  match(row: string): number | Unmatched {
    const text = row.startsWith('file:') ? fromUrl(row) : row;
    const relative = this.#relative(text);
    const exact = this.#exact.get(text) ?? (relative === text ? undefined : this.#exact.get(relative));
    if (exact !== undefined) return exact;
    const form = isAscii(text) ? relative : composed(this.#relative(composed(text)));
    const known = this.#composed.get(form);
    if (known !== undefined && known !== null) return known;
    // A backslash may be part of a name; only where no file is called so it parts folders.
    const direct = this.#byEnd(form);
    if (typeof direct === 'number' || !form.includes('\\')) return this.#decoded(text, direct);
    const slashed = this.#relative(form.replaceAll('\\', '/'));
    const found = this.#composed.get(slashed) ?? this.#byEnd(slashed);
    return typeof found === 'number' ? found : this.#decoded(text, found);
  }

  /** Blanks as `%20` without `file:` in front come from web pages. */
  #decoded(text: string, found: number | Unmatched): number | Unmatched {
    if (typeof found === 'number' || !text.includes('%')) return found;
    const decoded = percentDecoded(text);
    const again = decoded === text || decoded.includes('%') ? found : this.match(decoded);
    return typeof again === 'number' ? again : found;
  }

  #relative(path: string): string {
    for (const root of this.#roots) if (path.startsWith(root)) return path.slice(root.length);
    return path.startsWith('.') ? path.replace(/^(\.[/\\])+/, '') : path;
  }

  #byEnd(path: string): number | Unmatched {
    const name = folded(path.slice(path.lastIndexOf('/') + 1));
    const named = this.#byName.get(name);
    if (!named) {
      const other = this.#byStem.get(stemOf(name));
      return other === undefined ? ABSENT : { reason: 'ending', tracks: [other] };
    }
    const segments = folded(path)
      .split('/')
      .filter((segment, i) => segment !== '' && segment !== '.' && !(i === 0 && /^[a-z]:$/.test(segment)));
    if (segments.length === 1) return this.#only(named, path);
    const sameFolder = this.#byTail.get(segments.slice(-2).join('/'));
    if (sameFolder) return this.#only(this.#longest(sameFolder, segments), path);
    // Tracks that lie in no folder have no more to compare.
    const top = this.#byTail.get(name);
    return top ? this.#only(top, path) : { reason: 'elsewhere', tracks: named.slice(0, SHOWN) };
  }

  /** Those with the most last segments in common. */
  #longest(tracks: readonly number[], segments: readonly string[]): readonly number[] {
    if (tracks.length === 1) return tracks;
    let best: number[] = [];
    let most = 0;
    for (const track of tracks) {
      const own = folded(this.#paths[track] ?? '').split('/');
      let same = 0;
      while (same < own.length && same < segments.length && own.at(-1 - same) === segments.at(-1 - same))
        same++;
      if (same > most) [best, most] = [[track], same];
      else if (same === most) best.push(track);
    }
    return best;
  }

  /** Where several differ in case alone, case decides. */
  #only(tracks: readonly number[], path: string): number | Unmatched {
    const [first] = tracks;
    if (tracks.length === 1 && first !== undefined) return first;
    const same = tracks.filter((track) => commonEnd(composed(this.#paths[track] ?? ''), path));
    const [exact] = same;
    if (same.length === 1 && exact !== undefined) return exact;
    return { reason: 'ambiguous', tracks: tracks.slice(0, SHOWN) };
  }
}

const ABSENT: Unmatched = { reason: 'absent', tracks: [] };
/** Tracks that are named where several might be meant. */
const SHOWN = 3;

/** Whether one path is the end of the other. */
function commonEnd(a: string, b: string): boolean {
  return a === b || a.endsWith(`/${b}`) || b.endsWith(`/${a}`);
}

// Most paths are ASCII, which has one form.
const isAscii = (text: string): boolean => /^[\x00-\x7f]*$/.test(text);
const composed = (text: string): string => (isAscii(text) ? text : text.normalize());
const folded = (text: string): string => composed(text).toLowerCase();

function stemOf(name: string): string {
  const dot = name.lastIndexOf('.');
  return dot > 0 ? name.slice(0, dot) : name;
}

function push(map: Map<string, number[]>, key: string, track: number): void {
  const list = map.get(key);
  if (list) list.push(track);
  else map.set(key, [track]);
}

/** The path of a `file:` URL, also of those that programs write wrongly. */
function fromUrl(url: string): string {
  const path = url.replace(/^file:(\/\/(localhost)?(?=\/))?/i, '');
  return percentDecoded(path).replace(/^\/([a-z]:)/i, '$1');
}

function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
