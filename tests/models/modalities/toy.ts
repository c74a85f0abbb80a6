import { Random } from '../../../models/numerics/random.ts';
import type { SharedData } from '../../../models/modalities/kinds.ts';

/**
 * Artists with albums whose recordings and covers both come of one hidden vector of the artist, through two unlike random
 * maps with noise: what a shared classifier is made for. Without `tied` the covers come of hidden vectors of their own.
 */
export function toyData({
  artists = 40,
  albums = 3,
  tracks = 4,
  tied = true,
  noise = 0.5,
  seed = 1,
  swapped = [] as readonly [number, number][],
} = {}): SharedData {
  const random = new Random(seed);
  const [hidden, dims] = [6, { audio: 40, cover: 50 }];
  const draw = (n: number): number[] => Array.from({ length: n }, () => random.normal());
  const maps = { audio: draw(hidden * dims.audio), cover: draw(hidden * dims.cover) };
  const view = (of: 'audio' | 'cover', z: readonly number[]): number[] =>
    Array.from({ length: dims[of] }, (_, d) =>
      z.reduce(
        (sum, value, h) => sum + value * (maps[of][h * dims[of] + d] ?? 0),
        noise * 2 * random.normal(),
      ),
    );
  const count = artists * albums * tracks;
  const data = {
    labels: new Int32Array(count),
    classes: artists,
    groups: [] as string[],
    modalities: {
      audio: { dim: dims.audio, rows: new Float32Array(count * dims.audio), units: [] as string[] },
      cover: { dim: dims.cover, rows: new Float32Array(count * dims.cover), units: [] as string[] },
    },
  };
  const near = (z: readonly number[]): number[] => z.map((value) => value + noise * 0.3 * random.normal());
  const covers: number[][] = [];
  const sounds: number[][] = [];
  for (let artist = 0; artist < artists; artist++) {
    const z = draw(hidden);
    const other = tied ? z : draw(hidden);
    for (let album = 0; album < albums; album++) covers.push(view('cover', near(other)));
    for (let track = 0; track < albums * tracks; track++) sounds.push(view('audio', near(z)));
  }
  for (const [a, b] of swapped) [covers[a], covers[b]] = [covers[b] ?? [], covers[a] ?? []];
  for (let track = 0; track < count; track++) {
    const album = Math.floor(track / tracks);
    const artist = Math.floor(album / albums);
    data.labels[track] = artist;
    data.groups.push(`artist ${String(artist)}`);
    data.modalities.audio.units.push(`track ${String(track)}`);
    data.modalities.audio.rows.set(sounds[track] ?? [], track * dims.audio);
    data.modalities.cover.units.push(`album ${String(album)}`);
    data.modalities.cover.rows.set(covers[album] ?? [], track * dims.cover);
  }
  return data;
}
