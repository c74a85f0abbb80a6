import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DatasetError, readMultilabelCsv } from '../../../models/datasets/index.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'archetone-csv-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function write(name: string, text: string | Uint8Array): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

describe('readMultilabelCsv', () => {
  const text = 'x,"y, quoted",rock,jazz\r\n1.5,-2e-3,1,0\r\n"3",4,0,1\r\n';

  it.each(['plain.csv', 'packed.csv.gz'])('reads %s', async (name) => {
    const path = await write(name, name.endsWith('.gz') ? gzipSync(text) : text);
    const set = await readMultilabelCsv(path, { labelCount: 2 });
    expect(set).toEqual({
      features: Float64Array.of(1.5, -0.002, 3, 4),
      count: 2,
      dim: 2,
      labels: Uint8Array.of(1, 0, 0, 1),
      labelNames: ['rock', 'jazz'],
      featureNames: ['x', 'y, quoted'],
    });
  });

  it('keeps every row while its arrays grow', async () => {
    const rows = Array.from({ length: 1000 }, (_, i) => `${i},${i % 2}`);
    const set = await readMultilabelCsv(await write('long.csv', ['x,l', ...rows].join('\n')), {
      labelCount: 1,
    });
    expect([set.count, set.features[999], set.labels[999]]).toEqual([1000, 999, 1]);
  });

  it.each([
    ['ragged', 'x,l\n1,1\n2\n', 'ragged', 3],
    ['not-a-number', 'x,l\n1,1\nNaN,0\n', 'not-a-number', 3],
    ['infinite', 'x,l\ninf,1\n', 'not-a-number', 2],
    ['Infinity', 'x,l\nInfinity,1\n', 'not-a-number', 2],
    ['empty cell', 'x,l\n,1\n', 'not-a-number', 2],
    ['label', 'x,l\n1,1\n1,1\n5,0.5\n', 'bad-label', 4],
    ['no feature', 'l\n1\n', 'shape', 1],
    ['header only', 'x,l\n', 'empty', undefined],
    ['nothing', '', 'empty', undefined],
  ])('refuses %s, naming the line', async (name, content, code, line) => {
    const refused = readMultilabelCsv(await write(`${name}.csv`, content), { labelCount: 1 });
    await expect(refused).rejects.toBeInstanceOf(DatasetError);
    await expect(refused).rejects.toMatchObject({ code, line });
  });

  it('refuses a missing file, a broken gzip and a bad label count; obeys the signal', async () => {
    const missing = readMultilabelCsv(join(folder, 'none.csv'), { labelCount: 1 });
    await expect(missing).rejects.toMatchObject({ code: 'missing' });
    const broken = readMultilabelCsv(await write('broken.csv.gz', Buffer.from([0x1f, 0x8b, 1, 2, 3])), {
      labelCount: 1,
    });
    await expect(broken).rejects.toMatchObject({ code: 'unreadable' });
    await expect(readMultilabelCsv('x.csv', { labelCount: 0 })).rejects.toMatchObject({ code: 'shape' });
    const stop = { labelCount: 1, signal: AbortSignal.abort(new Error('stop')) };
    await expect(readMultilabelCsv('x.csv', stop)).rejects.toThrow('stop');
  });
});
