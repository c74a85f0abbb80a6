/** Folders, the tiny pack and made-up music: what tests need that start no engine of their own, which is long to load. */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { encodeWav } from '../../models/audio/encode-wav.ts';
import { Random } from '../../models/numerics/random.ts';
import { afterFile } from './after-file.ts';
import { TINY, writeTinyPack } from './tiny-pack.ts';

let packs: Promise<string> | null = null;

/** A fresh folder that is removed when the test file ends. */
export function testFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'archetone-engine-'));
  afterFile(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Folder with the tiny pack under the name `compact`, which is what libraries use unless told otherwise. */
export function tinyPacks(): Promise<string> {
  packs ??= (async () => {
    const folder = testFolder();
    afterFile(() => void (packs = null));
    await writeTinyPack(join(folder, 'compact'), { seed: 1, id: 'compact' });
    return folder;
  })();
  return packs;
}

/** Timbres far enough apart for the tiny pack to tell them: sets of partials. */
const timbres: Record<string, readonly number[]> = {
  bass: [100, 150, 200],
  mid: [500, 650, 800],
  high: [1500, 1900, 2400],
};

/** The sound of a class, varied by `seed`: partials of its own band with a little noise. */
export function classSound(timbre: string, seconds: number, seed: number): Float32Array {
  const random = new Random(seed);
  const partials = (timbres[timbre] ?? timbres['mid'] ?? []).map(
    (hz) => hz * (0.97 + 0.06 * random.uniform()),
  );
  const phases = partials.map(() => random.uniform() * 2 * Math.PI);
  return Float32Array.from({ length: Math.round(seconds * TINY.sampleRate) }, (_, n) => {
    const tone = partials.reduce(
      (sum, hz, i) => sum + Math.sin((2 * Math.PI * hz * n) / TINY.sampleRate + (phases[i] ?? 0)),
      0,
    );
    return 0.2 * tone + 0.01 * random.normal();
  });
}

/** Writes a mono WAV file at the tiny pack's rate. */
export function writeSound(path: string, samples: Float32Array, sampleRate: number = TINY.sampleRate): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, encodeWav(samples, sampleRate, 'pcm16'));
}

/**
 * A music folder with `perClass` tracks of each timbre in a folder of its own: `bass/bass_hit_0.wav` …; even ones are
 * `hit`, odd ones `long`. Sounds last `seconds`, 1.6 by default (3 windows and a rest).
 */
export function writeMusic(options: { perClass: number; seconds?: number; classes?: string[] }): string {
  const folder = testFolder();
  const { perClass, seconds = 1.6, classes = Object.keys(timbres) } = options;
  for (const [c, name] of classes.entries()) {
    for (let i = 0; i < perClass; i++) {
      const kind = i % 2 === 0 ? 'hit' : 'long';
      writeSound(join(folder, name, `${name}_${kind}_${i}.wav`), classSound(name, seconds, 1000 * c + i));
    }
  }
  return folder;
}

/** Copies a file of `tests/fixtures/audio` into a folder. */
export function copyFixture(name: string, folder: string, as = name): void {
  mkdirSync(dirname(join(folder, as)), { recursive: true });
  copyFileSync(join(import.meta.dirname, '../fixtures/audio', name), join(folder, as));
}
