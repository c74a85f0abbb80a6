import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Database } from '../../../engine/storage/database.ts';
import { scanFolder } from '../../../engine/files/scan.ts';
import { createFfmpegDecoder } from '../../../engine/decode/index.ts';
import { writePlaylist } from '../../../engine/exports/playlists.ts';
import { fileToOpen, readTags } from '../../../models/audio/index.ts';
import { fitUmap } from '../../../models/projection/index.ts';
import { Random } from '../../../models/numerics/random.ts';
import { importFolder, startTestEngine } from '../../support/engine.ts';
import { classSound, testFolder, writeMusic, writeSound } from '../../support/music.ts';

const { signal } = new AbortController();
const hasFfmpeg = spawnSync('ffmpeg', ['-version']).status === 0;

function put(...path: string[]): void {
  mkdirSync(join(...path, '..'), { recursive: true });
  writeSound(join(...path), classSound('mid', 1, 1));
}

describe('a scan', () => {
  it('finds names that begin with dots, and tells what a dot hides', async () => {
    const folder = testFolder();
    for (const name of [
      '...One More Time.wav',
      '.45.wav',
      '...And Noise/01.wav',
      '. 5/a.wav',
      'x/..wav',
      '.wav',
    ])
      put(folder, name);
    for (const name of ['._a.wav', '.hack/01.wav', '.secret.wav', '.Trash-1000/gone.wav', '.git/x.wav'])
      put(folder, name);
    writeFileSync(join(folder, '.DS_Store'), '');
    const scan = await scanFolder(folder, { signal });
    expect(scan.files.map(({ path }) => path)).toEqual(
      ['. 5/a.wav', '...And Noise/01.wav', '...One More Time.wav', '.45.wav', 'x/..wav'].sort(),
    );
    // “.wav” is a dot and a letter.
    expect(scan.hidden.sort()).toEqual(['.hack', '.secret.wav', '.wav']);
    expect(scan.problems).toEqual([]);
  });

  it.skipIf(process.platform !== 'linux')(
    'reads names that are not UTF-8, and refuses what it cannot tell apart',
    async () => {
      const folder = testFolder();
      put(folder, 'plain.wav');
      put(folder, 'real \ufffd.wav');
      const bytes = (name: string): Buffer =>
        Buffer.concat([Buffer.from(`${folder}/`), Buffer.from(name, 'latin1')]);
      const sound = readFileSync(join(folder, 'plain.wav'));
      writeFileSync(bytes('caf\xe9.wav'), sound);
      writeFileSync(bytes('caf\xe8.wav'), sound);
      writeFileSync(bytes('caf\xe9.txt'), '');
      mkdirSync(bytes('\xe9lectro'));
      writeFileSync(bytes('\xe9lectro/caf\xc3\xa9 \xff.wav'), sound);
      writeFileSync(bytes('\xe9lectro/caf\xc3\xa9.wav'), sound);
      // Really called so.
      put(folder, '\\xE7.wav');
      put(folder, 'twin \\xE7.wav');
      writeFileSync(bytes('twin \xe7.wav'), sound);
      const scan = await scanFolder(folder, { signal });
      const paths = scan.files.map(({ path }) => path);
      expect(paths).toEqual(
        [
          '\\xE7.wav',
          '\\xE9lectro/café.wav',
          '\\xE9lectro/caf\\xC3\\xA9 \\xFF.wav',
          'caf\\xE8.wav',
          'caf\\xE9.wav',
          'plain.wav',
          'real \ufffd.wav',
          'twin \\xE7.wav',
        ].sort(),
      );
      expect(scan.problems.map(({ path, error }) => [path, error.code])).toEqual([
        ['twin \\xE7.wav (not UTF-8)', 'unreadable'],
      ]);
      expect(scan.problems[0]?.error.hint).toContain('convmv');
      for (const path of paths)
        expect(readFileSync(fileToOpen(join(folder, path))).length, path).toBeGreaterThan(44);

      const { client } = await startTestEngine();
      const { library } = await importFolder(client, folder);
      const { tracks } = await client.call('tracks.list', {
        libraryId: library.id,
        filter: { state: 'ready' },
      });
      expect(tracks.map(({ path }) => path).sort()).toEqual(paths);
      const odd = tracks.find(({ path }) => path === 'caf\\xE9.wav');
      const { url } = await client.call('tracks.audioUrl', { libraryId: library.id, trackId: odd?.id ?? '' });
      expect(url).toMatch(/./);
      const playlist = writePlaylist('Odd', [
        { path: join(folder, 'caf\\xE9.wav'), title: 'é', artist: null, durationSeconds: 1 },
      ]);
      expect(playlist).toContain('/caf%E9.wav');
    },
  );

  it.skipIf(process.platform !== 'linux' || !hasFfmpeg)('hands such a file to ffmpeg', async () => {
    const folder = testFolder();
    put(folder, 'plain.wav');
    const odd = Buffer.concat([Buffer.from(`${folder}/`), Buffer.from('caf\xe9.wav', 'latin1')]);
    renameSync(join(folder, 'plain.wav'), odd);
    const stream = await createFfmpegDecoder()(join(folder, 'caf\\xE9.wav'), { signal, container: 'wav' });
    let frames = 0;
    for await (const { channelData } of stream.chunks) frames += channelData[0]?.length ?? 0;
    expect(frames).toBe(stream.sampleRate);
  });
});

/** An ID3v2 tag of text frames in Latin-1. */
function id3(version: 3 | 4, frames: Record<string, string>): Buffer {
  const parts = Object.entries(frames).map(([name, text]) => {
    const value = Buffer.from(`\0${text}`, 'latin1');
    const head = Buffer.alloc(10);
    head.write(name, 'latin1');
    head.writeUInt32BE(value.length, 4);
    return Buffer.concat([head, value]);
  });
  const body = Buffer.concat(parts);
  const head = Buffer.from([0x49, 0x44, 0x33, version, 0, 0, 0, 0, body.length >> 7, body.length & 0x7f]);
  return Buffer.concat([head, body]);
}

/** Silent frames of MPEG-1 layer III at 128 kbit/s. */
const silence = Buffer.concat(
  Array.from({ length: 40 }, () => Buffer.concat([Buffer.from([0xff, 0xfb, 0x90, 0x64]), Buffer.alloc(413)])),
);

describe('tags', () => {
  it.each([
    ['AC/DC in ID3v2.3', 3, 'AC/DC', 'AC/DC'],
    ['AC/DC in ID3v2.4', 4, 'AC/DC', 'AC/DC'],
    ['a name with slashes', 3, 'A/B/C', 'A/B/C'],
    ['one artist', 3, 'Abba', 'Abba'],
  ] as const)('keep %s', async (_, version, artist, expected) => {
    const path = join(testFolder(), 'a.mp3');
    writeFileSync(path, Buffer.concat([id3(version, { TPE1: artist, TIT2: 'x/y' }), silence]));
    const { tags } = await readTags(path);
    expect([tags.artist, tags.title]).toEqual([expected, 'x/y']);
  });

  it('hold several genres, and numbers of ID3v1', async () => {
    const path = join(testFolder(), 'a.mp3');
    writeFileSync(path, Buffer.concat([id3(4, { TCON: '17\0Jazz; Folk' }), silence]));
    expect((await readTags(path)).tags.genre).toEqual(['Rock', 'Jazz', 'Folk']);
    writeFileSync(path, Buffer.concat([id3(3, { TCON: '(17)' }), silence]));
    expect((await readTags(path)).tags.genre).toEqual(['Rock']);
  });
});

/** The file with other sound of the same length. */
function changed(path: string): Buffer {
  const bytes = readFileSync(path);
  for (let at = bytes.length - 200; at < bytes.length; at++) bytes[at] = at % 7;
  return bytes;
}

describe('a change that kept size and time', () => {
  const time = new Date(1_600_000_000_000);

  async function changedLibrary() {
    const dataFolder = testFolder();
    const folder = writeMusic({ perClass: 1 });
    const path = join(folder, 'mid/mid_hit_0.wav');
    utimesSync(path, time, time);
    const first = await startTestEngine({ dataFolder });
    const { library } = await importFolder(first.client, folder);
    await first.engine.close();
    writeFileSync(path, changed(path));
    utimesSync(path, time, time);
    /** What an import does after `sql` was run on the closed library. */
    const run = async (everything: boolean, sql?: string) => {
      const db = new Database(join(dataFolder, 'libraries', library.id, 'library.db'));
      if (sql !== undefined) db.exec(sql);
      db.close();
      const { client, engine } = await startTestEngine({ dataFolder });
      const { jobId } = await client.call('import.start', { libraryId: library.id, everything });
      for (;;) {
        const job = await client.call('jobs.get', { jobId });
        if (job.finishedAt !== null) {
          await engine.close();
          return job.result;
        }
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    };
    return { run, changedMs: statSync(path).ctimeMs };
  }

  it.skipIf(process.platform === 'win32')('is found by the time of change', async () => {
    const { run } = await changedLibrary();
    expect(await run(false)).toMatchObject({ imported: 1, unchanged: 2 });
    expect(await run(false)).toMatchObject({ imported: 0, unchanged: 3 });
  });

  it('is found by rescanning everything, whatever the time of change', async () => {
    const { run, changedMs } = await changedLibrary();
    const asBefore = `UPDATE tracks SET changed_ms = ${changedMs} WHERE path LIKE '%mid_hit_0%'`;
    expect(await run(false, asBefore)).toMatchObject({ imported: 0, unchanged: 3 });
    expect(await run(true)).toMatchObject({ imported: 1, unchanged: 2 });
  });

  it('is not guessed where no time of change was written down: the scan writes it', async () => {
    const { run } = await changedLibrary();
    expect(await run(false, 'UPDATE tracks SET changed_ms = NULL')).toMatchObject({ unchanged: 3 });
    const touched = 'UPDATE tracks SET changed_ms = changed_ms - 1';
    // Read again and found to be the same, with what was damaged still told; one is new.
    expect(await run(false, `${touched}; UPDATE tracks SET note = 'cut short'`)).toMatchObject({
      imported: 1,
      unchanged: 2,
      noted: 2,
    });
  });
});

describe('UMAP', () => {
  it('lays copies out once', async () => {
    const dim = 8;
    const random = new Random(3);
    const places = Float32Array.from({ length: 12 * dim }, () => random.normal());
    const of = Array.from({ length: 400 }, (_, i) => i % 12);
    const vectors = new Float32Array(400 * dim);
    of.forEach((place, i) => vectors.set(places.subarray(place * dim, (place + 1) * dim), i * dim));
    const copies = await fitUmap(vectors, dim, { seed: 1 });
    const alone = await fitUmap(places, dim, { seed: 1 });
    expect(copies.method).toBe('umap');
    of.forEach((place, i) => expect([copies.x[i], copies.y[i]]).toEqual([alone.x[place], alone.y[place]]));
    const three = await fitUmap(
      vectors.map((_, i) => places[(Math.floor(i / dim) % 3) * dim + (i % dim)] ?? 0),
      dim,
      { seed: 1 },
    );
    expect([three.method, new Set(three.x).size]).toEqual(['pca', 3]);
  });
});
