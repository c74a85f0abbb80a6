import { openSync, closeSync, ftruncateSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { beforeAll, describe, expect, it } from 'vitest';
import { readLabelTable } from '../../../engine/taxonomies/label-thread.ts';
import { readLabelRows, type LabelRow } from '../../../engine/taxonomies/label-rows.ts';
import { LabelTableBuilder } from '../../../engine/taxonomies/label-table.ts';
import { TrackMatcher } from '../../../engine/library/track-matcher.ts';
import { importFolder, startTestEngine } from '../../support/engine.ts';
import { writeMusic } from '../../support/music.ts';
import { temporaryFolder } from '../../support/temporary.ts';
import { askThreads } from '../../support/workers.ts';

let folder = '';
beforeAll(async () => {
  folder = await temporaryFolder();
});

async function rowsOf(bytes: string | Uint8Array, name = 'labels.csv'): Promise<LabelRow[]> {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  const rows: LabelRow[] = [];
  for await (const batch of readLabelRows(path)) rows.push(...batch);
  return rows;
}

describe('a label file', () => {
  const expected: LabelRow[] = [
    { path: 'Rock/Größe 1.mp3', labels: ['laut'] },
    { path: 'Pop/Größe 2.mp3', labels: ['leise', 'süß'] },
  ];
  const plain = 'path,label,label2\r\nRock/Größe 1.mp3,laut,\r\nPop/Größe 2.mp3,leise,süß\r\n';
  const wide = (text: string): Buffer => Buffer.from(`\ufeff${text}`, 'utf16le');

  it.each<[string, string | Uint8Array]>([
    ['plain', plain],
    ['with a byte order mark', `\ufeff${plain}`],
    ['with carriage returns alone', plain.replaceAll('\r\n', '\r')],
    ['with semicolons', plain.replaceAll(',', ';')],
    ['with tabs', plain.replaceAll(',', '\t')],
    ["with Excel's sep=", `sep=;\r\n${plain.replaceAll(',', ';')}`],
    ['in Windows-1252', Buffer.from(plain, 'latin1')],
    ['in UTF-16', wide(plain)],
    ['in big-endian UTF-16', wide(plain).swap16()],
    ['with quotes', plain.replaceAll(/[^,\r\n]+/g, '"$&"')],
    ['with quotes from its last row on', plain.replace('Pop/Größe 2.mp3', '"Pop/Größe 2.mp3"')],
    ['with a list of labels', 'path,labels\nRock/Größe 1.mp3,laut\nPop/Größe 2.mp3,leise; süß;;leise\n'],
    [
      'with semicolons and a list of labels',
      'path;labels\nRock/Größe 1.mp3;laut\nPop/Größe 2.mp3;leise, süß\n',
    ],
    ['with decomposed labels', plain.replace('süß', 'su\u0308ß')],
    ['with empty lines and blanks', plain.replaceAll('\r\n', '\n\n').replaceAll(',', ' , ')],
  ])('is read %s', async (_, bytes) => {
    expect(await rowsOf(bytes)).toEqual(expected);
  });

  it('keeps line feeds, quotes and formulas in names', async () => {
    const rows = await rowsOf('path,label\n"a\nb.mp3",x\n"c ""d"".mp3",y\ne "f".mp3,z\n\'=g.mp3,w\n');
    expect(rows.map(({ path }) => path)).toEqual(['a\nb.mp3', 'c "d".mp3', 'e "f".mp3', '=g.mp3']);
  });

  it.each([
    ['a.wav,rock'],
    [''],
    ['path\na.wav'],
    ['path,label\n"a.wav,rock'],
    ['path,label\0\n'],
    ['file;class\na;b'],
  ])('is refused when it is %j', async (text) => {
    await expect(rowsOf(text)).rejects.toMatchObject({
      code: 'bad-input',
      hint: expect.stringContaining('path,label') as string,
    });
  });

  it('is refused when it is a device, a pipe, a folder, sparse or one endless line', async () => {
    for (const path of [folder, ...(process.platform === 'win32' ? [] : ['/dev/zero', '/dev/null'])])
      await expect(readLabelRows(path).next()).rejects.toMatchObject({ code: 'unreadable' });
    await expect(readLabelRows(join(folder, 'none.csv')).next()).rejects.toMatchObject({
      code: 'unreadable',
    });
    const sparse = join(folder, 'sparse.csv');
    const file = openSync(sparse, 'w');
    ftruncateSync(file, 20 * 1024 ** 3);
    await expect(readLabelRows(sparse).next()).rejects.toMatchObject({ code: 'bad-input' });
    ftruncateSync(file, 100 * 1024 ** 2);
    await expect(readLabelRows(sparse).next()).rejects.toMatchObject({ code: 'bad-input' });
    closeSync(file);
    await expect(rowsOf(`path,label\n${'x'.repeat(3_000_000)}`)).rejects.toMatchObject({ code: 'bad-input' });
    await expect(rowsOf(`path,label\n"${'x'.repeat(3_000_000)}"`)).rejects.toMatchObject({
      code: 'bad-input',
    });
  });
});

describe('paths of a label file', () => {
  const tracks = [
    'Rock/Größe 1.mp3',
    'Pop/Größe 1.mp3',
    'Pop/CD 1/01.mp3',
    'Jazz/CD 1/01.mp3',
    'Jazz/only here.mp3',
    'Good\\Bad.mp3',
    'top.mp3',
    'case/Song.mp3',
    'case/song.mp3',
    'twin/e\u0301.mp3',
    'twin/\u00e9.mp3',
    '100% real/x.mp3',
  ];
  const matcher = new TrackMatcher(tracks, '/home/me/Music');

  it.each([
    ['as they are', 'Rock/Größe 1.mp3', 'Rock/Größe 1.mp3'],
    ['absolute', '/home/me/Music/Rock/Größe 1.mp3', 'Rock/Größe 1.mp3'],
    ['from Windows', 'C:\\Users\\x\\Music\\Rock\\Größe 1.mp3', 'Rock/Größe 1.mp3'],
    ['from a share', '\\\\nas\\music\\Pop\\Größe 1.mp3', 'Pop/Größe 1.mp3'],
    ['below a dot', '.\\Pop\\Größe 1.mp3', 'Pop/Größe 1.mp3'],
    ['decomposed', 'Pop/Gro\u0308ße 1.mp3'.normalize('NFD'), 'Pop/Größe 1.mp3'],
    ['in other case', 'ROCK/GRÖßE 1.MP3', 'Rock/Größe 1.mp3'],
    ['of another root', '/mnt/old/Jazz/CD 1/01.mp3', 'Jazz/CD 1/01.mp3'],
    ['shorter than the track', 'only here.mp3', 'Jazz/only here.mp3'],
    ['longer than a track at the top', 'D:/stuff/top.mp3', 'top.mp3'],
    ['as a URL', 'file:///home/me/Music/Pop/Gr%C3%B6%C3%9Fe%201.mp3', 'Pop/Größe 1.mp3'],
    ['as a URL from Windows', 'file:///C:/Music/Jazz/only%20here.mp3', 'Jazz/only here.mp3'],
    ['as a URL with a host', 'file://localhost/x/Jazz/only%20here.mp3', 'Jazz/only here.mp3'],
    ['with %20', 'Jazz/only%20here.mp3', 'Jazz/only here.mp3'],
    ['with a percent sign', '/old/100% real/x.mp3', '100% real/x.mp3'],
    ['with a backslash in the name', 'Good\\Bad.mp3', 'Good\\Bad.mp3'],
    ['with a backslash in the name, elsewhere', '/old/Good\\Bad.mp3', 'Good\\Bad.mp3'],
    ['that differ in case alone', '/old/case/song.mp3', 'case/song.mp3'],
    ['that differ in form alone', 'twin/\u00e9.mp3', 'twin/\u00e9.mp3'],
    ['that differ in form alone, decomposed', 'twin/e\u0301.mp3', 'twin/e\u0301.mp3'],
  ])('match %s', (_, row, track) => {
    const found = matcher.match(row);
    expect(typeof found === 'number' ? tracks[found] : found).toBe(track);
  });

  it.each([
    ['no file of that name', 'Rock/other.mp3', 'absent', undefined],
    ['the file in another folder', 'Blues/only here.mp3', 'elsewhere', 'Jazz/only here.mp3'],
    ['several files of that name', 'Größe 1.mp3', 'ambiguous', 'Rock/Größe 1.mp3'],
    ['several that end so', '/x/CD 1/01.mp3', 'ambiguous', 'Pop/CD 1/01.mp3'],
    ['another ending', 'Jazz/only here.flac', 'ending', 'Jazz/only here.mp3'],
    ['case that fits neither', 'x/case/SONG.mp3', 'ambiguous', 'case/Song.mp3'],
    ['nothing', '/', 'absent', undefined],
  ])('match nothing where there is %s', (_, row, reason, track) => {
    const found = matcher.match(row);
    expect(found).toMatchObject({ reason });
    if (typeof found !== 'number') expect(tracks[found.tracks[0] ?? -1]).toBe(track);
  });

  it('that name no track are counted by reason, with an example', () => {
    const table = new LabelTableBuilder(tracks, '/home/me/Music');
    for (const path of ['gone.mp3', 'top.mp3', 'lost.mp3', 'Größe 1.mp3']) table.add({ path, labels: ['x'] });
    const { rows, unmatched, reasons } = table.finish();
    expect([rows, unmatched]).toEqual([4, 3]);
    expect(reasons.map(({ reason, rows: count, example }) => [reason, count, example])).toEqual([
      ['absent', 2, { row: 2, path: 'gone.mp3' }],
      ['ambiguous', 1, { row: 5, path: 'Größe 1.mp3' }],
    ]);
    expect(reasons[0]?.message).toBe('2 rows name no file of the library: “gone.mp3” (row 2).');
  });
});

describe('a table that holds more than paths and labels', () => {
  const rowsOf = async (text: string): Promise<[string, string[]][]> => {
    const path = join(folder, 'more.csv');
    writeFileSync(path, text);
    const rows: [string, string[]][] = [];
    for await (const batch of readLabelRows(path)) for (const row of batch) rows.push([row.path, row.labels]);
    return rows;
  };

  it.each([
    ['remarks in front of the header', '# my labels\n# second\npath,label\na.mp3,rock\n'],
    ['the line sep= in quotes', '"sep=;"\r\npath;label\r\na.mp3;rock\r\n'],
    ['columns of other names', 'path,label,artist,note\na.mp3,rock,Abba,great\n'],
    ['a column of another name beside a list', 'path,labels,note\na.mp3,rock,great\n'],
  ])('is read with %s', async (_, text) => {
    expect(await rowsOf(text)).toEqual([['a.mp3', ['rock']]]);
  });

  it('keeps labels in columns of that name, of none, and beyond the header', async () => {
    expect(await rowsOf('path,label,label2,,note\na.mp3,rock,pop,jazz,fine,folk\n')).toEqual([
      ['a.mp3', ['rock', 'pop', 'jazz', 'folk']],
    ]);
  });
});

describe('the thread that reads label files', () => {
  const signal = new AbortController().signal;

  it('reads millions of rows while the engine goes on', async () => {
    const path = join(folder, 'many.csv');
    const file = openSync(path, 'w');
    writeSync(file, 'path,label\n');
    const rows = Number(process.env['ARCHETONE_LABEL_ROWS'] ?? 300_000);
    for (let from = 0; from < rows; from += 10_000)
      writeSync(
        file,
        Array.from(
          { length: 10_000 },
          (_, i) => `genre${i % 10}/track ${from + i}.mp3,genre ${i % 10}\n`,
        ).join(''),
      );
    closeSync(file);
    const paths = Array.from({ length: 1000 }, (_, i) => `genre${i % 10}/track ${i}.mp3`);
    const ask = await askThreads();
    const delay = monitorEventLoopDelay({ resolution: 5 });
    delay.enable();
    const begun = performance.now();
    const cpu = process.cpuUsage();
    const table = await readLabelTable(ask, { path, paths, folder: '/music' }, signal);
    delay.disable();
    if (process.env['ARCHETONE_LABEL_ROWS'])
      console.log(
        `${rows} rows in ${Math.round(performance.now() - begun)} ms, ${process.cpuUsage(cpu).user / 1e6} s of CPU, blocked ${delay.max / 1e6} ms`,
      );
    expect([table.rows, table.labels.size, table.unmatched]).toEqual([rows, 1000, rows - 1000]);
    expect(table.labels.get(7)).toEqual(['genre 7']);
    // The rows stay in the thread.
    expect(table.kept).toBeNull();
  });

  it('ends when it is told to, and when nothing comes of it', async () => {
    const path = join(folder, 'many.csv');
    const ask = await askThreads();
    const stop = new AbortController();
    const reading = readLabelTable(ask, { path, paths: [], folder: '/music' }, stop.signal);
    stop.abort(new Error('enough'));
    await expect(reading).rejects.toThrow('enough');
    const limits = { stallMs: 1, memoryMb: 256 };
    await expect(
      readLabelTable(ask, { path, paths: [], folder: '/music' }, signal, limits),
    ).rejects.toMatchObject({ code: 'unreadable' });
  });
});

describe('a taxonomy from a label file', () => {
  it('is read again when the file was mended, and says what named no track', async () => {
    const { client } = await startTestEngine();
    const music = writeMusic({ perClass: 2 });
    const { library } = await importFolder(client, music);
    const libraryId = library.id;
    const path = join(folder, 'mended.csv');
    const source = { kind: 'csv' as const, path };
    writeFileSync(path, 'path;label\nX:\\old\\other.wav;dark\n');
    await expect(client.call('taxonomies.create', { libraryId, source })).rejects.toMatchObject({
      code: 'bad-input',
      message: expect.stringContaining('X:\\old\\other.wav') as string,
      hint: expect.stringContaining('bass/') as string,
    });
    expect(await client.call('taxonomies.list', { libraryId })).toEqual([]);

    writeFileSync(path, 'path;label\nX:\\old\\bass\\bass_hit_0.wav;dark\nX:\\old\\gone.wav;dark\n');
    const made = await client.call('taxonomies.create', { libraryId, source });
    expect(made).toMatchObject({
      labelledTracks: 1,
      unmatched: 1,
      unmatchedRows: [{ reason: 'absent', rows: 1 }],
    });

    writeFileSync(path, 'path;label\nbass_hit_0.wav;bright\nbass_long_1.wav;bright\n');
    const { id: taxonomyId } = made;
    expect(await client.call('taxonomies.refresh', { libraryId, taxonomyId })).toMatchObject({
      labels: [{ name: 'bright', tracks: 2 }],
      unmatched: 0,
      unmatchedRows: [],
      source,
    });
    // What is wrong now loses nothing.
    writeFileSync(path, 'nothing');
    await expect(client.call('taxonomies.refresh', { libraryId, taxonomyId })).rejects.toMatchObject({
      code: 'bad-input',
    });
    const [kept] = await client.call('taxonomies.list', { libraryId });
    expect(kept).toMatchObject({ labels: [{ name: 'bright', tracks: 2 }] });
  });
});
