import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Mistake, MistakesReport, MistakeTab } from '../../../engine/api/mistakes.ts';
import { LibraryCatalogue } from '../../../engine/library/libraries.ts';
import { foldsId } from '../../../engine/mistakes/gather.ts';
import {
  finished,
  importFolder,
  listen,
  settled,
  startTestEngine,
  type TestEngine,
} from '../../support/engine.ts';
import { classSound, testFolder, writeSound } from '../../support/music.ts';
import { TINY } from '../../support/tiny-pack.ts';

/** Sounds of three timbres, each of another length, so that none is taken for a copy of another. */
function music(perClass: number): string {
  const folder = testFolder();
  for (const [c, name] of ['bass', 'mid', 'high'].entries())
    for (let i = 0; i < perClass; i++)
      writeSound(
        join(folder, name, `${name}_${i % 2 === 0 ? 'hit' : 'long'}_${String(i)}.wav`),
        classSound(name, 1.2 + 0.25 * i, 1000 * c + i),
      );
  return folder;
}

const none = (): string[] => [];

/** A library whose labels are a table: the timbres of the files, but for what a test changes. */
class Labelled {
  test!: TestEngine;
  dataFolder!: string;
  folder!: string;
  libraryId!: string;
  taxonomyId!: string;

  static async make(
    folder: string,
    labelsOf: (path: string) => string[] = (path) => [path.split('/')[0] ?? ''],
  ): Promise<Labelled> {
    const made = new Labelled();
    made.dataFolder = testFolder();
    made.folder = folder;
    made.test = await startTestEngine({ dataFolder: made.dataFolder });
    const { library } = await importFolder(made.test.client, folder);
    made.libraryId = library.id;
    const { client } = made.test;
    if (labelsOf === none) {
      const source = { kind: 'hand' } as const;
      made.taxonomyId = (await client.call('taxonomies.create', { libraryId: library.id, source })).id;
      return made;
    }
    const table = join(testFolder(), 'labels.csv');
    const rows = [...(await made.tracks()).keys()]
      .map((path) => [path, labelsOf(path)] as const)
      .filter(([, labels]) => labels.length > 0);
    writeFileSync(
      table,
      ['path,labels', ...rows.map(([path, own]) => `${path},${own.join(';')}`)].join('\n'),
    );
    const source = { kind: 'csv', path: table } as const;
    made.taxonomyId = (await client.call('taxonomies.create', { libraryId: library.id, source })).id;
    return made;
  }

  get client() {
    return this.test.client;
  }

  get of() {
    return { libraryId: this.libraryId, taxonomyId: this.taxonomyId };
  }

  async tracks(): Promise<Map<string, string>> {
    const { tracks } = await this.client.call('tracks.list', { libraryId: this.libraryId, limit: 1000 });
    return new Map(tracks.map(({ path, id }) => [path, id]));
  }

  async compute(more: { folds?: number; groupBy?: 'track' | 'folder' } = {}): Promise<MistakesReport> {
    const { jobId } = await this.client.call('mistakes.compute', { ...this.of, ...more });
    await finished(this.client, jobId, 'mistakes');
    return this.report();
  }

  async report(): Promise<MistakesReport> {
    const report = await this.client.call('mistakes.report', this.of);
    if (!report) throw new Error('there is no report');
    return report;
  }

  async list(tab: MistakeTab): Promise<Mistake[]> {
    return (await this.client.call('mistakes.list', { ...this.of, tab })).mistakes;
  }

  async labelsOf(trackId: string): Promise<string[]> {
    const { labels } = await this.client.call('tracks.get', { ...this.of, trackId });
    return labels;
  }

  /** Ends the engine and starts another on the same data. */
  async restart(): Promise<void> {
    await this.test.engine.close();
    this.test = await startTestEngine({ dataFolder: this.dataFolder });
  }
}

const WRONG = 'bass/bass_hit_2.wav';

describe('mistakes', () => {
  let library: Labelled;
  let report: MistakesReport;

  beforeAll(async () => {
    library = await Labelled.make(music(8), (path) =>
      path === WRONG ? ['high'] : path === 'mid/mid_long_3.wav' ? [] : [path.split('/')[0] ?? ''],
    );
    report = await library.compute({ folds: 4 });
  });

  it('finds the label that was exchanged, and says why', async () => {
    expect(report).toMatchObject({
      ...{ task: 'single', folds: 4, groupBy: 'artist', tracks: 23, classes: 3, problem: null, stale: false },
      counts: { 'likely-wrong': { total: 1, left: 1 }, 'label-missing': { total: 1, left: 1 } },
    });
    expect(report.accuracy).toBeCloseTo(22 / 23, 9);
    const [wrong] = await library.list('likely-wrong');
    expect(wrong).toMatchObject({
      given: 'high',
      suggested: 'bass',
      track: { path: WRONG, labels: ['high'] },
    });
    expect(wrong?.margin).toBeLessThan(0);
    expect(wrong?.neighbours).toHaveLength(10);
    expect(wrong?.neighbours[0]).toMatchObject({ labels: ['bass'], agrees: false });
    expect(wrong?.reason).toContain('did not learn from it');
    const paths = new Map([...(await library.tracks())].map(([path, id]) => [id, path]));
    expect(paths.get(wrong?.nearestGiven ?? '')).toMatch(/^high/);
    expect(paths.get(wrong?.nearestSuggested ?? '')).toMatch(/^bass/);
  });

  it('suggests a class for the track that has none', async () => {
    expect(await library.list('label-missing')).toMatchObject([
      { given: null, suggested: 'mid', track: { path: 'mid/mid_long_3.wav', labels: [] } },
    ]);
  });

  it('accepts, which is still there after a restart, and takes it back', async () => {
    const [wrong] = await library.list('likely-wrong');
    const mistakeId = wrong?.id ?? '';
    const heard = listen(library.client);
    const decision = await library.client.call('mistakes.decide', {
      ...library.of,
      ...{ mistakeId, decision: 'accept' },
    });
    expect(decision).toMatchObject({ path: WRONG, before: ['high'], after: ['bass'], decision: 'accept' });
    expect((await heard()).flatMap((event) => (event.type === 'library-changed' ? event.what : []))).toEqual([
      'taxonomies',
      'mistakes',
    ]);
    await library.restart();
    expect(await library.labelsOf(decision.trackId)).toEqual(['bass']);
    expect(await library.list('likely-wrong')).toEqual([]);
    expect(await library.report()).toMatchObject({ stale: true, decisions: 1 });
    expect(await library.client.call('mistakes.undo', library.of)).toMatchObject({ id: decision.id });
    expect(await library.labelsOf(decision.trackId)).toEqual(['high']);
    expect((await library.list('likely-wrong')).map(({ id }) => id)).toEqual([mistakeId]);
    expect(await library.report()).toMatchObject({ stale: false, decisions: 0 });
    expect(await library.client.call('mistakes.undo', library.of)).toBeNull();
  });

  it('never asks again for what was confirmed, and asks again for what was skipped', async () => {
    const decide = async (decision: 'keep' | 'skip'): Promise<void> => {
      const [wrong] = await library.list('likely-wrong');
      await library.client.call('mistakes.decide', { ...library.of, mistakeId: wrong?.id ?? '', decision });
    };
    await decide('skip');
    expect(await library.list('likely-wrong')).toEqual([]);
    await library.compute({ folds: 3 });
    expect(await library.list('likely-wrong')).toHaveLength(1);
    await decide('keep');
    await library.compute({ folds: 4 });
    expect((await library.report()).counts['likely-wrong']).toEqual({ total: 1, left: 0 });
    await library.client.call('mistakes.undo', library.of);
    await library.client.call('mistakes.undo', library.of);
    expect(await library.list('likely-wrong')).toHaveLength(1);
  });

  it('keeps the folds while labels are mended, and how the accuracy grew', async () => {
    await library.compute({ folds: 4 });
    const [wrong] = await library.list('likely-wrong');
    const { fold } = wrong ?? {};
    const before = await library.report();
    const mistakeId = wrong?.id ?? '';
    await library.client.call('mistakes.decide', { ...library.of, mistakeId, decision: 'accept' });
    const after = await library.compute({ folds: 4 });
    expect(after.accuracy).toBe(1);
    expect(after.previousAccuracy).toBe(before.accuracy);
    expect(after.history.slice(-2).map(({ accuracy, tracks }) => [accuracy, tracks])).toEqual([
      [before.accuracy, 23],
      [1, 23],
    ]);
    await library.client.call('mistakes.undo', library.of);
    const { history } = await library.compute({ folds: 4 });
    expect((await library.list('likely-wrong')).map((again) => again.fold)).toEqual([fold]);
    // Looking again at the same takes the place of the run before.
    expect((await library.compute({ folds: 4 })).history.slice(0, -1)).toEqual(history.slice(0, -1));
  });

  it('refuses to undo over labels that another window changed, and loses nothing', async () => {
    const [wrong] = await library.list('likely-wrong');
    const trackId = wrong?.track.id ?? '';
    const set = (labels: string[]) =>
      library.client.call('labels.set', { ...library.of, changes: [{ trackId, labels }] });
    await library.client.call('mistakes.decide', {
      ...library.of,
      ...{ mistakeId: wrong?.id ?? '', decision: 'change', labels: ['mid'] },
    });
    await set(['bass']);
    await expect(library.client.call('mistakes.undo', library.of)).rejects.toMatchObject({
      code: 'bad-input',
    });
    expect(await library.labelsOf(trackId)).toEqual(['bass']);
    // Another window already saw to it: the row is gone, and accepting it is refused.
    await set(['mid']);
    await library.client.call('mistakes.undo', library.of);
    await set(['bass']);
    expect(await library.list('likely-wrong')).toEqual([]);
    await expect(
      library.client.call('mistakes.decide', {
        ...library.of,
        mistakeId: wrong?.id ?? '',
        decision: 'accept',
      }),
    ).rejects.toMatchObject({
      code: 'bad-input',
      message: expect.stringContaining('no longer “high”') as string,
    });
    await set(['high']);
    await expect(
      library.client.call('mistakes.decide', {
        ...library.of,
        mistakeId: 'likely-wrong:none:x',
        decision: 'keep',
      }),
    ).rejects.toMatchObject({ code: 'not-found' });
  });

  it('writes labels that a taxonomy can be made of, and the changes; never over a file', async () => {
    const [wrong] = await library.list('likely-wrong');
    await library.client.call('mistakes.decide', {
      ...library.of,
      ...{ mistakeId: wrong?.id ?? '', decision: 'accept' },
    });
    const folder = testFolder();
    const [labels, changes] = [join(folder, 'labels.csv'), join(folder, 'changes.csv')];
    const write = (what: 'labels' | 'changes', path: string) =>
      library.client.call('mistakes.export', { ...library.of, what, path });
    expect(await write('labels', labels)).toEqual({ path: labels, rows: 23 });
    expect(await write('changes', changes)).toEqual({ path: changes, rows: 1 });
    expect(readFileSync(changes, 'utf8').split('\r\n')[1]).toMatch(`${WRONG},high,bass,accept,`);
    const again = await library.client.call('taxonomies.create', {
      libraryId: library.libraryId,
      source: { kind: 'csv', path: labels },
    });
    expect(again.labels).toEqual([
      { name: 'bass', tracks: 8 },
      { name: 'high', tracks: 8 },
      { name: 'mid', tracks: 7 },
    ]);
    const song = join(library.folder, WRONG);
    const before = readFileSync(song);
    await expect(write('labels', song)).rejects.toMatchObject({ code: 'bad-input' });
    expect(readFileSync(song).equals(before)).toBe(true);
    await expect(write('labels', join(folder, 'none', 'x.csv'))).rejects.toMatchObject({
      hint: expect.any(String) as string,
    });
    await library.client.call('mistakes.undo', library.of);
  });

  it('rests when cancelled and goes on with the folds it has', async () => {
    const { jobId } = await library.client.call('mistakes.compute', { ...library.of, folds: 6, seed: 5 });
    await library.client.call('jobs.cancel', { jobId });
    expect(await settled(library.client, jobId)).toMatchObject({ state: 'cancelled', error: null });
    // The report before is still there.
    expect(await library.report()).toMatchObject({ folds: 4 });
    expect(await library.compute({ folds: 6 })).toMatchObject({ folds: 6 });
  });
});

it('folds of a run that did not end are not taken up where other tracks were held out together', () => {
  const set = {
    labelNames: ['a', 'b'],
    tracks: { of: Int32Array.of(0, 1), ids: ['x', 'y'], groups: ['1', '2'] },
  };
  const before = foldsId('report', set, Uint8Array.of(0, 1));
  expect(foldsId('report', set, Uint8Array.of(0, 1))).toBe(before);
  expect(foldsId('report', set, Uint8Array.of(1, 0))).not.toBe(before);
  expect(foldsId('report', { ...set, labelNames: ['a'] }, Uint8Array.of(0, 1))).not.toBe(before);
});

describe('lists that need no labels', () => {
  it('name copies, silence and damage, also of an unlabelled library', async () => {
    const folder = music(4);
    const samples = new Float32Array(TINY.sampleRate * 2);
    writeSound(join(folder, 'silence.wav'), samples);
    const original = join(folder, 'mid/mid_hit_0.wav');
    writeFileSync(join(folder, 'copy.wav'), readFileSync(original));
    writeFileSync(join(folder, 'broken.wav'), 'RIFF and nothing');
    const library = await Labelled.make(folder, none);
    const report = await library.compute();
    expect(report).toMatchObject({ tracks: 0, accuracy: null, problem: { code: 'too-few-labels' } });
    expect(report.problem?.message).toContain('No track that is ready has a label');
    const [copies] = await library.list('near-duplicates');
    expect([copies?.track.path, ...(copies?.others.map(({ path }) => path) ?? [])].sort()).toEqual([
      'copy.wav',
      'mid/mid_hit_0.wav',
    ]);
    expect((await library.list('damaged')).map(({ track, reason }) => [track.path, reason])).toEqual([
      ['broken.wav', 'It could not be read.'],
      ['silence.wav', expect.stringContaining('silent')],
    ]);
    await expect(
      library.client.call('mistakes.decide', {
        ...library.of,
        mistakeId: copies?.id ?? '',
        decision: 'accept',
      }),
    ).rejects.toMatchObject({ code: 'bad-input' });
    await library.client.call('mistakes.decide', {
      ...library.of,
      mistakeId: copies?.id ?? '',
      decision: 'keep',
    });
    expect(await library.list('near-duplicates')).toEqual([]);
    expect(existsSync(original)).toBe(true);
  });
});

describe('labels that cannot be judged', () => {
  const folder = (): string => music(3);
  it.each([
    ['one class', () => ['music'], 'All labelled tracks are “music”'],
    ['one track per class', (path: string) => [path], 'None of the 9 classes is borne by 2 tracks'],
    [
      'one class with two tracks',
      (path: string) => (path.startsWith('bass') ? ['bass'] : path.includes('_0') ? [path] : []),
      'Only “bass” is borne by 2',
    ],
  ])('say so: %s', async (_, labelsOf, message) => {
    const library = await Labelled.make(folder(), labelsOf);
    const report = await library.compute();
    expect(report.problem?.message).toContain(message);
    expect(report.problem?.hint).not.toBe('');
    expect(report.counts['likely-wrong'].total).toBe(0);
  });

  it('leave a class of one folder out, and judge the others', async () => {
    const folder = music(4);
    const library = await Labelled.make(folder, (path) => [
      path.startsWith('mid') ? 'mid' : path.includes('hit') ? 'hit' : 'long',
    ]);
    const report = await library.compute({ groupBy: 'folder' });
    expect(report.leftOutClasses).toEqual([
      { name: 'mid', tracks: 4, reason: expect.stringContaining('one folder') as string },
    ]);
    expect(report).toMatchObject({ problem: null, tracks: 8, folds: 2 });
    expect((await library.list('left-out')).map(({ given }) => given)).toEqual(['mid', 'mid', 'mid', 'mid']);
  });

  it('are told to be old when tags that keep tracks together have changed, and only then', async () => {
    const library = await Labelled.make(folder());
    expect(await library.compute()).toMatchObject({ groupBy: 'artist', stale: false });
    await library.restart();
    expect(await library.report()).toMatchObject({ stale: false });
    await library.test.engine.close();
    const catalogue = new LibraryCatalogue(library.dataFolder);
    catalogue.get(library.libraryId).db.exec(`UPDATE tracks SET artist = 'One' WHERE path LIKE 'bass/%'`);
    catalogue.close();
    library.test = await startTestEngine({ dataFolder: library.dataFolder });
    expect(await library.report()).toMatchObject({ stale: true });
  });

  it('are not found in another space or taxonomy', async () => {
    const library = await Labelled.make(folder());
    await library.compute();
    await library.client.call('libraries.open', { folder: library.folder, windows: 1 });
    expect(await library.client.call('mistakes.report', library.of)).toBeNull();
    expect(await library.list('likely-wrong')).toEqual([]);
    const unknown = { libraryId: library.libraryId, taxonomyId: 'none' };
    await expect(library.client.call('mistakes.compute', unknown)).rejects.toMatchObject({
      code: 'not-found',
    });
    await expect(library.client.call('mistakes.report', unknown)).rejects.toMatchObject({
      code: 'not-found',
    });
  });
});
