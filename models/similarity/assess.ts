import { meanByTrack } from '../embeddings/pooling.ts';
import { kFolds } from '../evaluation/splits/folds.ts';
import { bootstrap, type Interval } from '../evaluation/statistics/index.ts';
import { NumericError } from '../numerics/errors.ts';
import { Random } from '../numerics/random.ts';
import { restrict, shuffled, type TrackLists } from './lists.ts';
import { project } from './projection.ts';
import { retrieve, retrievalMetrics, type ListScores, type RetrievalMetric } from './retrieval.ts';
import {
  learnProjection,
  type ContrastProgress,
  type SimilaritySettings,
  type TrackVectors,
} from './train.ts';
import { fitWhitening, whiten } from './whitening.ts';

/**
 * What is compared: `learned`; `shuffled`, learned in the same way from playlists whose tracks were dealt out anew;
 * `whitened`, the embeddings by PCA-whitening; `plain`, the embeddings as they are.
 */
export const similarityMethods = ['learned', 'shuffled', 'whitened', 'plain'] as const;
export type SimilarityMethod = (typeof similarityMethods)[number];

/**
 * What learning is held against: none knows the playlists. The first two quiet loud directions that say nothing, and the third
 * is what one has without learning.
 */
export const similarityControls = ['shuffled', 'whitened', 'plain'] as const;
export type SimilarityControl = (typeof similarityControls)[number];

/** `better` or `worse` where the interval of the difference leaves 0 out. */
export type Verdict = 'better' | 'worse' | 'cannot-tell';

type PerMetric<T> = Record<RetrievalMetric, T>;

/** How well tracks find the others of playlists that nothing was learned from. */
export interface SimilarityFigures {
  /** Playlists that could be asked, and tracks that did ask. */
  lists: number;
  queries: number;
  /** Mean over playlists, with 95 % of what other draws of the playlists would give. */
  methods: Record<SimilarityMethod, PerMetric<Interval>>;
  /** What a random order gives, by expectation. */
  chance: PerMetric<number>;
  /** Learned minus control, playlist by playlist. */
  gains: Record<SimilarityControl, PerMetric<Interval & { verdict: Verdict }>>;
}

export interface Assessment {
  all: SimilarityFigures;
  /** Without pairs that are known to be by one artist; null where no artist is known, or nothing else is left to ask. */
  otherArtists: SimilarityFigures | null;
}

/** What an assessment goes by. */
export interface SimilarityData {
  vectors: TrackVectors;
  lists: TrackLists;
  artists: readonly (string | null)[];
  /** Of each track: those of one group, such as copies of a recording, never part in a split. */
  groups: readonly string[];
}

const FOLDS = 3;
/** Of fewer playlists no draw says anything. */
const FEWEST_LISTS = 5;
/** Keeps the seeds of the control apart from those of what is learned. */
const CONTROL_SEED = 0x5eed;

interface Answers {
  scores: Record<SimilarityMethod, (ListScores | null)[]>;
}

/**
 * Splits playlists and tracks into three parts each; learns from two of both, and asks the third: none of its playlists and
 * none of its tracks was learned from.
 * @param onProgress share done, 0…1
 * @throws NumericError `empty` when a part has nothing to learn from; the signal's reason
 */
export async function assessSimilarity(
  data: SimilarityData,
  settings: SimilaritySettings,
  options: { signal: AbortSignal; onProgress?: (share: number) => void; pace?: () => Promise<void> },
): Promise<Assessment> {
  const { signal } = options;
  const parts = { all: [] as Answers[], otherArtists: [] as Answers[] };
  const runs = 2 * FOLDS;
  let run = 0;
  const learn = (
    lists: TrackLists,
    artists: SimilarityData['artists'],
  ): ReturnType<typeof learnProjection> => {
    const done = run++;
    return learnProjection({ ...data, lists, artists }, settings, {
      ...options,
      onProgress: ({ step, steps }: ContrastProgress) => options.onProgress?.((done + step / steps) / runs),
    });
  };
  for (const { train, test, candidates } of foldsOf(data, settings.seed)) {
    const taught = [...new Set(train.flat())].sort((a, b) => a - b);
    const named = (of: (place: number) => number): SimilarityData['artists'] => {
      // Held-out tracks teach nothing, not even whom they are by.
      const artists: (string | null)[] = data.artists.map(() => null);
      taught.forEach((track, place) => (artists[track] = data.artists[of(place)] ?? null));
      return artists;
    };
    const learned = await learn(
      train,
      named((place) => taught[place] ?? -1),
    );
    const chance = new Random(settings.seed ^ CONTROL_SEED);
    const dealt = shuffled(train, chance);
    const others = chance.shuffle(taught);
    const control = await learn(
      dealt,
      named((place) => others[place] ?? -1),
    );
    const { means, rows, rowTrack } = candidateRows(data.vectors, candidates);
    const { dim } = data.vectors;
    const placed = async (projection: typeof learned): Promise<Float32Array> =>
      meanByTrack(await project(projection, rows, signal), settings.dim, rowTrack, candidates.length);
    const learners = candidateRows(data.vectors, taught).means;
    const whitening = await fitWhitening(learners, dim, settings.dim, signal);
    const spaces: Record<SimilarityMethod, [Float32Array, number]> = {
      learned: [await placed(learned), settings.dim],
      shuffled: [await placed(control), settings.dim],
      whitened: [whiten(whitening, means), whitening.axes.length],
      plain: [means, dim],
    };
    for (const [part, artists] of [
      ['all', null],
      ['otherArtists', data.artists],
    ] as const) {
      const scores = {} as Answers['scores'];
      for (const method of similarityMethods) {
        const [vectors, width] = spaces[method];
        scores[method] = await retrieve({ candidates, lists: test, artists }, vectors, width, signal);
      }
      parts[part].push({ scores });
    }
  }
  const all = await figuresOf(parts.all, settings.seed, signal);
  if (!all)
    throw new NumericError(
      'empty',
      'No playlist keeps two tracks in a part that nothing is learned from.',
      'Add playlists with more tracks.',
    );
  const known = data.artists.some((artist) => artist !== null);
  return { all, otherArtists: known ? await figuresOf(parts.otherArtists, settings.seed, signal) : null };
}

interface Fold {
  train: number[][];
  /** Playlists of the held-out part, over its tracks. */
  test: number[][];
  candidates: number[];
}

function foldsOf({ lists, groups }: SimilarityData, seed: number): Fold[] {
  const used = [...new Set(lists.flat())].sort((a, b) => a - b);
  const names = [...new Set(used.map((track) => groups[track] ?? ''))];
  const trackFolds = kFolds(names.length, FOLDS, seed).map(
    ({ test }) => new Set(test.map((i) => names[i] ?? '')),
  );
  return kFolds(lists.length, FOLDS, seed + 1).map(({ train, test }, fold) => {
    const held = (track: number): boolean => trackFolds[fold]?.has(groups[track] ?? '') ?? false;
    const pick = (numbers: readonly number[]): number[][] => numbers.map((i) => [...(lists[i] ?? [])]);
    return {
      train: restrict(pick(train), (track) => !held(track)),
      test: restrict(pick(test), held),
      candidates: used.filter(held),
    };
  });
}

/** The windows of some tracks, whose they are, and the mean of each track. */
function candidateRows(
  { dim, vectors, starts }: TrackVectors,
  tracks: readonly number[],
): { rows: Float32Array; rowTrack: Int32Array; means: Float32Array } {
  const windows = tracks.flatMap((track, i) => {
    const [from = 0, to = 0] = [starts[track], starts[track + 1]];
    return Array.from({ length: to - from }, (_, w) => [from + w, i] as const);
  });
  const rows = new Float32Array(windows.length * dim);
  windows.forEach(([from], row) => rows.set(vectors.subarray(from * dim, (from + 1) * dim), row * dim));
  const rowTrack = Int32Array.from(windows, ([, track]) => track);
  return { rows, rowTrack, means: meanByTrack(rows, dim, rowTrack, tracks.length) };
}

/** Null where no playlist could be asked. */
async function figuresOf(
  parts: readonly Answers[],
  seed: number,
  signal: AbortSignal,
): Promise<SimilarityFigures | null> {
  const of = (method: SimilarityMethod): ListScores[] =>
    parts.flatMap(({ scores }) => scores[method].filter((list) => list !== null));
  const learned = of('learned');
  const count = learned.length;
  if (count === 0) return null;
  const mean = (values: (list: number) => number): Promise<Interval> =>
    bootstrap(count, (lists) => lists.reduce((sum, list) => sum + values(list), 0) / count, { seed, signal });
  const perMetric = async <T>(make: (metric: RetrievalMetric) => Promise<T>): Promise<PerMetric<T>> => {
    const made = {} as PerMetric<T>;
    for (const metric of retrievalMetrics) made[metric] = await make(metric);
    return made;
  };
  const methods = {} as SimilarityFigures['methods'];
  for (const method of similarityMethods) {
    const own = of(method);
    methods[method] = await perMetric((metric) => mean((list) => own[list]?.[metric] ?? 0));
  }
  const gains = {} as SimilarityFigures['gains'];
  for (const control of similarityControls) {
    const other = of(control);
    gains[control] = await perMetric(async (metric) => {
      const gain = await mean((list) => (learned[list]?.[metric] ?? 0) - (other[list]?.[metric] ?? 0));
      return { ...gain, verdict: verdictOf(gain, count) };
    });
  }
  return {
    lists: count,
    queries: learned.reduce((sum, { queries }) => sum + queries, 0),
    methods,
    chance: await perMetric((metric) =>
      Promise.resolve(learned.reduce((sum, { chance }) => sum + chance[metric], 0) / count),
    ),
    gains,
  };
}

function verdictOf({ low, high }: Interval, lists: number): Verdict {
  if (lists < FEWEST_LISTS) return 'cannot-tell';
  return low > 0 ? 'better' : high < 0 ? 'worse' : 'cannot-tell';
}
