import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { unzipSync } from 'fflate';
import { beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import type { ExportResult } from '../../../engine/api/exports.ts';
import { distinctFileNames, fileName } from '../../../engine/bundles/names.ts';
import { writeCsv } from '../../../engine/bundles/csv.ts';
import { computedHere } from '../../../models/packs/index.ts';
import { settled } from '../../support/engine.ts';
import { testFolder } from '../../support/music.ts';
import { reduced } from '../../support/reduced.ts';
import { exported, trainedLibrary, trainOn, type TrainedLibrary } from '../../support/trained.ts';
import { readWav } from '../../support/wav.ts';

const manifestSchema = z.object({
  schema: z.literal('archetone.export/1'),
  archetone: z.string(),
  kind: z.string(),
  method: z.string(),
  seed: z.number(),
  classes: z.array(z.string()),
  counts: z.record(z.string(), z.unknown()),
  metrics: z.unknown(),
  taxonomy: z.object({ name: z.string() }),
  pack: z.object({ id: z.string(), sha256: z.string() }),
  space: z.unknown(),
  audio: z.object({ seed: z.number(), method: z.enum(['ddim', 'multistep']), steps: z.number() }).nullable(),
  licences: z.array(z.object({ attribution: z.string() })),
  files: z.array(z.object({ path: z.string(), bytes: z.number(), sha256: z.string() })),
});

const manifestOf = (folder: string) =>
  manifestSchema.parse(JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')));

const csvOf = (folder: string, name: string): Record<string, string>[] =>
  parse(readFileSync(join(folder, name)), { columns: true, bom: false });

/** Every file of a folder by its path, as text that compares byte for byte. */
function contents(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  return Object.fromEntries(
    files
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path): [string, string] => [path.slice(folder.length + 1), readFileSync(path).toString('latin1')])
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

/** Reads one float32 or int32 member of an .npz by the description of the format, not by the product's reader. */
function npzMember(folder: string, name: string): { shape: number[]; values: number[] } {
  const bytes = unzipSync(readFileSync(join(folder, 'prototypes.npz')))[`${name}.npy`];
  if (!bytes) throw new Error(`no ${name}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = 10 + view.getUint16(8, true);
  const header = new TextDecoder().decode(bytes.subarray(10, start));
  const shape = (/'shape': \(([^)]*)\)/.exec(header)?.[1] ?? '')
    .split(',')
    .filter((s) => s.trim() !== '')
    .map(Number);
  const float = header.includes("'<f4'");
  if (!float && !header.includes("'<i4'")) throw new Error(`unexpected type in ${header}`);
  const values = Array.from({ length: (bytes.length - start) / 4 }, (_, i) =>
    float ? view.getFloat32(start + 4 * i, true) : view.getInt32(start + 4 * i, true),
  );
  return { shape, values };
}

function hasNumpy(): boolean {
  try {
    execFileSync('python3', ['-c', 'import numpy'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

describe('export of an experiment', () => {
  let lib: TrainedLibrary;
  let result: ExportResult;

  beforeAll(async () => {
    lib = await trainedLibrary({ perClass: 6 });
    result = await exported(lib.test.client, lib.libraryId, {
      subject: { kind: 'experiment', experimentId: lib.experiment.id },
      folder: join(testFolder(), 'bundle'),
    });
  });

  it('lists every file with its true size and hash', () => {
    const manifest = manifestOf(result.folder);
    const found = Object.keys(contents(result.folder)).filter((path) => path !== 'manifest.json');
    expect(manifest.files.map(({ path }) => path).sort()).toEqual(
      found.map((path) => path.replaceAll('\\', '/')).sort(),
    );
    for (const { path, bytes, sha256 } of manifest.files) {
      const content = readFileSync(join(result.folder, path));
      expect(content.length).toBe(bytes);
      expect(createHash('sha256').update(content).digest('hex')).toBe(sha256);
    }
    expect(result.files.map(({ path }) => path)).toContain('manifest.json');
  });

  it('says what it is in the manifest', () => {
    const manifest = manifestOf(result.folder);
    expect(manifest).toMatchObject({
      kind: 'experiment',
      classes: ['bass', 'high', 'mid'],
      archetone: '0.0.0-test',
      pack: { id: 'compact', sha256: lib.experiment.space.packSha256 },
    });
    // What computed the vectors: this process.
    expect(manifest.space).toEqual({
      ...{ key: lib.experiment.space.key, windows: 'all', deformation: null },
      computedBy: [computedHere('cpu')],
    });
    expect(manifest.metrics).toEqual(lib.experiment.metrics);
    expect(manifest.licences.length).toBeGreaterThan(0);
    const text = readFileSync(join(result.folder, 'manifest.json'), 'utf8');
    expect(text).not.toContain(lib.experiment.id);
    expect(text).not.toContain(lib.experiment.createdAt.slice(0, 10));
  });

  it('writes prototypes as CSV and NPZ that agree', async () => {
    const rows = csvOf(result.folder, 'prototypes.csv');
    const listed = await lib.test.client.call('prototypes.list', {
      libraryId: lib.libraryId,
      experimentId: lib.experiment.id,
    });
    expect(rows.map((row) => row['class'])).toEqual(listed.map((p) => p.class));
    expect(rows.map((row) => Number(row['support']))).toEqual(listed.map((p) => p.support));
    const { shape, values } = npzMember(result.folder, 'prototypes');
    expect(shape).toEqual([6, 32]);
    const fromCsv = rows.flatMap((row) => Array.from({ length: 32 }, (_, d) => Number(row[`z${d}`])));
    expect(fromCsv).toEqual(values);
    expect(npzMember(result.folder, 'class_of').values).toEqual([0, 0, 1, 1, 2, 2]);
    const weights = npzMember(result.folder, 'weights');
    expect(weights.shape).toEqual([3, 6]);
    expect(rows.map((row) => Number(row['weight:bass']))).toEqual(weights.values.slice(0, 6));
  });

  it.skipIf(!hasNumpy())('is read by NumPy without pickle', () => {
    const script = [
      'import numpy, sys, json',
      'a = numpy.load(sys.argv[1], allow_pickle=False)',
      'print(json.dumps({k: [list(a[k].shape), str(a[k].dtype)] for k in a.files}))',
      'print(json.dumps(a["classes"].tolist()))',
    ].join('\n');
    const output = execFileSync('python3', ['-c', script, join(result.folder, 'prototypes.npz')], {
      encoding: 'utf8',
    });
    const [shapes = '', classes = ''] = output.split('\n');
    expect(JSON.parse(shapes)).toMatchObject({
      prototypes: [[6, 32], 'float32'],
      temperature: [[], 'float64'],
    });
    expect(JSON.parse(classes)).toEqual(['bass', 'high', 'mid']);
  });

  it('writes one WAV per prototype that can be heard', () => {
    const rows = csvOf(result.folder, 'prototypes.csv');
    for (const row of rows) {
      const { samples, sampleRate } = readWav(readFileSync(join(result.folder, row['audio'] ?? '')));
      expect(sampleRate).toBe(8000);
      expect(samples).toHaveLength(4000);
      expect(samples.some((sample) => Math.abs(sample) > 1e-4)).toBe(true);
    }
    expect(new Set(rows.map((row) => row['audio'])).size).toBe(6);
  });

  it('writes playlists whose files exist and are predicted as the class', async () => {
    const { tracks } = await lib.test.client.call('tracks.list', {
      libraryId: lib.libraryId,
      experimentId: lib.experiment.id,
    });
    for (const name of lib.experiment.classes) {
      const lines = readFileSync(join(result.folder, 'playlists', `${name}.m3u8`), 'utf8').split('\n');
      expect(lines[0]).toBe('#EXTM3U');
      const files = lines.filter((line) => line !== '' && !line.startsWith('#'));
      expect(files.every((file) => existsSync(file))).toBe(true);
      const expected = tracks.filter(({ prediction }) => prediction?.class === name);
      expect(files.toSorted()).toEqual(expected.map(({ path }) => join(lib.folder, path)).toSorted());
    }
  });

  it('writes the split, in which no track occurs twice', () => {
    const rows = csvOf(result.folder, 'split.csv');
    expect(new Set(rows.map((row) => row['path'])).size).toBe(18);
    expect(rows.filter((row) => row['split'] === 'test')).toHaveLength(lib.experiment.counts.test.tracks);
    expect(rows.every((row) => row['path']?.startsWith(`${row['labels'] ?? '?'}/`))).toBe(true);
  });

  it('gives the same bytes for the same seed, from an experiment trained anew', async () => {
    const again = await trainOn(lib.test.client, lib.libraryId, { taxonomyId: lib.taxonomyId });
    const second = await exported(lib.test.client, lib.libraryId, {
      subject: { kind: 'experiment', experimentId: again.id },
      folder: join(testFolder(), 'elsewhere'),
    });
    expect(contents(second.folder)).toEqual(contents(result.folder));
    const other = await exported(lib.test.client, lib.libraryId, {
      subject: { kind: 'experiment', experimentId: again.id },
      folder: join(testFolder(), 'seed'),
      formats: ['wav'],
      seed: 2,
    });
    const audio = (folder: string) =>
      Object.entries(contents(folder)).filter(([path]) => path.endsWith('.wav'));
    expect(audio(other.folder)).toHaveLength(6);
    expect(audio(other.folder)).not.toEqual(audio(result.folder));
  });

  it('writes only the formats asked for', async () => {
    const { files } = await exported(lib.test.client, lib.libraryId, {
      subject: { kind: 'experiment', experimentId: lib.experiment.id },
      folder: join(testFolder(), 'npz'),
      formats: ['npz'],
    });
    expect(files.map(({ path }) => path)).toEqual(['manifest.json', 'prototypes.npz']);
  });

  it('refuses a folder that is not empty, and takes an empty one', async () => {
    const folder = testFolder();
    writeFileSync(join(folder, 'precious.txt'), 'mine');
    const subject = { kind: 'experiment' as const, experimentId: lib.experiment.id };
    const { jobId } = await lib.test.client.call('exports.start', {
      libraryId: lib.libraryId,
      subject,
      folder,
    });
    expect((await settled(lib.test.client, jobId)).error?.code).toBe('bad-input');
    expect(readdirSync(folder)).toEqual(['precious.txt']);
    const empty = join(folder, 'empty');
    mkdirSync(empty);
    await exported(lib.test.client, lib.libraryId, { subject, folder: empty, formats: ['csv'] });
    expect(readdirSync(empty).sort()).toEqual(['manifest.json', 'prototypes.csv', 'split.csv']);
  });

  it('exports a reduction, whose rows agree between CSV and NPZ', async () => {
    const { client } = lib.test;
    const { reduction } = await reduced(client, lib.libraryId, {
      source: { kind: 'library', taxonomyId: lib.taxonomyId },
      run: { method: 'MChen', parameters: { p: 40 } },
    });
    const { folder } = await exported(client, lib.libraryId, {
      subject: { kind: 'reduction', reductionId: reduction.id },
      folder: join(testFolder(), 'reduced'),
    });
    const rows = csvOf(folder, 'prototypes.csv');
    const { shape, values } = npzMember(folder, 'prototypes');
    expect(shape).toEqual([rows.length, 32]);
    expect(rows.flatMap((row) => Array.from({ length: 32 }, (_, d) => Number(row[`z${d}`])))).toEqual(values);
    const manifest = manifestOf(folder);
    expect(manifest).toMatchObject({
      kind: 'reduction',
      method: 'MChen',
      counts: { prototypes: rows.length },
    });
    for (const row of rows) readWav(readFileSync(join(folder, row['audio'] ?? '')));
  });
});

describe('names and tables', () => {
  it.each([
    ['drum', 'drum'],
    ['a/b\\c', 'a_b_c'],
    ['what? <now>: "yes"|*', 'what_ _now__ _yes___'],
    ['..', '_'],
    ['.hidden', '_hidden'],
    ['trailing. ', 'trailing'],
    ['CON', '_CON'],
    ['com1.wav', '_com1.wav'],
    ['', '_'],
    ['\u0000\n', '__'],
    ['é', 'é'],
  ])('%j becomes the file name %j', (text, expected) => {
    expect(fileName(text)).toBe(expected);
  });

  it('keeps names apart where case is ignored, and short', () => {
    expect(distinctFileNames(['Flute', 'flute', 'a/b', 'a:b'])).toEqual([
      'Flute',
      'flute (2)',
      'a_b',
      'a_b (2)',
    ]);
    expect(distinctFileNames(['straße', 'STRASSE', 'e\u0301', 'é'])).toEqual([
      'straße',
      'STRASSE (2)',
      'é',
      'é (2)',
    ]);
    expect(fileName('x'.repeat(300))).toHaveLength(80);
  });

  it('quotes cells that need it', () => {
    const text = writeCsv(
      ['a', 'b'],
      [
        ['x,"y"\n', null],
        [0.1, -1],
      ],
    );
    expect(parse(text)).toEqual([
      ['a', 'b'],
      ['x,"y"\n', ''],
      ['0.1', '-1'],
    ]);
  });
});
