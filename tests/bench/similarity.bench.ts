/**
 * What a similarity learned from playlists finds, against both controls, on playlists and tracks that nothing was learned
 * from. Nobody's real playlists are at hand: they are made here, by seed, of the names of ARCHETONE_BENCH_PHILHARMONIA (files
 * as `violin_A4_05_forte_normal.mp3`). A made-up listener likes a register and a loudness, whatever the instrument, and puts
 * the 24 sounds nearest to that, with a whim, into a playlist. The instrument stands for the artist. Besides: the folders as
 * playlists, and playlists dealt out at random, from which nothing can be learned.
 */
import { classOfTracks } from '../../models/embeddings/tracks.ts';
import { Random } from '../../models/numerics/random.ts';
import { assessSimilarity, type SimilarityData } from '../../models/similarity/assess.ts';
import { shuffled } from '../../models/similarity/lists.ts';
import { pairModes } from '../../models/similarity/pairs.ts';
import { retrievalMetrics } from '../../models/similarity/retrieval.ts';
import { defaultSimilaritySettings, type SimilaritySettings } from '../../models/similarity/train.ts';
import { embedFolder } from './mistakes-collection.ts';

const SEED = 1;
const PLAYLISTS = 60;
const PER_PLAYLIST = 24;
const dynamics = ['pianissimo', 'piano', 'mezzo-piano', 'mezzo-forte', 'forte', 'fortissimo'];
const steps: Record<string, number> = { C: 0, D: 2, E: 4, F: 5, G: 7, A: 9, B: 11 };

export async function run(): Promise<void> {
  const folder = process.env['ARCHETONE_BENCH_PHILHARMONIA'];
  if (folder === undefined) {
    console.log('skipped: name the folder of the Philharmonia samples in ARCHETONE_BENCH_PHILHARMONIA');
    return;
  }
  const set = await embedFolder(folder, (path) => (traits(path) ? path.split('/').slice(0, 1) : []));
  const { ids, of } = set.tracks;
  const starts = new Int32Array(ids.length + 1);
  of.forEach((track, row) => (starts[track + 1] = row + 1));
  const instruments = classOfTracks(set);
  const data = {
    vectors: { dim: set.dim, vectors: set.features, starts },
    artists: instruments,
    groups: [...ids],
  };
  const tastes = ids.map((path) => traits(path) ?? [0, 0]);
  const liked = byTaste(tastes, new Random(SEED));
  const folders = [...new Set(instruments)].map((name) =>
    [...ids.keys()].filter((track) => instruments[track] === name),
  );
  console.log(`${ids.length} sounds, ${new Set(instruments).size} instruments, seed ${SEED}`);
  for (const pairs of pairModes) await report(`taste, ${pairs}`, { ...data, lists: liked }, { pairs });
  await report('taste, random, nothing masked', { ...data, lists: liked }, { maskAlike: false });
  await report('taste, random, hidden layer of 128', { ...data, lists: liked }, { hidden: 128 });
  await report('folders', { ...data, lists: folders }, {});
  await report('dealt at random', { ...data, lists: shuffled(liked, new Random(SEED + 1)) }, {});
}

/** Register and loudness of a sound; null for what has no pitch. */
function traits(path: string): [number, number] | null {
  const name = path.split('/').at(-1) ?? '';
  const [, note = '', sharp = '', octave = '', rest = ''] = /_([A-G])(s?)(\d)_(.*)$/.exec(name) ?? [];
  const loudness = dynamics.indexOf(rest.split('_')[1] ?? '');
  if (note === '' || loudness < 0) return null;
  const pitch = 12 * Number(octave) + (steps[note] ?? 0) + (sharp === '' ? 0 : 1);
  // Two octaves count as much as three steps of loudness.
  return [pitch / 8, loudness];
}

function byTaste(tastes: readonly (readonly number[])[], random: Random): number[][] {
  return Array.from({ length: PLAYLISTS }, () => {
    const [register = 0, loudness = 0] = tastes[random.integer(tastes.length)] ?? [];
    return tastes
      .map(([a = 0, b = 0], track) => ({
        track,
        far: Math.hypot(a - register, b - loudness) + 0.5 * Math.abs(random.normal()),
      }))
      .sort((x, y) => x.far - y.far)
      .slice(0, PER_PLAYLIST)
      .map(({ track }) => track);
  });
}

async function report(
  name: string,
  data: SimilarityData,
  changed: Partial<SimilaritySettings>,
): Promise<void> {
  const before = process.cpuUsage();
  const settings = { ...defaultSimilaritySettings, seed: SEED, ...changed };
  const { all, otherArtists } = await assessSimilarity(data, settings, {
    signal: new AbortController().signal,
  });
  const { user, system } = process.cpuUsage(before);
  console.log(`\n${name}: ${((user + system) / 1e6).toFixed(1)} s of a processor`);
  for (const [what, figures] of [
    ['all pairs', all],
    ['without the same instrument', otherArtists],
  ] as const) {
    if (!figures) {
      console.log(`${what}: no playlist could be asked`);
      continue;
    }
    console.log(`${what}: ${figures.queries} tracks of ${figures.lists} playlists`);
    console.table(
      Object.fromEntries([
        ...Object.entries(figures.methods).map(([method, own]) => [
          method,
          Object.fromEntries(
            retrievalMetrics.map((metric) => {
              const { value, low, high } = own[metric];
              return [metric, `${value.toFixed(3)} (${low.toFixed(3)}–${high.toFixed(3)})`];
            }),
          ),
        ]),
        [
          'chance',
          Object.fromEntries(retrievalMetrics.map((metric) => [metric, figures.chance[metric].toFixed(3)])),
        ],
      ]),
    );
    const { shuffled: a, whitened: b } = figures.gains;
    console.log(`NDCG@10 against shuffled: ${a.ndcg.verdict}, against whitened: ${b.ndcg.verdict}`);
  }
}
