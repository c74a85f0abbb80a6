import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encode as encodePng } from 'fast-png';
import { encode as encodeJpeg } from 'jpeg-js';
import { encodeWav } from '../../models/audio/encode-wav.ts';
import { Random } from '../../models/numerics/random.ts';

/** Words of lyrics from the darkest sounds to the brightest. */
const moods = [
  'cavern thunder granite',
  'harbour rain iron',
  'meadow river amber',
  'lantern feather glass',
  'needle spark ice',
];

export interface AlbumsOptions {
  artists: number;
  albums?: number;
  tracks?: number;
  seconds?: number;
  sampleRate: number;
  /** Sound, cover and lyrics of an artist follow from one number; else each from one of its own. */
  tied?: boolean;
  /** Albums whose covers are exchanged, by number. */
  swapped?: readonly [number, number];
  seed?: number;
}

/**
 * Made-up artists with albums, tagged (`LIST INFO`), each album with `cover.png` or `cover.jpg`, some tracks with lyrics. The darker
 * an artist sounds the redder the cover and the heavier the words: as artificial as can be, so that it can be found.
 */
export function writeAlbums(
  folder: string,
  {
    artists,
    albums = 2,
    tracks = 2,
    seconds = 1.2,
    sampleRate,
    tied = true,
    swapped,
    seed = 1,
  }: AlbumsOptions,
): void {
  const random = new Random(seed);
  const order = random.shuffle(Array.from({ length: artists }, (_, i) => i));
  const share = (artist: number): number => (artist + 0.5) / artists;
  const shares = Array.from({ length: artists * albums }, (_, album) => {
    const artist = Math.floor(album / albums);
    return share(tied ? artist : (order[artist] ?? 0)) + 0.02 * (random.uniform() - 0.5);
  });
  if (swapped) {
    const [a, b] = swapped;
    [shares[a], shares[b]] = [shares[b] ?? 0, shares[a] ?? 0];
  }
  for (let artist = 0; artist < artists; artist++)
    for (let album = 0; album < albums; album++) {
      const name = `Artist ${String(artist).padStart(2, '0')}`;
      const place = join(folder, name, `Album ${String(album + 1)}`);
      mkdirSync(place, { recursive: true });
      const picture = coverOf(shares[artist * albums + album] ?? 0, random);
      if (album % 2 === 0)
        writeFileSync(join(place, 'cover.png'), encodePng({ ...picture, channels: 4, depth: 8 }));
      else writeFileSync(join(place, 'cover.jpg'), encodeJpeg(picture, 90).data);
      for (let track = 0; track < tracks; track++) {
        const title = `Piece ${String(random.integer(1000))}`;
        const file = join(place, String(track + 1).padStart(2, '0'));
        const sound = soundOf(share(artist), seconds, sampleRate, random);
        writeFileSync(
          `${file}.wav`,
          tagged(encodeWav(sound, sampleRate, 'pcm16'), {
            ...{ INAM: title, IART: name, IPRD: `${name} Album ${String(album + 1)}` },
          }),
        );
        const mood = share(tied ? artist : (order[artist] ?? 0)) * moods.length;
        const words = random.shuffle((moods[Math.floor(mood)] ?? '').split(' '));
        if (track % 2 === 0) writeFileSync(`${file}.txt`, `${name}\n${words.join(' ')}\n${words.join(' ')}`);
        else
          writeFileSync(
            `${file}.lrc`,
            `[ti:${title}]\n${words.map((word, i) => `[00:0${String(i)}.00]${word}`).join('\n')}`,
          );
      }
    }
}

/** Harmonics of 110 Hz whose loudest lies a share of the way up: from dark to bright. */
export function soundOf(share: number, seconds: number, sampleRate: number, random: Random): Float32Array {
  const centre = 5 * (share + 0.02 * (random.uniform() - 0.5));
  const partials = Array.from({ length: 30 }, (_, i) => ({
    hz: 110 * (i + 1),
    level: 0.2 * Math.exp(-((Math.log2(i + 1) - centre) ** 2) / 2),
    phase: random.uniform() * 2 * Math.PI,
  }));
  return Float32Array.from({ length: Math.round(seconds * sampleRate) }, (_, n) => {
    const tone = partials.reduce(
      (sum, { hz, level, phase }) => sum + level * Math.sin((2 * Math.PI * hz * n) / sampleRate + phase),
      0,
    );
    return 0.5 * tone + 0.002 * random.normal();
  });
}

/** Stripes of a colour a share of the way from red to blue, lighter and darker. */
export function coverOf(share: number, random: Random): { width: number; height: number; data: Uint8Array } {
  const side = 96;
  const data = new Uint8Array(side * side * 4);
  const period = 12 + random.integer(12);
  const colour = [0, 1, 2].map(
    (c) => (1 - share) * ([230, 60, 40][c] ?? 0) + share * ([30, 90, 230][c] ?? 0),
  );
  for (let y = 0; y < side; y++)
    for (let x = 0; x < side; x++) {
      const light = (x + y) % period < period / 2 ? 1 : 0.8;
      data.set([...colour.map((value) => Math.round(light * value)), 255], 4 * (y * side + x));
    }
  return { width: side, height: side, data };
}

/** A WAV with a `LIST INFO` chunk behind its sound. */
function tagged(wav: Uint8Array, tags: Record<string, string>): Uint8Array {
  const chunk = (name: string, data: Buffer): Buffer => {
    const head = Buffer.alloc(8);
    head.write(name, 0, 'latin1');
    head.writeUInt32LE(data.length, 4);
    return Buffer.concat([head, data, Buffer.alloc(data.length % 2)]);
  };
  const info = Object.entries(tags).map(([name, text]) => chunk(name, Buffer.from(`${text}\0`, 'utf8')));
  const whole = Buffer.concat([wav, chunk('LIST', Buffer.concat([Buffer.from('INFO', 'latin1'), ...info]))]);
  whole.writeUInt32LE(whole.length - 8, 4);
  return whole;
}
