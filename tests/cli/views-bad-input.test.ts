import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encode as encodePng } from 'fast-png';
import { beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { writeMidiFile } from '../../models/melody/midi.ts';
import { Random } from '../../models/numerics/random.ts';
import { writeAlbums } from '../support/albums.ts';
import { runCli, type CliRun } from '../support/cli.ts';
import { classSound, testFolder, writeMusic, writeSound } from '../support/music.ts';
import { TINY } from '../support/tiny-pack.ts';

/** What is said of an error, and that it is all: nothing on standard output beside the one document. */
const errorSchema = z.strictObject({
  error: z.strictObject({
    code: z.string(),
    message: z.string().min(1),
    hint: z.string().min(1),
    detail: z.unknown().optional(),
  }),
});

function refusalOf(run: CliRun): { exit: number | null; code: string; message: string; hint: string } {
  return { exit: run.code, ...errorSchema.parse(run.json()).error };
}

const training = ['--taxonomy', 'folders', '--prototypes', '2', '--steps', '40', '--minimum-tracks', '3'];

async function done(...args: string[]): Promise<CliRun> {
  const run = await runCli(args);
  expect([run.code, run.stderr]).toEqual([0, expect.anything()]);
  return run;
}

const seen = (library: string, music: string, ...more: string[]): Promise<CliRun> =>
  done('import', music, '--library', library, ...more);

const experiments = async (library: string): Promise<number> =>
  z
    .object({ experiments: z.array(z.unknown()) })
    .parse((await done('experiments', 'list', '--library', library, '--json')).json()).experiments.length;

describe('views on the command line', { timeout: 300_000 }, () => {
  const train = (library: string, ...views: string[]): Promise<CliRun> =>
    runCli([
      ...['train', '--library', library, ...training, '--json'],
      ...views.flatMap((view) => ['--view', view]),
    ]);

  it('are refused with other windows, of another library, and where no track has all of them', async () => {
    const music = writeMusic({ perClass: 4, classes: ['bass', 'mid'] });
    const library = join(testFolder(), 'library');
    await seen(library, music, '--pack', 'mfcc', '--windows', '1');
    await seen(library, music, '--pack', 'compact', '--windows', '2');
    expect(refusalOf(await train(library, 'compact', 'mfcc'))).toMatchObject({
      ...{ exit: 2, code: 'bad-input' },
      message: 'The views have other windows: “compact” 2 windows, “mfcc” one window.',
      hint: expect.stringContaining('same choice of windows') as string,
    });
    const other = join(testFolder(), 'other');
    await seen(other, music, '--pack', 'chroma');
    expect(refusalOf(await train(library, 'compact', 'chroma'))).toMatchObject({
      ...{ exit: 3, code: 'not-found' },
      message: expect.stringMatching(
        /No track of this library is embedded in “chroma”; it has .*“mfcc”/,
      ) as string,
      hint: expect.stringContaining('Import the library with that pack') as string,
    });
    // Each track has one view alone: those of before are gone, those that came were seen by another pack.
    const parted = join(testFolder(), 'parted');
    await seen(parted, music, '--pack', 'compact');
    for (const name of ['bass', 'mid']) {
      rmSync(join(music, name), { recursive: true });
      for (let i = 0; i < 4; i++)
        writeSound(join(music, name, `new ${i}.wav`), classSound(name, 1.6, 7000 + i));
    }
    await seen(parted, music, '--pack', 'mfcc');
    const lacking = refusalOf(await train(parted, 'compact', 'mfcc'));
    expect(lacking.message).toMatch(/“compact”/);
    expect(lacking.hint).toMatch(/Import the library with (that pack|each of these packs)/);
    for (const each of [library, parted]) expect(await experiments(each)).toBe(0);
  });

  it('teach two classes', async () => {
    const music = writeMusic({ perClass: 6, classes: ['bass', 'high'] });
    const library = join(testFolder(), 'library');
    await seen(library, music, '--pack', 'mfcc');
    await seen(library, music, '--pack', 'compact');
    const run = await train(library, 'compact', 'mfcc');
    expect(run.code, run.stderr).toBe(0);
    expect(run.json()).toMatchObject({ experiment: { classes: ['bass', 'high'] } });
    const shared = await runCli(['modalities', 'learn', library, '--classes', 'Folders', '--json']);
    expect(refusalOf(shared)).toMatchObject({ exit: 7, code: 'too-few-labels' });
    expect(refusalOf(shared).message).toMatch(/at least 3 are needed/);
    const filters = ['modulation', 'learn', library, '--splits', '2', '--steps', '5', '--json'];
    const learned = await runCli(filters);
    expect(learned.code, learned.stdout + learned.stderr).toBe(0);
    expect(learned.json()).toMatchObject({ classes: ['bass', 'high'] });
  });
});

it(
  'says of playlists of three tracks and of files elsewhere that nothing can be learned from them',
  { timeout: 300_000 },
  async () => {
    const music = writeMusic({ perClass: 12, seconds: 0.5 });
    const [library, lists] = [join(testFolder(), 'library'), testFolder()];
    await seen(library, music);
    const files = readdirSync(music, { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.wav'),
    );
    for (let i = 0; i < 12; i++)
      writeFileSync(
        join(lists, `short ${i}.m3u8`),
        files
          .slice(3 * i, 3 * i + 3)
          .map((file) => join(music, file))
          .join('\n'),
      );
    for (let i = 0; i < 2; i++)
      writeFileSync(join(lists, `elsewhere ${i}.m3u`), `/mnt/gone/${i} a.flac\nD:\\Music\\${i} b.mp3\n`);
    const added = await done('playlists', 'add', library, lists);
    expect(added.stdout).toMatch(/elsewhere 0 +m3u +2 +0 +2/);
    expect(added.stdout).toMatch(/No entry of 2 playlists is a track of this library/);
    const { stdout } = await done('playlists', 'list', library, '--unmatched');
    expect(stdout).toMatch(/elsewhere 1 2: D:\\Music\\1 b\.mp3: No file of the library is called so/);
    const refused = refusalOf(await runCli(['similarity', 'learn', library, '--json']));
    expect(refused).toMatchObject({ exit: 7, code: 'too-few-labels' });
    expect(refused.message).toMatch(/12 playlists .*36 .*tracks.*150/);
    expect((await done('similarity', 'list', library)).stdout).not.toContain('My similarity');
    expect((await done('packs', 'list')).stdout).not.toContain('My similarity');
  },
);

it(
  'leaves out covers that are missing, no pictures or 20,000 pixels wide, each with its reason',
  { timeout: 300_000 },
  async () => {
    const [music, library] = [testFolder(), join(testFolder(), 'library')];
    writeAlbums(music, { artists: 21, seconds: 0.5, sampleRate: TINY.sampleRate });
    const cover = (artist: string, album = 1): string =>
      join(music, `Artist ${artist}`, `Album ${album}`, album === 1 ? 'cover.png' : 'cover.jpg');
    rmSync(cover('00'));
    writeFileSync(cover('01'), 'This is no picture.');
    const wide = encodePng({ width: 20_000, height: 1, data: new Uint8Array(60_000), channels: 3, depth: 8 });
    writeFileSync(cover('02'), wide);
    await seen(library, music);
    const learned = await done('modalities', 'learn', library, '--dim', '8', '--steps', '40', '--json');
    const { unreadCovers } = z
      .object({ unreadCovers: z.array(z.object({ path: z.string(), reason: z.string() })) })
      .parse(learned.json());
    const reasons = new Map(unreadCovers.map(({ path, reason }) => [path.slice(0, 9), reason]));
    expect([...reasons.keys()].sort()).toEqual(['Artist 01', 'Artist 02']);
    expect(reasons.get('Artist 01')).toMatch(/is no JPEG/);
    expect(reasons.get('Artist 02')).toMatch(/20000 × 1 pixels; up to 8192 each way/);
    expect((await done('modalities', 'list', library)).stdout).toMatch(/20000 × 1 pixels/);
    const asked = join(testFolder(), 'wide.png');
    writeFileSync(asked, wide);
    expect(
      refusalOf(await runCli(['modalities', 'find', library, '--cover', asked, '--json'])),
    ).toMatchObject({
      ...{ exit: 2, code: 'bad-input', hint: 'Save it smaller.' },
    });
  },
);

it(
  'learns of albums without covers by their words, and says what has none',
  { timeout: 300_000 },
  async () => {
    const [music, library] = [testFolder(), join(testFolder(), 'library')];
    writeAlbums(music, { artists: 20, albums: 1, tracks: 3, seconds: 0.5, sampleRate: TINY.sampleRate });
    for (const name of readdirSync(music, { recursive: true, encoding: 'utf8' }))
      if (/cover\.(png|jpg)$|\.(txt|lrc)$/.test(name)) rmSync(join(music, name));
    await seen(library, music);
    // Words of their titles are left.
    const learned = await done('modalities', 'learn', library, '--dim', '8', '--steps', '40');
    expect(learned.stdout).toMatch(/0 different; 60 tracks without/);
  },
);

describe('melodies on the command line', { timeout: 300_000 }, () => {
  const library = join(testFolder(), 'library');

  beforeAll(async () => {
    const music = testFolder();
    const random = new Random(5);
    for (let i = 0; i < 6; i++) {
      const hiss = Float32Array.from({ length: 2 * TINY.sampleRate }, () => 0.2 * random.normal());
      writeSound(join(music, 'hiss', `hiss ${i}.wav`), hiss);
      writeSound(join(music, 'bass', `bass ${i}.wav`), classSound('bass', 2, i));
    }
    await seen(library, music);
    await done('train', '--library', library, ...training);
  });

  const play = (midi: string, out: string, prototype: number): Promise<CliRun> =>
    runCli([
      ...['melody', `latest/${prototype}`, '--library', library, '--midi', midi, '--out', out],
      ...['--from', 'recording', '--json'],
    ]);

  it('play a prototype without a pitch as a rhythm, and say so', async () => {
    const { prototypes } = z
      .object({ prototypes: z.array(z.object({ index: z.number(), class: z.string() })) })
      .parse((await done('prototypes', 'list', library, '--json')).json());
    const hiss = prototypes.find(({ class: name }) => name === 'hiss')?.index ?? NaN;
    const sound = async (pitches: number[]): Promise<Buffer> => {
      const folder = testFolder();
      const [midi, out] = [join(folder, 'in.mid'), join(folder, 'out.wav')];
      const notes = pitches.map((midiPitch, i) => ({
        ...{ onsetSeconds: i / 2, durationSeconds: 0.4, midiPitch, velocity: 90 },
      }));
      writeFileSync(midi, writeMidiFile(notes, 120));
      const run = await runCli([
        ...['melody', `latest/${hiss}`, '--library', library, '--midi', midi, '--out', out],
        ...['--from', 'recording'],
      ]);
      expect(run.code, run.stderr).toBe(0);
      expect(run.stdout).toMatch(/has no pitch \(clarity 0\.\d\d\): it is struck at each note/);
      return readFileSync(out);
    };
    // Whatever the pitch of the notes.
    expect((await sound([60, 64])).equals(await sound([72, 48]))).toBe(true);
  });

  it.each([
    ['text', 'no MIDI'],
    ['nothing', ''],
    ['a head alone', 'MThd\0\0\0\u0006\0\u0001\0\u0001\0`'],
  ])('refuse %s for MIDI, and write nothing', async (_, text) => {
    const folder = testFolder();
    const [midi, out] = [join(folder, 'in.mid'), join(folder, 'out.wav')];
    writeFileSync(midi, text, 'latin1');
    expect(refusalOf(await play(midi, out, 0))).toMatchObject({ exit: 2, code: 'bad-input' });
    expect(existsSync(out)).toBe(false);
    expect(readdirSync(folder)).toEqual(['in.mid']);
  });
});
