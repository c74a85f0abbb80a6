import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { importFolder, startTestEngine, tracksByPath } from '../support/engine.ts';
import { testFolder } from '../support/music.ts';
import { Random } from '../../models/numerics/random.ts';
import {
  au,
  id3,
  noise,
  oddFixture,
  oggPages,
  otherStream,
  plainFixture,
  wav,
} from '../support/odd-audio.ts';

/** `ODD_FILES=500` for the long run. */
const FILES = Number(process.env.ODD_FILES ?? 90);
const SEED = Number(process.env.ODD_SEED ?? 1);

/** Formats that tell how long they are, or mark their end: what is cut from them is known to be missing. */
const telling: readonly [string, () => Buffer][] = [
  ['wav', () => wav()],
  ['wav', () => wav({ magic: 'BW64' })],
  ['wav', () => wav({ float: true })],
  ['au', () => au('int16')],
  ['aiff', () => plainFixture('stereo-16.aiff')],
  ['flac', () => plainFixture('stereo.flac')],
  ['ogg', () => plainFixture('stereo.ogg')],
  ['opus', () => oddFixture('mono.opus')],
  ['oga', () => plainFixture('stereo-flac.oga')],
  ['mp3', () => plainFixture('stereo-vbr-tagged.mp3')],
];
const silent: readonly [string, () => Buffer][] = [
  ['mp3', () => oddFixture('mono-22050.mp3')],
  ['mp3', () => oddFixture('mono-free-format.mp3')],
  ['wav', () => oddFixture('stereo-ms-adpcm.wav')],
];

type Kind = (bytes: Buffer, random: Random, other: Buffer) => Buffer;
const at = (bytes: Buffer, random: Random, from = 0.15, to = 0.85): number =>
  Math.floor(bytes.length * (from + (to - from) * random.uniform()));

/** What takes audio away, so that nobody may be left to believe that the file is whole. */
const harmful: Record<string, Kind> = {
  cut: (bytes, random) => bytes.subarray(0, at(bytes, random, 0.02, 0.8)),
  'cut to nothing': (bytes, random) => bytes.subarray(0, random.integer(60)),
  garbage: (bytes, random) => noise(bytes.length, random.integer(1e9) + 1),
  empty: () => Buffer.alloc(0),
  zeros: (bytes) => Buffer.alloc(bytes.length),
};

/** What takes nothing away. */
const harmless: Record<string, Kind> = {
  whole: (bytes) => bytes,
  'behind a tag': (bytes) => Buffer.concat([id3(3000), bytes]),
  'with a tag behind': (bytes) => Buffer.concat([bytes, Buffer.from('TAG'), Buffer.alloc(125, 0x20)]),
};

/** What may or may not be noticed: only the outcome must be one that has a name. */
const odd: Record<string, Kind> = {
  hole: (bytes, random) => {
    const copy = Buffer.from(bytes);
    const from = at(bytes, random);
    return copy.fill(random.integer(256), from, from + 200);
  },
  joined: (bytes, _random, other) => Buffer.concat([bytes, other]),
  'without its beginning': (bytes, random) => bytes.subarray(at(bytes, random, 0.01, 0.5)),
  turned: (bytes, random) => {
    const middle = at(bytes, random);
    return Buffer.concat([bytes.subarray(middle), bytes.subarray(0, middle)]);
  },
  'other stream first': (bytes) =>
    Buffer.concat([otherStream('fishead', 9), ...(isOgg(bytes) ? oggPages(bytes) : [bytes])]),
};

function isOgg(bytes: Buffer): boolean {
  return bytes.subarray(0, 4).toString('latin1') === 'OggS';
}

describe('an import of a mixed folder of odd files', () => {
  it(
    `leaves none of ${FILES} silent: ready, ready with a note, or failed with a reason`,
    async () => {
      const random = new Random(SEED);
      const folder = testFolder();
      const expected = new Map<string, 'told' | 'ready' | 'any'>();
      for (let i = 0; i < FILES; i++) {
        const sets = [harmful, harmless, odd] as const;
        const set = sets[i % 3] ?? odd;
        const names = Object.keys(set);
        const name = names[random.integer(names.length)] ?? '';
        const bases = set === harmful ? telling : [...telling, ...silent];
        const [ending, make] = bases[random.integer(bases.length)] ?? ['wav', () => wav()];
        const [, other] = bases[random.integer(bases.length)] ?? ['wav', () => wav()];
        const bytes = set[name]?.(make(), random, other()) ?? Buffer.alloc(0);
        const path = `${String(i).padStart(3, '0')} ${name}.${ending}`;
        // Bytes of its own, so that no file is the copy of another.
        writeFileSync(join(folder, path), bytes);
        expected.set(path, set === harmful ? 'told' : set === harmless ? 'ready' : 'any');
      }
      const { client } = await startTestEngine();
      const { library, result } = await importFolder(client, folder);
      const tracks = await tracksByPath(client, library.id);
      expect([...tracks.keys()].sort()).toEqual([...expected.keys()].sort());
      const wrong: string[] = [];
      let noted = 0;
      for (const [path, wanted] of expected) {
        const track = tracks.get(path);
        if (track?.note) noted++;
        const told =
          track?.state === 'failed' ? (track.problem?.hint.length ?? 0) > 20 : Boolean(track?.note);
        const ready = track?.state === 'ready' && (track.durationSeconds ?? 0) > 1;
        const named = track?.state === 'ready' || (track?.state === 'failed' && told);
        const right = { told, ready: ready && !told, any: named }[wanted];
        if (!right)
          wrong.push(
            `${path}: ${track?.state} ${track?.problem?.message ?? track?.note ?? 'without a word'}`,
          );
      }
      expect(wrong).toEqual([]);
      expect(result.noted).toBe(noted);
      expect(noted).toBeGreaterThan(3);
    },
    60_000 + FILES * 2000,
  );
});
