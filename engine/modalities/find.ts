import { join } from 'node:path';
import { cosine, place, placeAll } from '../../models/modalities/projection.ts';
import { wordFeatures, wordsOf } from '../../models/modalities/words.ts';
import { Pacer } from '../../models/numerics/pacer.ts';
import type { ParsedInput } from '../api/contract.ts';
import { EngineError } from '../api/errors.ts';
import type {
  CoverFit,
  FindBy,
  FoundByModality,
  FoundTrack,
  ModalityName,
  SharedClass,
} from '../api/modalities.ts';
import type { EngineContext } from '../context.ts';
import type { Library } from '../library/library.ts';
import type { SharedCard } from '../library/shared-spaces.ts';
import { unpackNumbers, type SharedNumbers } from './numbers.ts';
import { readCovers } from './read.ts';

/** A common space with the sound of a library in it. */
interface Opened {
  card: SharedCard;
  numbers: SharedNumbers;
  trackIds: readonly string[];
  /** `[tracks, dim]` */
  audio: Float32Array;
}

/** @throws EngineError `not-found`, `other-space`, `database`; the signal's reason */
async function open(library: Library, sharedId: string, pacer: Pacer): Promise<Opened> {
  const { card, numbers: stored, space } = library.sharedSpaces.get(sharedId);
  const numbers = unpackNumbers(stored, card);
  const { tracks } = library.embeddings.madeIn(library.spaces.get(space), 'This space of covers and words');
  const { audio } = numbers.model.projections;
  return {
    ...{ card, numbers, trackIds: tracks.trackIds },
    audio: audio ? await placeAll(audio, tracks.vectors, pacer) : new Float32Array(0),
  };
}

/** What a search is by. */
const modalityOf: Readonly<Record<FindBy['kind'], 'cover' | 'words'>> = {
  cover: 'cover',
  'track-cover': 'cover',
  words: 'words',
};

/** @throws EngineError `training` where the evaluation cannot tell that sound and `by` have anything to do with each other */
function requireUsable(card: SharedCard, by: ModalityName): void {
  const trial = card.trials.find(({ a, b }) => a === 'audio' && b === by);
  if (trial?.usable) return;
  const what = by === 'cover' ? 'covers' : 'words';
  throw new EngineError(
    'training',
    trial
      ? `This space cannot tell which recordings ${what} belong to: it errs in ${(100 * trial.eer.value).toFixed(0)} % (${(100 * trial.eer.low).toFixed(0)}–${(100 * trial.eer.high).toFixed(0)} %) of held-out pairs, its control in ${(100 * trial.control.value).toFixed(0)} %.`
      : `This space was learned without ${what}: there were too few of them.`,
    `Learn from more tracks with ${what}, or from other classes.`,
  );
}

/**
 * The recordings that are nearest to a cover or to words.
 * @throws EngineError `not-found`, `other-space`; `training` where it cannot tell; `bad-input` for words without letters; what
 * is wrong with the picture; the signal's reason
 */
export async function findByModality(
  context: EngineContext,
  library: Library,
  { sharedId, by, k }: ParsedInput<'modalities.find'>,
  signal: AbortSignal,
): Promise<FoundByModality> {
  // What is refused need not be opened.
  requireUsable(library.sharedSpaces.get(sharedId).card, modalityOf[by.kind]);
  const pacer = new Pacer(signal);
  const opened = await open(library, sharedId, pacer);
  const { model } = opened.numbers;
  const query = await placedQuery(context, library, opened, by, signal);
  const ask = { query, of: 0, dim: model.dim };
  const tracks = await nearest(opened.audio, { ...ask, most: k }, pacer);
  const classes = await nearest(model.prototypes, { ...ask, most: MOST_CLASSES }, pacer);
  return {
    tracks: foundTracks(
      library,
      tracks.map(({ row, cosine: value }) => ({ id: opened.trackIds[row] ?? '', cosine: value })),
    ),
    classes: classes.map(({ row, cosine: value }) => ({
      name: opened.card.classes[row]?.name ?? '',
      cosine: value,
    })),
    compared: opened.trackIds.length,
  };
}

async function placedQuery(
  context: EngineContext,
  library: Library,
  { card, numbers: { model, rare } }: Opened,
  by: FindBy,
  signal: AbortSignal,
): Promise<Float32Array> {
  if (by.kind === 'words') {
    const words = wordsOf(by.text);
    const into = model.projections.words;
    if (words.length === 0 || !into || !rare)
      throw new EngineError('bad-input', 'There is no word to look for.', 'Type letters or digits.');
    return place(into, wordFeatures(words, rare));
  }
  const into = model.projections.cover;
  if (!into) throw new Error('a usable search by covers has no projection of covers');
  const [answer] = await readCovers([coverPath(library, by)], card.imageNetwork, {
    ask: context.readers.ask,
    signal,
  });
  if (answer && 'features' in answer) return place(into, answer.features);
  throw EngineError.fromData(
    answer?.problem ?? new EngineError('internal', 'The reader gave no answer.').toData(),
  );
}

/** @throws EngineError `not-found` for a track without a cover */
function coverPath(library: Library, by: Exclude<FindBy, { kind: 'words' }>): string {
  if (by.kind === 'cover') return by.path;
  const cover = library.tracks.coverOf(by.trackId);
  if (cover !== null) return join(library.cacheFolder, 'covers', cover);
  throw new EngineError('not-found', 'This track has no cover.', 'Choose one that has, or a picture.');
}

interface Near {
  row: number;
  cosine: number;
}

/** The `most` rows of the highest cosines to row `of` of some queries, nearest first. @throws the signal's reason */
async function nearest(
  rows: Float32Array,
  { query, of, dim, most }: { query: Float32Array; of: number; dim: number; most: number },
  pacer: Pacer,
): Promise<Near[]> {
  const found: Near[] = [];
  for (let row = 0; row < rows.length / dim; row++) {
    const value = cosine(rows, row, query, of, dim);
    if (pacer.due(2 * dim)) await pacer.pause();
    const last = found.at(-1);
    if (found.length === most && last && value <= last.cosine) continue;
    let place = found.length;
    while (place > 0 && (found[place - 1]?.cosine ?? 0) < value) place -= 1;
    found.splice(place, 0, { row, cosine: value });
    if (found.length > most) found.pop();
  }
  return found;
}

/** Tracks that are gone are left out. */
function foundTracks(library: Library, found: readonly { id: string; cosine: number }[]): FoundTrack[] {
  const rows = new Map(
    library.tracks
      .rows(
        found.map(({ id }) => id),
        null,
        null,
      )
      .map((row) => [row.id, row]),
  );
  return found.flatMap(({ id, cosine: value }): FoundTrack[] => {
    const row = rows.get(id);
    if (!row) return [];
    const { title, artist, album, path } = row;
    return [{ trackId: id, title, artist, album, path, cosine: value }];
  });
}

/** Covers by how little they fit their own recordings. @throws EngineError `not-found`; `training` where it cannot tell */
export function coverFits(
  library: Library,
  { sharedId, limit }: ParsedInput<'modalities.covers'>,
): CoverFit[] {
  const { card } = library.sharedSpaces.get(sharedId);
  requireUsable(card, 'cover');
  const fits = card.fits.slice(0, limit);
  const ids = [...new Set(fits.flatMap(({ trackId, better }) => [trackId, better]))];
  const tracks = new Map(
    foundTracks(
      library,
      ids.map((id) => ({ id, cosine: 0 })),
    ).map((track) => [track.trackId, track]),
  );
  return fits.flatMap(({ trackId, tracks: count, z, better }): CoverFit[] => {
    const track = tracks.get(trackId);
    if (!track) return [];
    return [{ track, tracks: count, z, better: trackId === better ? null : (tracks.get(better) ?? null) }];
  });
}

const MOST_CLASSES = 10;
const MOST_COVERS = 4;
const MOST_NEAREST = 3;

/**
 * The class vectors, each with what lies nearest.
 * @throws EngineError `not-found`, `other-space`, `database`; the signal's reason
 */
export async function sharedClasses(
  library: Library,
  sharedId: string,
  signal: AbortSignal,
): Promise<SharedClass[]> {
  const pacer = new Pacer(signal);
  const { card, numbers, trackIds, audio } = await open(library, sharedId, pacer);
  const { prototypes: query, dim } = numbers.model;
  const picked: {
    covers: { id: string; cosine: number; own: boolean }[];
    nearest: { id: string; cosine: number }[];
  }[] = [];
  for (const of of card.classes.keys()) {
    const covers = await nearest(numbers.covers, { query, of, dim, most: MOST_COVERS }, pacer);
    const sounds = await nearest(audio, { query, of, dim, most: MOST_NEAREST }, pacer);
    picked.push({
      covers: covers.map(({ row, cosine: value }) => ({
        ...{ id: card.covers[row]?.trackId ?? '', cosine: value },
        own: card.covers[row]?.class === of,
      })),
      nearest: sounds.map(({ row, cosine: value }) => ({ id: trackIds[row] ?? '', cosine: value })),
    });
  }
  // All tracks are asked for at once.
  const ids = [...new Set(picked.flatMap((own) => [...own.covers, ...own.nearest].map(({ id }) => id)))];
  const known = new Map(
    foundTracks(
      library,
      ids.map((id) => ({ id, cosine: 0 })),
    ).map((track) => [track.trackId, track]),
  );
  const found = <T extends { id: string; cosine: number }>({
    id,
    ...more
  }: T): (FoundTrack & Omit<T, 'id'>)[] => {
    const track = known.get(id);
    return track ? [{ ...track, ...more }] : [];
  };
  return picked.map((own, label) => ({
    name: card.classes[label]?.name ?? '',
    tracks: card.classes[label]?.tracks ?? 0,
    covers: own.covers.flatMap(found),
    nearest: own.nearest.flatMap(found),
  }));
}
