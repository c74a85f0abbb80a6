import { join } from 'node:path';
import { splitGroups } from '../../models/evaluation/splits/groups.ts';
import { COVER_DIM } from '../../models/modalities/cover-features.ts';
import type { SharedData } from '../../models/modalities/kinds.ts';
import { rarity, withoutPhrases, wordFeatures, wordsOf, WORDS_DIM } from '../../models/modalities/words.ts';
import { counted, thereAre } from '../../models/text/counted.ts';
import { Pacer } from '../../models/numerics/pacer.ts';
import { EngineError } from '../api/errors.ts';
import {
  FEWEST_EXAMPLES,
  fewestToShare,
  type SharedClasses,
  type SharedReadiness,
} from '../api/modalities.ts';
import type { DescribedTrack } from '../library/tracks.ts';
import type { Library } from '../library/library.ts';
import { readCovers, readLyrics, type CoverNetwork, type ReadOptions } from './read.ts';

const MOST_EXAMPLES = 20;
const MOST_LISTED = 200;

/** Tracks that a space can be learned from, with their classes. */
interface Usable {
  tracks: DescribedTrack[];
  /** Class of each track, by number. */
  labels: number[];
  names: string[];
  /** What would give each class away. */
  phrases: string[][];
  groups: string[];
}

interface ClassSource {
  /** What the classes are called together. */
  title: string;
  /** What one class, and several of them, are called. */
  words: readonly [one: string, many: string];
  groupBy: 'artist' | 'album';
  of: ClassOf;
}
/** What a class source makes of a track; null for none. */
type ClassOf = (track: DescribedTrack) => OwnClass | null;
interface OwnClass {
  /** Equal for tracks of one class. */
  key: string;
  name: string;
  /** What of the name gives the class away; the whole where it is not said. */
  phrase?: string;
}

const folded = (text: string): string => text.trim().normalize().toLowerCase();

const classSources: {
  readonly [K in SharedClasses['kind']]: (
    library: Library,
    classes: Extract<SharedClasses, { kind: K }>,
  ) => ClassSource;
} = {
  artist: () => ({
    title: 'artists',
    words: ['artist', 'artists'],
    groupBy: 'artist',
    of: ({ artist }) => (artist?.trim() ? { key: folded(artist), name: artist.trim() } : null),
  }),
  album: () => ({
    title: 'albums',
    words: ['album', 'albums'],
    groupBy: 'artist',
    of: ({ artist, album }) =>
      album?.trim()
        ? {
            key: `${folded(artist ?? '')}\n${folded(album)}`,
            // Many artists have an album of their own name, or of the greatest hits.
            name: [artist?.trim(), album.trim()].filter(Boolean).join(' · '),
            phrase: album,
          }
        : null,
  }),
  taxonomy: (library, { taxonomyId }) => {
    const title = library.taxonomies.nameOf(taxonomyId);
    const labels = library.labels.of(taxonomyId);
    return {
      title,
      words: [`class of “${title}”`, `classes of “${title}”`],
      groupBy: 'album',
      of: ({ id }) => {
        // A track of several labels is an example of none of them alone.
        const [name, ...more] = labels.get(id) ?? [];
        return name === undefined || more.length > 0 ? null : { key: name, name };
      },
    };
  },
};

function sourceOf(library: Library, classes: SharedClasses): ClassSource {
  switch (classes.kind) {
    case 'artist':
      return classSources.artist(library, classes);
    case 'album':
      return classSources.album(library, classes);
    case 'taxonomy':
      return classSources.taxonomy(library, classes);
  }
}

/** What the classes are called together. @throws EngineError `not-found` for a taxonomy that is gone */
export const classesTitle = (library: Library, classes: SharedClasses): string =>
  sourceOf(library, classes).title;

function usable(library: Library, classes: SharedClasses): Usable {
  const { of, groupBy } = sourceOf(library, classes);
  const fewest = fewestToShare[classes.kind];
  const leftOut = library.tracks.leftOut();
  const embedded = new Set(library.embeddings.tracks().trackIds);
  const described = library.tracks.described().filter(({ id }) => embedded.has(id) && !leftOut.has(id));
  const coverOf = new Map(described.map(({ id, cover }) => [id, cover]));
  const facts = library.groupFacts().map((own) => {
    const cover = coverOf.get(own.id) ?? null;
    // Tracks of one cover never part, or the cover would give away what is asked; artists keep theirs together anyhow.
    return groupBy === 'artist' || cover === null || own.copies !== undefined
      ? own
      : { ...own, copies: `cover ${cover}` };
  });
  const groupOf = splitGroups(facts, groupBy);
  const members = new Map<string, { name: string; phrase: string; tracks: DescribedTrack[] }>();
  for (const track of described) {
    const own = of(track);
    if (!own) continue;
    const there = members.get(own.key);
    if (there) there.tracks.push(track);
    else members.set(own.key, { name: own.name, phrase: own.phrase ?? own.name, tracks: [track] });
  }
  const kept = [...members.entries()]
    .filter(
      ([, { tracks }]) =>
        tracks.length >= fewest.tracks &&
        new Set(tracks.map(({ id }) => groupOf.get(id))).size >= fewest.groups,
    )
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const all = kept.flatMap(([, { tracks }], label) => tracks.map((track) => ({ track, label })));
  // In the order of their paths, so that the same music gives the same numbers.
  all.sort((a, b) => (a.track.path < b.track.path ? -1 : 1));
  return {
    tracks: all.map(({ track }) => track),
    labels: all.map(({ label }) => label),
    names: kept.map(([, { name }]) => name),
    phrases: kept.map(([, { phrase }]) => wordsOf(phrase)),
    groups: all.map(({ track }) => groupOf.get(track.id) ?? track.path),
  };
}

/** Tracks whose cover is there and was not taken. */
const withCoverLeftOut = (tracks: readonly DescribedTrack[]): DescribedTrack[] =>
  tracks.filter(({ cover, coverProblem }) => cover === null && coverProblem !== null);

/** What there is to learn from. @throws EngineError `not-found` */
export function readiness(library: Library, classes: SharedClasses): SharedReadiness {
  const { tracks, names, groups } = usable(library, classes);
  const without = tracks.filter(({ cover }) => cover === null);
  const counts = {
    classes: names.length,
    tracks: tracks.length,
    groups: new Set(groups).size,
    covers: new Set(tracks.flatMap(({ cover }) => cover ?? [])).size,
    withoutCover: {
      tracks: without.length,
      examples: [...withCoverLeftOut(without), ...without.filter(({ coverProblem }) => coverProblem === null)]
        .slice(0, MOST_EXAMPLES)
        .map(({ path, coverProblem }) => ({ path, reason: coverProblem })),
    },
  };
  const fewest = fewestToShare[classes.kind];
  if (counts.classes >= fewest.classes && counts.groups >= 3) return { ...counts, problem: null };
  const each =
    fewest.groups > 1
      ? `${fewest.tracks} tracks or more of ${fewest.groups} different albums (or covers)`
      : `${fewest.tracks} tracks or more`;
  return {
    ...counts,
    problem: {
      message: `${thereAre(counts.classes, ...sourceOf(library, classes).words)} with ${each}; at least ${fewest.classes} are needed.`,
      hint: 'Import more music, tag artists and albums, or choose other classes.',
    },
  };
}

/** What is learned from, and what was left out of it. */
export interface Gathered {
  data: SharedData;
  trackIds: string[];
  names: string[];
  /** How rare places of words are; null where there are no words. */
  rare: Float32Array | null;
  unreadCovers: { path: string; reason: string }[];
  withoutCover: number;
  wordsLeftOut: number;
  lyrics: number;
}

/**
 * Sound, covers and words of tracks of known classes.
 * @throws EngineError `too-few-labels` with the numbers; the signal's reason
 */
export async function gatherShared(
  library: Library,
  { classes, network }: { classes: SharedClasses; network: CoverNetwork | null },
  options: ReadOptions,
): Promise<Gathered> {
  const { problem, withoutCover } = readiness(library, classes);
  if (problem) throw new EngineError('too-few-labels', problem.message, problem.hint);
  const { tracks, labels, names, phrases, groups } = usable(library, classes);
  // Before anything is waited for: the library may be shown another space, or lose tracks, meanwhile.
  const audio = audioRows(library, tracks);
  const covers = await coverRows(library, tracks, network, options);
  const unread = [
    ...withCoverLeftOut(tracks).map(({ path, coverProblem }) => ({ path, reason: coverProblem ?? '' })),
    ...covers.unread,
  ];
  const words = await wordRows(library, tracks, { classes, phrases, labels }, options);
  const data: SharedData = {
    ...{ labels, groups, classes: names.length },
    modalities: {
      audio,
      ...(enough(covers.rows) && { cover: covers.rows }),
      ...(enough(words.rows) && { words: words.rows }),
    },
  };
  if (!data.modalities.cover && !data.modalities.words)
    throw new EngineError(
      'too-few-labels',
      `${thereAre(examples(covers.rows), 'different cover')} that could be looked at, and words of ${counted(examples(words.rows), 'track')}; at least ${FEWEST_EXAMPLES} of either are needed.`,
      unread[0]?.reason ?? 'Put pictures called cover.jpg beside the tracks of an album, or tag them.',
    );
  return {
    ...{ data, names, trackIds: tracks.map(({ id }) => id) },
    rare: data.modalities.words ? words.rare : null,
    unreadCovers: unread.slice(0, MOST_LISTED),
    withoutCover: withoutCover.tracks,
    wordsLeftOut: words.leftOut,
    lyrics: words.lyrics,
  };
}

type Rows = NonNullable<SharedData['modalities']['cover']>;
const examples = ({ units }: Rows): number => new Set(units.filter((unit) => unit !== null)).size;
const enough = (rows: Rows): boolean => examples(rows) >= FEWEST_EXAMPLES;

function audioRows(library: Library, tracks: readonly DescribedTrack[]): Rows {
  const { tracks: embedded, rowOfTrack, windows } = library.embeddings.vectors();
  const { dim } = windows;
  const rows = new Float32Array(tracks.length * dim);
  tracks.forEach(({ id }, i) => {
    const row = rowOfTrack.get(id) ?? 0;
    rows.set(embedded.vectors.subarray(row * dim, (row + 1) * dim), i * dim);
  });
  return { dim, rows, units: tracks.map(({ id }) => id) };
}

async function coverRows(
  library: Library,
  tracks: readonly DescribedTrack[],
  network: CoverNetwork | null,
  options: ReadOptions,
): Promise<{ rows: Rows; unread: { path: string; reason: string }[] }> {
  const first = new Map<string, DescribedTrack>();
  for (const track of tracks)
    if (track.cover !== null && !first.has(track.cover)) first.set(track.cover, track);
  const files = [...first.keys()];
  const paths = files.map((name) => join(library.cacheFolder, 'covers', name));
  const answers = await readCovers(paths, network, options);
  const features = new Map<string, Float32Array>();
  const unread: { path: string; reason: string }[] = [];
  answers.forEach((answer, i) => {
    const name = files[i] ?? '';
    if ('features' in answer) features.set(name, answer.features);
    else {
      // Where the library keeps it tells nobody anything.
      const reason = answer.problem.message.replace(paths[i] ?? '', 'Its cover');
      unread.push({ path: first.get(name)?.path ?? name, reason });
    }
  });
  const [any] = features.values();
  const dim = any?.length ?? COVER_DIM;
  const rows = new Float32Array(tracks.length * dim);
  const units = tracks.map(({ cover }, i) => {
    const own = cover === null ? undefined : features.get(cover);
    if (own) rows.set(own, i * dim);
    return own ? cover : null;
  });
  return { rows: { dim, rows, units }, unread };
}

async function wordRows(
  library: Library,
  tracks: readonly DescribedTrack[],
  {
    classes,
    phrases,
    labels,
  }: { classes: SharedClasses; phrases: readonly string[][]; labels: readonly number[] },
  options: ReadOptions,
): Promise<{ rows: Rows; rare: Float32Array; leftOut: number; lyrics: number }> {
  const lyrics = await readLyrics(
    tracks.map(({ path }) => library.absolutePath(path)),
    options,
  );
  const pacer = new Pacer(options.signal);
  let leftOut = 0;
  const texts: string[][] = [];
  for (const [i, track] of tracks.entries()) {
    const { title, artist, album, genre, comment } = track;
    // A field that is the class itself tells nothing but that.
    const fields = [
      title,
      classes.kind === 'artist' ? '' : artist,
      classes.kind === 'album' ? '' : album,
      ...genre,
      comment,
      lyrics[i],
    ];
    const without = withoutPhrases(
      fields.flatMap((field) => wordsOf(field ?? '')),
      [phrases[labels[i] ?? -1] ?? []],
    );
    leftOut += without.left;
    texts.push(without.words);
    if (pacer.due(1000 * (1 + without.words.length))) await pacer.pause();
  }
  const rare = await rarity(texts, options.signal);
  const rows = new Float32Array(tracks.length * WORDS_DIM);
  for (const [i, words] of texts.entries()) {
    rows.set(wordFeatures(words, rare), i * WORDS_DIM);
    if (pacer.due(8 * WORDS_DIM * words.length)) await pacer.pause();
  }
  const units = tracks.map(({ id }, i) => ((texts[i]?.length ?? 0) > 0 ? id : null));
  return {
    ...{ rows: { dim: WORDS_DIM, rows, units }, rare, leftOut },
    lyrics: lyrics.filter((text) => text !== null).length,
  };
}
