import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FEWEST_PLAYLISTS, FEWEST_PLAYLIST_TRACKS } from '../../engine/api/similarity.ts';
import { decodeMono, readTags } from '../../models/audio/index.ts';
import { collect, never } from '../fixtures/audio/signal.ts';
// @ts-expect-error -- a script without types
import * as script from '../../scripts/demo-sounds/plan.mjs';

interface Sound {
  kind: string;
}

const { plan, rendered, tagsOf } = script as {
  plan: () => {
    files: { path: string; folder: string | null; sound: Sound }[];
    wrong: string[];
    copies: string[][];
    phrases: { path: string }[];
    playlists: { name: string; paths: string[] }[];
  };
  rendered: (sound: Sound) => Float64Array;
  tagsOf: (sound: Sound, samples: Float64Array) => Record<string, string>;
};

const demo = join(import.meta.dirname, '../../demo');
const at = (path: string): string => join(demo, 'sounds', ...path.split('/'));

describe('the demo library', () => {
  const { files, wrong, copies, phrases, playlists } = plan();

  it('holds what its script plans, and says which labels are wrong', () => {
    const planned = [...files, ...phrases].map(({ path }) => path).sort();
    const there = readdirSync(join(demo, 'sounds'), { recursive: true, encoding: 'utf8' })
      .map((path) => path.replaceAll('\\', '/'))
      .filter((path) => path.endsWith('.ogg'))
      .sort();
    expect(there).toEqual(planned);
    const planted = JSON.parse(readFileSync(join(demo, 'planted.json'), 'utf8')) as unknown;
    expect(planted).toEqual({
      wrong: wrong.map((path) => ({
        path,
        madeAs: files.find((file) => file.path === path)?.sound.kind,
      })),
      copies,
    });
    const labelled = files.filter(({ folder }) => folder !== null);
    expect(wrong.length / labelled.length).toBeCloseTo(0.05, 2);
    for (const same of copies)
      expect(new Set(same.map((path) => readFileSync(at(path), 'base64'))).size).toBe(1);
  });

  it('brings enough playlists to learn a similarity from, all of tracks that are there', () => {
    const tracks = new Set(playlists.flatMap(({ paths }) => paths));
    expect(playlists.length).toBeGreaterThanOrEqual(FEWEST_PLAYLISTS);
    expect(tracks.size).toBeGreaterThanOrEqual(FEWEST_PLAYLIST_TRACKS);
    for (const { name, paths } of playlists) {
      const lines = readFileSync(at(`Playlists/${name}.m3u8`), 'utf8')
        .trim()
        .split('\n')
        .slice(1);
      expect(lines).toEqual(paths.map((path) => `../${path}`));
      expect(paths.every((path) => existsSync(at(path)))).toBe(true);
    }
  });

  it.each(['Bell', 'Flute', 'Kick', 'Snare'])('sounds as its script makes it: %s', async (kind) => {
    const file = files.find(({ folder, sound }) => folder === kind && sound.kind === kind);
    if (!file) throw new Error(`no ${kind}`);
    const samples = rendered(file.sound);
    const heard = await collect(decodeMono(at(file.path), { sampleRate: 32_000, signal: never }));
    expect(Math.abs(heard.length - samples.length)).toBeLessThanOrEqual(1);
    let [both, made, decoded] = [0, 0, 0];
    heard.forEach((value, i) => {
      both += value * (samples[i] ?? 0);
      made += (samples[i] ?? 0) ** 2;
      decoded += value ** 2;
    });
    // What Vorbis leaves of noise at this rate is less than of tones.
    expect(both / Math.sqrt(made * decoded)).toBeGreaterThan(0.9);
    const { tags } = await readTags(at(file.path));
    const { title, artist, genre } = tagsOf(file.sound, samples);
    expect(tags).toMatchObject({ title, artist, genre: genre?.split('; ') });
  });
});
