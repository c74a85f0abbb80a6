import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'csv-parse/sync';
import { describe, expect, it } from 'vitest';
import { writeCsv } from '../../../engine/bundles/csv.ts';
import { distinctFileNames, fileName } from '../../../engine/bundles/names.ts';
import { writePlaylist } from '../../../engine/exports/playlists.ts';
import { readDataset } from '../../../models/datasets/index.ts';
import { escapeFormula, unescapeFormula } from '../../../models/text/index.ts';
import { temporaryFolder } from '../../support/temporary.ts';

describe('file names of exports', () => {
  it.each([
    ['63 guitars', '\u{1f3b8}'.repeat(63)],
    ['255 bytes of Chinese', '樂'.repeat(85)],
    ['families of seven code points', '\u{1f469}\u200d\u{1f469}\u200d\u{1f467}\u200d\u{1f466}'.repeat(20)],
    ['a letter with a thousand marks', `e${'\u0301'.repeat(1000)}`],
    ['decomposed letters', 'e\u0301'.repeat(200)],
    ['half a surrogate pair', 'x\ud83c'],
  ])('fit for %s', async (_, text) => {
    const folder = await temporaryFolder();
    const names = distinctFileNames([text, text]);
    for (const name of names) {
      const file = `000 ${name}.wav.partial`;
      expect(Buffer.byteLength(file)).toBeLessThanOrEqual(143);
      writeFileSync(join(folder, file), '');
      expect(existsSync(join(folder, file))).toBe(true);
    }
    expect(new Set(names).size).toBe(2);
  });

  it('never cut through what people see as one character', () => {
    const family = '\u{1f469}\u200d\u{1f469}\u200d\u{1f467}\u200d\u{1f466}';
    expect(fileName(family.repeat(20)).replaceAll(family, '')).toBe('');
    expect(fileName('a'.repeat(119) + '樂')).toBe('a'.repeat(80));
  });
});

describe('playlists', () => {
  it.each([
    'a\nb.mp3',
    'a\r\nb.mp3',
    'a\u2028b.mp3',
    'a\u0085b.mp3',
    'trailing .mp3 ',
    '#1 hit.mp3',
    'plain é.mp3',
    '100% ü.mp3',
  ])('name one file per line for %j', async (name) => {
    const path = join(await temporaryFolder(), name);
    writeFileSync(path, '');
    const text = writePlaylist('x\ny', [{ path, title: name, artist: 'a\u2028b', durationSeconds: 1 }]);
    const lines = text.split(/\r\n|[\n\r\v\f\u0085\u2028\u2029]/).filter((line) => line !== '');
    expect(lines).toHaveLength(4);
    const [location = ''] = lines.filter((line) => !line.startsWith('#'));
    const found = location.startsWith('file:') ? fileURLToPath(location) : location.trim();
    expect(found).toBe(path);
  });
});

describe('cells that a spreadsheet would run', () => {
  const names = ["=cmd|' C'!A0", '+1+1', '-2+3', '@SUM(1)', '\t=1', '\r=1', '＝1', "'=1", "''@"];

  it('get an apostrophe by default, never numbers, and none with raw', () => {
    const text = writeCsv(['name', 'value'], [...names.map((name) => [name, -1.5] as const), ['-7', 1e-7]]);
    const cells: string[][] = parse(text);
    expect(cells.slice(1, -1).map(([name]) => name)).toEqual(names.map((name) => `'${name}`));
    expect(cells.slice(1, -1).every(([, value]) => value === '-1.5')).toBe(true);
    expect(cells.at(-1)).toEqual(['-7', '1e-7']);
    const raw: string[][] = parse(
      writeCsv(
        ['name'],
        names.map((name) => [name]),
        { raw: true },
      ),
    );
    expect(raw.slice(1).flat()).toEqual(names);
  });

  it('come back from what Archetone wrote', async () => {
    for (const name of [...names, 'plain', "it's", '', '-7'])
      expect(unescapeFormula(escapeFormula(name)), name).toBe(name);
    const header = [' =y', '=x', 'label:a', 'label: lead', "label:'=b"];
    const path = join(await temporaryFolder(), 'set.csv');
    writeFileSync(path, writeCsv(header, [[2, 1.5, 1, 0, 1]]));
    const { featureNames, labelNames } = await readDataset(path);
    expect([featureNames, labelNames]).toEqual([
      [' =y', '=x'],
      ['a', ' lead', "'=b"],
    ]);
  });
});
