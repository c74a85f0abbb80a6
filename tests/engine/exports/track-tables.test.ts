import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parse } from 'csv-parse/sync';
import { XMLParser } from 'fast-xml-parser';
import { parquetReadObjects } from 'hyparquet';
import { beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import type { ExportResult } from '../../../engine/api/exports.ts';
import { formatsOf } from '../../../engine/api/exports.ts';
import type { Input } from '../../../engine/api/contract.ts';
import type { TrackRow } from '../../../engine/api/tracks.ts';
import { encodeWav } from '../../../models/audio/index.ts';
import { readNpz } from '../../../models/tensors/index.ts';
import { settled } from '../../support/engine.ts';
import { testFolder } from '../../support/music.ts';
import { exported, trainedLibrary, type TrainedLibrary } from '../../support/trained.ts';

type Subject = Extract<Input<'exports.start'>['subject'], { kind: 'tracks' }>;

const python = process.env['ARCHETONE_PYTHON'] ?? 'python3';
function hasPython(modules: string): boolean {
  try {
    execFileSync(python, ['-c', `import ${modules}`], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
const runPython = (script: readonly string[], ...args: string[]): unknown =>
  JSON.parse(execFileSync(python, ['-c', script.join('\n'), ...args], { encoding: 'utf8' }));

const rowSchema = z.looseObject({
  path: z.string(),
  labels: z.array(z.string()),
  prediction: z.string(),
  probability: z.number(),
  split: z.string(),
  x: z.number(),
  y: z.number(),
  neighbors: z.object({ ids: z.array(z.number()), distances: z.array(z.number()) }),
  vector: z.array(z.number()),
});

async function parquetRows(path: string): Promise<Record<string, unknown>[]> {
  const bytes = readFileSync(path);
  return parquetReadObjects({ file: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) });
}

const hashes = ({ files }: ExportResult): string[] => files.map(({ path, sha256 }) => `${path} ${sha256}`);

describe('all tracks of a library', () => {
  let lib: TrainedLibrary;
  let rows: TrackRow[];
  let space: string;
  let result: ExportResult;
  const write = (more: Partial<Subject>, formats = formatsOf('tracks')): Promise<ExportResult> =>
    exported(lib.test.client, lib.libraryId, {
      subject: {
        ...{ kind: 'tracks', trackIds: null, taxonomyId: lib.taxonomyId, experimentId: lib.experiment.id },
        ...{ spaces: [space], map: 'pca', neighbours: 3, ...more },
      },
      folder: join(testFolder(), 'out'),
      formats,
    });

  beforeAll(async () => {
    lib = await trainedLibrary({ perClass: 5 });
    const { client } = lib.test;
    const scope = { libraryId: lib.libraryId, taxonomyId: lib.taxonomyId, experimentId: lib.experiment.id };
    rows = (await client.call('tracks.list', scope)).tracks;
    const [current] = await client.call('libraries.spaces', { libraryId: lib.libraryId });
    expect(current).toMatchObject({ packId: 'compact', tracks: 15, windows: 'all' });
    space = current?.key ?? '';
    result = await write({ copyFiles: true });
  }, 60_000);

  it('say the same in Parquet, JSON Lines and CSV as the library does', async () => {
    const table = z.array(rowSchema).parse(await parquetRows(join(result.folder, 'tracks.parquet')));
    const lines = readFileSync(join(result.folder, 'tracks.jsonl'), 'utf8').trimEnd().split('\n');
    const objects = z.array(rowSchema).parse(lines.map((line): unknown => JSON.parse(line)));
    const csv = parse<Record<string, string>>(readFileSync(join(result.folder, 'tracks.csv')), {
      columns: true,
    });
    expect(table.map(({ path }) => path)).toEqual(rows.map(({ path }) => path));
    for (const [i, row] of rows.entries()) {
      const said = { path: row.path, labels: row.labels, prediction: row.prediction?.class };
      expect(table[i]).toMatchObject({ ...said, split: row.prediction?.split });
      expect(objects[i]).toMatchObject(said);
      expect(csv[i]).toMatchObject({ path: row.path, labels: row.labels.join(';') });
      expect(Number(csv[i]?.['z7'])).toBeCloseTo(table[i]?.vector[7] ?? NaN, 6);
      expect(objects[i]?.vector).toEqual(table[i]?.vector);
    }
  });

  it('name as neighbours what lies nearest among the exported vectors', async () => {
    const table = z.array(rowSchema).parse(await parquetRows(join(result.folder, 'tracks.parquet')));
    for (const [i, { vector, neighbors }] of table.entries()) {
      const nearest = table
        .map((other, j) => ({
          j,
          distance: Math.hypot(...other.vector.map((value, d) => value - (vector[d] ?? 0))),
        }))
        .filter(({ j }) => j !== i)
        .sort((a, b) => a.distance - b.distance || a.j - b.j)
        .slice(0, 3);
      expect(neighbors.ids).toEqual(nearest.map(({ j }) => j));
      neighbors.distances.forEach((distance, n) =>
        expect(distance).toBeCloseTo(nearest[n]?.distance ?? NaN, 4),
      );
    }
  });

  it('lie where the map shows them', async () => {
    const table = z.array(rowSchema).parse(await parquetRows(join(result.folder, 'tracks.parquet')));
    const events = lib.test.client.stream('projection.compute', { libraryId: lib.libraryId, method: 'pca' });
    for await (const event of events) {
      if (event.type !== 'result') continue;
      const { x, y } = event.projection;
      expect(table.map((row) => [row.x, row.y])).toEqual(Array.from(x, (value, i) => [value, y[i]]));
    }
  });

  it('are arrays of the same rows', async () => {
    const table = z.array(rowSchema).parse(await parquetRows(join(result.folder, 'tracks.parquet')));
    const arrays = readNpz(readFileSync(join(result.folder, 'tracks.npz')));
    expect(arrays.get('path')?.data).toEqual(table.map(({ path }) => path));
    expect(Array.from(arrays.get('vector')?.data ?? [], Number)).toEqual(
      table.flatMap(({ vector }) => vector),
    );
    expect(arrays.get('vector')?.shape).toEqual([15, table[0]?.vector.length]);
    const names = arrays.get('label_names')?.data ?? [];
    const matrix = arrays.get('labels');
    expect(matrix?.shape).toEqual([15, 3]);
    table.forEach(({ labels }, i) => {
      const borne = Array.from(names, String).filter((_, l) => matrix?.data[3 * i + l] === 1);
      expect(borne).toEqual(labels);
    });
    expect(Array.from(arrays.get('neighbor_ids')?.data ?? [], Number)).toEqual(
      table.flatMap(({ neighbors }) => neighbors.ids),
    );
  });

  it('lie beside their metadata as an AudioFolder', () => {
    const lines = readFileSync(join(result.folder, 'files', 'metadata.jsonl'), 'utf8')
      .trimEnd()
      .split('\n');
    const named = lines.map(
      (line) => z.looseObject({ file_name: z.string() }).parse(JSON.parse(line)).file_name,
    );
    expect([...named, 'metadata.jsonl'].sort()).toEqual(readdirSync(join(result.folder, 'files')).sort());
  });

  it('have a JAMS file each, with labels, predictions and the embedding', () => {
    const files = readdirSync(join(result.folder, 'jams'));
    expect(files).toHaveLength(15);
    const schema = z.object({
      file_metadata: z.looseObject({
        title: z.string(),
        duration: z.number(),
        jams_version: z.literal('0.3.4'),
      }),
      annotations: z.array(
        z.looseObject({
          namespace: z.string(),
          data: z.array(z.object({ time: z.number(), duration: z.number(), value: z.unknown() }).loose()),
        }),
      ),
    });
    for (const name of files) {
      const { annotations, file_metadata: about } = schema.parse(
        JSON.parse(readFileSync(join(result.folder, 'jams', name), 'utf8')),
      );
      expect(annotations.map(({ namespace }) => namespace)).toEqual(['tag_open', 'tag_open', 'vector']);
      const row = rows.find(({ title }) => title === about.title);
      expect(annotations[0]?.data.map(({ value }) => value)).toEqual(row?.labels);
      expect(annotations[1]?.data[0]).toMatchObject({
        value: row?.prediction?.class,
        confidence: row?.prediction?.probability,
      });
      expect(annotations[2]?.data[0]?.duration).toBeCloseTo(about.duration, 6);
    }
  });

  it('are a Rekordbox collection with playlists of labels and predictions', () => {
    const text = readFileSync(join(result.folder, 'rekordbox.xml'), 'utf8');
    const parsed: unknown = new XMLParser({ ignoreAttributes: false, attributeNamePrefix: '' }).parse(text);
    const node = z.object({ Name: z.string(), TRACK: z.array(z.object({ Key: z.string() })) });
    const { DJ_PLAYLISTS: collection } = z
      .object({
        DJ_PLAYLISTS: z.object({
          COLLECTION: z.object({
            Entries: z.string(),
            TRACK: z.array(z.looseObject({ TrackID: z.string(), Name: z.string(), Location: z.string() })),
          }),
          PLAYLISTS: z.object({
            NODE: z.object({
              NODE: z.array(z.object({ Name: z.string(), NODE: z.union([node, z.array(node)]) })),
            }),
          }),
        }),
      })
      .parse(parsed);
    expect(collection.COLLECTION.Entries).toBe('15');
    expect(collection.COLLECTION.TRACK.map(({ Location }) => Location)).toEqual(
      rows.map(({ path }) =>
        pathToFileURL(join(lib.folder, path)).href.replace('file:///', 'file://localhost/'),
      ),
    );
    const folders = collection.PLAYLISTS.NODE.NODE;
    expect(folders.map(({ Name }) => Name)).toEqual(['Archetone', 'Labels', 'Predictions']);
    const labels = [folders[1]?.NODE ?? []].flat();
    for (const { Name, TRACK } of labels)
      expect(TRACK.map(({ Key }) => rows[Number(Key) - 1]?.labels)).toEqual(TRACK.map(() => [Name]));
  });

  it('come with a manifest that says what made them', () => {
    const manifest = z
      .looseObject({ spaces: z.array(z.unknown()), files: z.array(z.object({ path: z.string() })) })
      .parse(JSON.parse(readFileSync(join(result.folder, 'manifest.json'), 'utf8')));
    expect(manifest).toMatchObject({
      kind: 'tracks',
      classes: ['bass', 'high', 'mid'],
      counts: { tracks: 15, rows: 15 },
      parameters: { level: 'track', map: 'pca', neighbours: 3 },
      experiment: { name: lib.experiment.name, revision: lib.experiment.revision },
      taxonomy: { source: { kind: 'folders' } },
    });
    expect(manifest.spaces).toEqual([
      expect.objectContaining({ column: 'vector', key: space, windows: 'all' }) as unknown,
    ]);
    expect(manifest.files.length).toBe(result.files.length - 1);
  });

  it('are the same bytes again', async () => {
    const again = await write({ copyFiles: true });
    expect(hashes(again)).toEqual(hashes(result));
  });

  it('are windows where windows are asked for, each with what the experiment says of it', async () => {
    const windows = await write({ level: 'window' }, ['parquet', 'npz', 'csv', 'jams', 'm3u8']);
    const table = z
      .array(
        rowSchema.extend({
          window_index: z.number(),
          start_seconds: z.number(),
          window_prediction: z.string(),
        }),
      )
      .parse(await parquetRows(join(windows.folder, 'tracks.parquet')));
    expect(table.length).toBe(rows.reduce((sum, { windowCount }) => sum + windowCount, 0));
    expect(table.length).toBeGreaterThan(rows.length);
    const arrays = readNpz(readFileSync(join(windows.folder, 'tracks.npz')));
    expect(arrays.get('vector')?.shape).toEqual([table.length, table[0]?.vector.length]);
    expect(Array.from(arrays.get('window_index')?.data ?? [], Number)).toEqual(
      table.map(({ window_index: index }) => index),
    );
    expect(readdirSync(join(windows.folder, 'jams'))).toHaveLength(15);
    expect(readFileSync(join(windows.folder, 'tracks.m3u8'), 'utf8').match(/#EXTINF/g)).toHaveLength(15);
  });

  it.each<[string, Partial<Subject>, string]>([
    ['windows without a space', { level: 'window', spaces: [], map: null, neighbours: 0 }, 'bad-input'],
    ['a map without a space', { spaces: [] }, 'bad-input'],
    ['a space that is not there', { spaces: ['0'.repeat(32)] }, 'not-found'],
    ['a track that is gone', { trackIds: ['nobody'], neighbours: 0 }, 'not-found'],
  ])('refuse %s, and nothing is left', async (_, more, code) => {
    const parent = testFolder();
    const { jobId } = await lib.test.client.call('exports.start', {
      libraryId: lib.libraryId,
      subject: { kind: 'tracks', trackIds: null, spaces: [space], map: 'pca', ...more },
      folder: join(parent, 'out'),
    });
    expect((await settled(lib.test.client, jobId)).error).toMatchObject({ code });
    expect(readdirSync(parent)).toEqual([]);
  });

  it('cannot be what only experiments are', async () => {
    const { jobId } = await lib.test.client.call('exports.start', {
      libraryId: lib.libraryId,
      subject: { kind: 'tracks', trackIds: null },
      folder: join(testFolder(), 'out'),
      formats: ['onnx'],
    });
    const { error } = await settled(lib.test.client, jobId);
    expect(error).toMatchObject({ code: 'bad-input' });
    expect(error?.hint).toContain('parquet');
  });

  it.skipIf(!hasPython('numpy'))('are read by NumPy', () => {
    const read = runPython(
      [
        'import sys, json, numpy as np',
        'a = np.load(sys.argv[1], allow_pickle=False)',
        'print(json.dumps({k: [list(a[k].shape), str(a[k].dtype)] for k in a.files}))',
      ],
      join(result.folder, 'tracks.npz'),
    );
    expect(read).toMatchObject({ vector: [[15, expect.any(Number)], 'float32'], labels: [[15, 3], 'uint8'] });
  });

  it.skipIf(!hasPython('pyarrow, pandas'))('are read by PyArrow and pandas', () => {
    const read = runPython(
      [
        'import sys, json, pandas, pyarrow.parquet as pq',
        't = pq.read_table(sys.argv[1])',
        'd = t.to_pandas()',
        'print(json.dumps({"rows": t.num_rows, "paths": d["path"].tolist(), "types": {f.name: str(f.type) for f in t.schema},',
        '  "sum": float(sum(v.sum() for v in d["vector"])), "ids": [list(map(int, n["ids"])) for n in d["neighbors"]]}))',
      ],
      join(result.folder, 'tracks.parquet'),
    );
    expect(read).toMatchObject({
      rows: 15,
      paths: rows.map(({ path }) => path),
      types: { labels: 'list<element: string not null>', correct: 'bool', probability: 'double' },
    });
  });
});

describe('a library in several spaces', () => {
  it('has a column for each, empty where a track is not embedded', async () => {
    const lib = await trainedLibrary({ perClass: 4 });
    const { client } = lib.test;
    // Another recording, and later: it is embedded in the second space only.
    writeFileSync(
      join(lib.folder, 'bass', 'late.wav'),
      encodeWav(
        Float32Array.from({ length: 48_000 }, (_, i) => Math.sin(i / 9) / 2),
        24_000,
        'pcm16',
      ),
    );
    await client.call('libraries.open', { folder: lib.folder, windows: 1 });
    const { jobId } = await client.call('import.start', { libraryId: lib.libraryId });
    expect((await settled(client, jobId)).state).toBe('done');
    const spaces = await client.call('libraries.spaces', { libraryId: lib.libraryId });
    expect(spaces.map(({ windows }) => windows)).toEqual([1, 'all']);
    const out = await exported(client, lib.libraryId, {
      subject: {
        ...{
          kind: 'tracks',
          trackIds: null,
          spaces: spaces.map(({ key }) => key),
          map: 'pca',
          neighbours: 2,
        },
      },
      folder: join(testFolder(), 'out'),
      formats: ['parquet', 'csv'],
    });
    const table = await parquetRows(join(out.folder, 'tracks.parquet'));
    const columns = spaces.map(({ key }) => `vector_compact_${key.slice(0, 8)}`);
    const known = columns.map((column) =>
      table.flatMap((row) => (row[column] == null ? [] : z.array(z.number()).parse(row[column]).length)),
    );
    expect(table).toHaveLength(13);
    expect(known.map((dims) => dims.length)).toEqual([13, 12]);
    expect(new Set(known.flat()).size).toBe(1);
    expect(table.filter((row) => row[columns[1] ?? ''] == null).map(({ path }) => path)).toEqual([
      'bass/late.wav',
    ]);
    expect(readFileSync(join(out.folder, 'tracks.csv'), 'utf8').split('\r\n')[0]).toContain(
      `${columns[1] ?? ''}:z0`,
    );
  });
});
