import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import * as z from 'zod';
import { encodeWav } from '../../models/audio/index.ts';
import { runCli } from '../support/cli.ts';
import { testFolder } from '../support/music.ts';

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
