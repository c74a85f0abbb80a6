import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import * as z from 'zod';
import { encodeWav } from '../../models/audio/index.ts';
import { runCli } from '../support/cli.ts';
import { testFolder, writeMusic } from '../support/music.ts';

const RATE = 16_000;

function tone(file: string, rate: number): string {
  const samples = Float32Array.from({ length: 2 * RATE }, (_, n) => {
    const t = n / RATE;
    return 0.3 * (1 + 0.6 * Math.cos(2 * Math.PI * rate * t)) * Math.sin(2 * Math.PI * 1000 * t);
  });
  writeFileSync(file, encodeWav(samples, RATE, 'pcm16'));
  return file;
}

it('maps files against each other, and writes what is left of one', { timeout: 120_000 }, async () => {
  const folder = testFolder();
  const [eight, two] = [tone(join(folder, 'eight.wav'), 8), tone(join(folder, 'two.wav'), 2)];
  const [csv, svg, out] = ['cells.csv', 'maps.svg', 'left.wav'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  const map = await runCli(['modulation', 'map', eight, '--against', two, '--csv', csv, '--svg', svg]);
  expect([map.code, map.stderr]).toEqual([0, expect.anything()]);
  expect(map.stdout).toMatch(/978 Hz\s+8 Hz\s+0\.0 dB\s+0\.[56]/);
  const rows = readFileSync(csv, 'utf8').trim().split('\r\n');
  expect(rows[0]).toBe('carrier_hz,rate_hz,level_db,depth,depth_against,difference');
  expect(rows.length).toBe(1 + 40 * 8);
  expect(readFileSync(svg, 'utf8')).toContain('difference');

  const kept = await runCli(['modulation', 'hear', eight, '--rates', '8:8', '--out', out, '--json']);
  expect(kept.code).toBe(0);
  const { chosenDb } = z.looseObject({ chosenDb: z.number() }).parse(kept.json());
  expect(Math.abs(chosenDb)).toBeLessThan(1);
  const again = await runCli(['modulation', 'hear', eight, '--rates', '8:8', '--out', out, '--json']);
  expect([again.code, again.stdout]).toEqual([2, expect.stringContaining('is there already')]);
  const far = await runCli(['modulation', 'hear', eight, '--rates', '300:400', '--out', out, '--json']);
  expect([far.code, far.stdout]).toEqual([2, expect.stringContaining('There is no rate')]);
  const lost = await runCli(['modulation', 'map', eight, '--class', 'flute']);
  expect([lost.code, lost.stderr]).toEqual([2, expect.stringContaining('--library')]);
});

it(
  'learns filters, keeps them as a pack that the library is embedded by, and trains with it',
  { timeout: 300_000 },
  async () => {
    const music = writeMusic({ perClass: 6 });
    const data = join(testFolder(), 'data');
    const env = { ARCHETONE_USER_PACKS: testFolder() };
    const run = async (...args: string[]) => {
      const ran = await runCli(args, { env });
      expect([ran.code, ran.stderr]).toEqual([0, expect.anything()]);
      return ran;
    };
    await run('import', music, '--library', data);
    await run('taxonomies', 'add', 'folders', '--library', data);
    const few = ['--steps', '10', '--splits', '2', '--taxonomy', 'folders'];
    const learn = ['modulation', 'learn', data, ...few, '--keep', 'My modulations'];
    const { kept } = z
      .looseObject({
        kept: z.object({ packId: z.string(), title: z.string(), dim: z.number(), tracks: z.number() }),
      })
      .parse((await run(...learn, '--json')).json());
    expect(kept).toMatchObject({ title: 'My modulations', dim: 360, tracks: 18 });
    // The same library and seed: the same pack.
    expect((await run(...learn)).stdout).toContain(`Kept as the pack ${kept.packId}`);
    const views = ['--view', 'compact', '--view', kept.packId];
    const trained = await run(
      'train',
      '--library',
      data,
      '--taxonomy',
      'folders',
      ...views,
      '--steps',
      '30',
      '--json',
    );
    expect(JSON.stringify(trained.json())).toContain(kept.packId);
    const nameless = await runCli([...learn.slice(0, -1), ' ', '--json'], { env });
    expect(nameless.code).toBe(2);
  },
);
