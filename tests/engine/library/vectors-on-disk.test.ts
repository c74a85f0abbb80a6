import { existsSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { EngineClient } from '../../../engine/api/contract.ts';
import type { SpaceInfo } from '../../../engine/api/spaces.ts';
import { vectorFileOf, WindowsInFile, type VectorSource } from '../../../engine/library/window-rows.ts';
import { finished, reimport, tracksByPath, type TestEngine } from '../../support/engine.ts';
import { classSound, writeSound } from '../../support/music.ts';
import { afterFile } from '../../support/after-file.ts';
import { smallDisk } from '../../support/small-disk.ts';
import { temporaryFolder } from '../../support/temporary.ts';
import { trainedLibrary, trainOn, type TrainedLibrary } from '../../support/trained.ts';

describe('a library whose vectors lie in a file', () => {
  let lib: TrainedLibrary;
  let test: TestEngine;
  let inMemory: unknown;
  let file = '';

  const answers = async (client: EngineClient): Promise<unknown> => {
    const ids = await tracksByPath(client, lib.libraryId);
    const trackId = ids.get('mid/mid_long_1.wav')?.id ?? '';
    const target = { kind: 'window', trackId, windowIndex: 1 } as const;
    const { libraryId } = lib;
    const all: unknown[] = [];
    for (const metric of ['euclidean', 'cosine'] as const)
      for (const level of ['track', 'window'] as const) {
        all.push(await client.call('neighbours.query', { libraryId, target, level, k: 9, metric }));
        for (const scaling of ['trained', 'standardised'] as const)
          all.push(
            await client.call('neighbours.similar', {
              ...{ libraryId, level, metric, scaling, k: 9 },
              queries: [{ of: target }, { of: { kind: 'track', trackId }, weight: 0.5 }],
            }),
          );
      }
    const { id: experimentId } = lib.experiment;
    all.push(await client.call('prototypes.list', { libraryId, experimentId }));
    all.push(await client.call('prototypes.classMap', { libraryId, experimentId, class: 'mid' }));
    return all;
  };
  const files = (): string[] => readdirSync(join(file, '..'));

  beforeAll(async () => {
    lib = await trainedLibrary();
    inMemory = await answers(lib.test.client);
    await lib.test.client.call('preferences.change', { change: { vectorsInMemory: 0 } });
    test = await lib.test.restart();
    const { space, dataFolder } = (await test.client.call('libraries.list', {}))[0] ?? {};
    if (!space || dataFolder === undefined) throw new Error('the library has no space');
    file = vectorFileOf(dataFolder, space);
  });

  it('is answered as from memory, to the last bit', async () => {
    expect(existsSync(file)).toBe(false);
    expect(await answers(test.client)).toEqual(inMemory);
    expect(existsSync(file)).toBe(true);
    const written = readFileSync(file);
    writeFileSync(`${file}.1-1.tmp`, 'of a process that was ended in the middle');
    test = await test.restart();
    expect(await answers(test.client)).toEqual(inMemory);
    expect(readFileSync(file).equals(written)).toBe(true);
    expect(files()).toHaveLength(1);
  });

  it.each([
    ['damaged', (bytes: Buffer) => bytes.writeUInt8(bytes.readUInt8(5000) ^ 1, 5000)],
    ['of another library', (bytes: Buffer) => bytes.write('f'.repeat(16), bytes.indexOf('fingerprint') + 14)],
    ['without a head', (bytes: Buffer) => bytes.fill(0, 0, 4096)],
  ])('is made anew when it is %s', async (_, change) => {
    const whole = readFileSync(file);
    const other = Buffer.from(whole);
    change(other);
    test = await test.restart();
    writeFileSync(file, other);
    expect(await answers(test.client)).toEqual(inMemory);
    expect(readFileSync(file).equals(whole)).toBe(true);
  });

  it('says so when it is cut while it is searched, and answers the next question', async () => {
    truncateSync(file, 4096 + 16);
    const failed = await answers(test.client).catch((thrown: unknown) => thrown);
    expect(failed).toMatchObject({
      code: 'unreadable',
      hint: expect.stringContaining('Ask again') as string,
    });
    expect(await answers(test.client)).toEqual(inMemory);
  });

  it('is mapped, learned from and reduced as from memory', async () => {
    const { libraryId, taxonomyId } = lib;
    const works = async (client: EngineClient, seed: number): Promise<unknown> => {
      const map = { libraryId, method: 'pca', level: 'window', seed } as const;
      const events = [];
      for await (const event of client.stream('projection.compute', map)) events.push(event);
      const trust = [];
      for await (const event of client.stream('projection.trust', map)) trust.push(event);
      const { metrics } = await trainOn(client, libraryId, { taxonomyId, steps: 20 });
      const { jobId } = await client.call('reductions.study', {
        libraryId,
        request: { source: { kind: 'library', taxonomyId, level: 'window' }, runs: [{ method: 'MRHC' }] },
      });
      const { studyId } = await finished(client, jobId, 'study');
      const [reduction] = await client.call('reductions.list', { libraryId, studyId });
      return [events.at(-1), trust.at(-1), metrics, reduction?.corpusRows, reduction?.scores];
    };
    // A map is kept by its seed, which that of PCA does not depend on: another one is worked out anew.
    const fromFile = await works(test.client, 1);
    await test.client.call('preferences.change', { change: { vectorsInMemory: null } });
    test = await test.restart();
    expect(fromFile).toEqual(await works(test.client, 2));
    await test.client.call('preferences.change', { change: { vectorsInMemory: 0 } });
    test = await test.restart();
  });

  it('follows an import, which leaves the file of what it stored', async () => {
    const before = readFileSync(file);
    writeSound(join(lib.folder, 'mid', 'another.wav'), classSound('mid', 1.6, 77));
    await reimport(test.client, lib.libraryId);
    expect(readFileSync(file).length).toBeGreaterThan(before.length);
    const written = readFileSync(file);
    const fromFile = await answers(test.client);
    expect(fromFile).not.toEqual(inMemory);
    expect(readFileSync(file).equals(written)).toBe(true);
    expect(files()).toHaveLength(1);
    await test.client.call('preferences.change', { change: { vectorsInMemory: null } });
    test = await test.restart();
    expect(await answers(test.client)).toEqual(fromFile);
    await test.client.call('libraries.remove', { libraryId: lib.libraryId });
    expect(existsSync(file)).toBe(false);
  });
});

describe('the file of vectors', () => {
  const space: SpaceInfo = {
    ...{ key: 'k', packId: 'p', packSha256: 'a', encoderSha256: 'b' },
    ...{ windows: 'all', deformation: null },
  };
  const vectors = Float32Array.from({ length: 6 }, (_, i) => i);
  const source = (changed: Partial<VectorSource> = {}): VectorSource => ({
    ...{ space, fingerprint: 'f', count: 3, dim: 2 },
    parts: () => [vectors.subarray(0, 4), vectors.subarray(4)],
    agrees: () => true,
    unchanged: () => true,
    vectors: () => vectors,
    ...changed,
  });
  const place = async () => {
    const notes: string[] = [];
    const folder = await temporaryFolder();
    return { folder, notes, inMemory: () => 0, note: (message: string) => void notes.push(message) };
  };

  it('is waited for no longer than somebody wants, and goes on for the others', async () => {
    const at = await place();
    let wait = (): void => undefined;
    const rows = new WindowsInFile(
      source({
        *parts() {
          wait();
          yield vectors;
        },
      }),
      at,
    );
    const stop = new AbortController();
    const begun = new Promise<void>((resolve) => (wait = resolve));
    const left = rows.get(stop.signal);
    const stays = rows.get();
    await begun;
    stop.abort(new Error('enough'));
    await expect(left).rejects.toThrow('enough');
    expect((await stays).read(0, 3)).toEqual(vectors);
  });

  it('is not left half written when the library is closed', async () => {
    const at = await place();
    const rows: WindowsInFile = new WindowsInFile(
      source({
        *parts() {
          yield vectors.subarray(0, 4);
          rows.close();
          yield vectors.subarray(4);
        },
      }),
      at,
    );
    await expect(rows.get()).rejects.toMatchObject({ code: 'cancelled' });
    expect(readdirSync(join(at.folder, 'vectors'))).toEqual([]);
    expect(at.notes).toEqual([]);
  });

  it('is done without where the disk is full, and people are told', async (context) => {
    const disk = smallDisk(1);
    if (disk === null) return context.skip('no file system of a size can be mounted here');
    afterFile(() => disk.remove());
    const at = { ...(await place()), folder: disk.folder };
    const many = new Float32Array(600_000).map((_, i) => i);
    const facts = { count: 300_000, dim: 2, vectors: () => many };
    const rows = new WindowsInFile(source({ ...facts, parts: () => [many] }), at);
    expect((await rows.get()).one(299_999)).toEqual(many.slice(-2));
    expect(at.notes).toEqual([expect.stringContaining('is full')]);
    expect(readdirSync(join(at.folder, 'vectors'))).toEqual([]);
  });

  it('is done without where it cannot be written', async () => {
    const at = await place();
    writeFileSync(join(at.folder, 'vectors'), 'a file where the folder should be');
    const rows = new WindowsInFile(source(), at);
    expect((await rows.get()).read(1, 1)).toEqual(Float32Array.of(2, 3));
    expect(at.notes).toHaveLength(1);
  });

  it('is not taken for what the library holds when that changed meanwhile', async () => {
    const at = await place();
    const rows = new WindowsInFile(source({ unchanged: () => false }), at);
    expect((await rows.get()).read(0, 3)).toEqual(vectors);
    expect(at.notes).toEqual([]);
    expect(readdirSync(join(at.folder, 'vectors'))).toEqual([]);
  });

  it('is not taken when the database holds other vectors', async () => {
    const at = await place();
    await new WindowsInFile(source(), at).get();
    const others = Float32Array.from(vectors, (value) => value + 1);
    const rows = new WindowsInFile(
      source({ parts: () => [others], agrees: (found) => found.one(0)[0] === 1 }),
      at,
    );
    expect((await rows.get()).read(0, 3)).toEqual(others);
  });
});
