import { mkdirSync, readFileSync, writeFileSync, existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { inflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { QualityCard } from '../../../engine/api/quality.ts';
import { figuresOf } from '../../../engine/packs/figures.ts';
import { greyPng } from '../../../engine/scoring/grey-png.ts';
import { packManifestSchema } from '../../../models/packs/manifest.ts';
import { runCli } from '../../support/cli.ts';
import { startTestEngine } from '../../support/engine.ts';
import { testFolder } from '../../support/music.ts';
import { writeTinyPack } from '../../support/tiny-pack.ts';
import { toneClasses } from '../../support/tone-classes.ts';

describe('packs.score', () => {
  it('stops when nobody listens any more, and can be asked again', async () => {
    const { client } = await startTestEngine();
    const instruments = toneClasses(3);
    const request = { packId: 'compact', instruments, quick: true, seeds: 1 };
    for await (const event of client.stream('packs.score', request)) {
      expect(event).toEqual({ type: 'note', message: `Reading ${instruments} …` });
      break;
    }
    const ends = [];
    for await (const event of client.stream('packs.score', request)) ends.push(event);
    expect(ends.at(-1)).toMatchObject({ type: 'done', card: { seeds: [1] }, classes: [] });
  }, 120_000);
});

describe('archetone packs score', () => {
  it('measures everything that can be measured, writes a card that fits the manifest and a page that works', async () => {
    const packs = testFolder();
    const packFolder = await writeTinyPack(join(packs, 'own'), { seed: 1, id: 'own' });
    const manifestFile = join(packFolder, 'pack.json');
    const unscored = JSON.parse(readFileSync(manifestFile, 'utf8')) as Record<string, unknown>;
    const lasting = { selfTest: { worst: 1e-6 }, precision: 'float16' };
    writeFileSync(manifestFile, JSON.stringify({ ...unscored, quality: { ...lasting, old: 1 } }));
    const page = join(testFolder(), 'report', 'own.html');
    mkdirSync(dirname(page));
    const [instruments, rendered] = [toneClasses(1), toneClasses(2)];
    writeFileSync(join(instruments, 'low', 'broken.wav'), 'no sound at all');
    const run = await runCli(
      ['packs', 'score', 'own', '--instruments', instruments, '--rendered', rendered, '--seeds', '2'].concat([
        '--quick',
        '--origins',
        '--write',
        '--report',
        page,
        '--json',
      ]),
      { env: { ARCHETONE_PACKS: packs } },
    );
    expect(run.stderr).toContain('Left out: low/broken.wav');
    expect(run.code).toBe(0);
    const { card } = run.json() as { card: QualityCard };
    expect(card.data['instruments']).toMatchObject({ sounds: 12, windows: 12, classes: 2 });
    expect(card.accuracy.sharedClasses).toEqual(['high', 'low']);
    expect(card.accuracy.renderedToInstruments?.['knn5']?.embedding.mean).toBe(100);
    expect(card.roundTrip?.griffinLim.logSpectralDb).toBeGreaterThan(0);
    expect(card.fidelity).toHaveLength(1);
    const [heard] = card.fidelity ?? [];
    expect(heard?.witnesses?.clarity?.real).toBeGreaterThan(0.9);
    expect(heard?.witnesses?.attackOctaves.real).toBeLessThan(1);
    const told = (heard?.mfccRetention ?? NaN) * (heard?.prototypes ?? NaN);
    expect(told).toBeLessThanOrEqual(heard?.prototypes ?? 0);
    expect(told).toBeCloseTo(Math.round(told), 2);
    expect(card.speed.secondsPerSonification).toBeGreaterThan(0);
    expect(card.origins?.map(({ trained, judge }) => [trained, judge])).toEqual([
      [6, 6],
      [6, 6],
    ]);
    for (const { rows } of card.origins ?? []) {
      expect(rows.map(({ name }) => name)).toEqual([
        'noise',
        ...[0.8, 0.65, 0.5, 0.3].map((share) => `recording, ${share}`),
        'the recordings',
      ]);
      // Real tones of two registers: periodic, and known to the network, mostly also to a judge of three sounds a class.
      const recordings = rows.at(-1);
      expect(recordings).toMatchObject({ classRetention: 1, secondsEach: 0 });
      expect(recordings?.mfccRetention).toBeGreaterThan(0.5);
      expect(recordings?.pitchClarity).toBeGreaterThan(0.9);
    }

    const manifest = packManifestSchema.parse(JSON.parse(readFileSync(manifestFile, 'utf8')));
    expect(manifest.quality).toEqual({ ...(JSON.parse(JSON.stringify(card)) as object), ...lasting });

    const shown = figuresOf(manifest.quality);
    expect(shown.length).toBeLessThan(20);
    expect(shown.find(({ name }) => name === 'Rendered → real, kNN, %')?.value).toBe(100);

    const text = readFileSync(page, 'utf8');
    expect(text).toContain('Heard without any encoder');
    const clarity = heard?.witnesses?.clarity;
    expect(text).toContain(`${clarity?.made.toFixed(2)} (${clarity?.real.toFixed(2)})`);
    const links = Array.from(text.matchAll(/src="([^"]+)"/g), ([, link]) => link ?? '');
    expect(links).toHaveLength(2 * 3 * 2);
    for (const link of links) expect(existsSync(join(dirname(page), link)), link).toBe(true);
  }, 240_000);

  it('names the figures of the pack that ships so that each can be told from the others', () => {
    const file = join(import.meta.dirname, '../../../models/packs/compact/pack.json');
    const { quality } = packManifestSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
    const names = figuresOf(quality).map(({ name }) => name);
    expect(names.length).toBeGreaterThan(15);
    expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
  });

  it('never writes a report over a folder that holds anything', async () => {
    const folder = testFolder();
    mkdirSync(join(folder, 'music'));
    writeFileSync(join(folder, 'music', 'song.wav'), 'mine');
    for (const [page, told] of [
      ['music.html', 'is not empty'],
      ['music', 'ends in .html'],
    ] as const) {
      const run = await runCli(
        ['packs', 'score', 'compact', '--instruments', folder].concat(['--report', join(folder, page)]),
      );
      expect(run.code).toBe(2);
      expect(run.stderr).toContain(told);
    }
    expect(readFileSync(join(folder, 'music', 'song.wav'), 'utf8')).toBe('mine');
  }, 120_000);

  it('says what is wrong with a folder that holds no classes', async () => {
    const folder = testFolder();
    const run = await runCli(['packs', 'score', 'compact', '--instruments', folder]);
    expect(run.code).not.toBe(0);
    expect(run.stderr).toContain('folder per class');
  }, 120_000);
});

describe('greyPng', () => {
  it('holds the pixels, row by row', () => {
    const png = greyPng(Uint8Array.of(0, 100, 200, 255, 1, 2), 3);
    const view = new DataView(png.buffer, png.byteOffset, png.byteLength);
    expect([view.getUint32(16), view.getUint32(20)]).toEqual([3, 2]);
    const start = Buffer.from(png).indexOf('IDAT') + 4;
    const lines = inflateSync(png.subarray(start, start + view.getUint32(start - 8)));
    expect([...lines]).toEqual([0, 0, 100, 200, 0, 255, 1, 2]);
  });
});
