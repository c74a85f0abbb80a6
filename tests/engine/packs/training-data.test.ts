import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readPack } from '../../../models/packs/index.ts';
import { trainingDataOf } from '../../../engine/packs/training-data.ts';
import { testFolder } from '../../support/music.ts';
import { writeTinyPack } from '../../support/tiny-pack.ts';

const compact = join(import.meta.dirname, '../../../models/packs/compact');

describe('what a pack was trained on', () => {
  it('is told by licence and by source, from its data card', async () => {
    const found = await trainingDataOf(await readPack(compact));
    if (found === null) throw new Error('the pack brings a card');
    const { hours, licences, sources, generalPublicHours } = found;
    expect(licences.reduce((sum, row) => sum + row.hours, 0)).toBeCloseTo(hours, 0);
    expect(licences.map((row) => row.hours)).toEqual(licences.map((row) => row.hours).sort((a, b) => b - a));
    const general = licences.filter(({ licence }) => licence.startsWith('GPL'));
    expect(generalPublicHours).toBeCloseTo(
      general.reduce((sum, row) => sum + row.hours, 0),
      1,
    );
    // One sentence, the same wherever it is said.
    const readme = readFileSync(join(import.meta.dirname, '../../../README.md'), 'utf8');
    expect(readme).toContain(found.notice);
    expect(sources).toContainEqual(
      expect.objectContaining({ package: 'singularity-music', licence: 'CC-BY-SA-3.0' }),
    );
    expect(sources.length).toBeLessThan(100);
  });

  it('names the holders of every source once, where the card knows them', async () => {
    const folder = await writeTinyPack(join(testFolder(), 'own'), { seed: 1, id: 'own' });
    const pack = await readPack(folder);
    expect(await trainingDataOf(pack)).toBeNull();
    const row = { package: 'a', version: '1', licence: 'CC-BY-4.0', seconds: 3600 };
    const files = [
      { ...row, copyright: '2001 B' },
      { ...row, copyright: '2001 B' },
      { ...row, copyright: '2000 A' },
    ];
    writeFileSync(join(folder, 'card.json'), JSON.stringify({ hours: 3, files }));
    const carded = {
      ...pack,
      manifest: { ...pack.manifest, trainingData: { statement: 's', card: 'card.json' } },
    };
    expect(await trainingDataOf(carded)).toEqual({
      hours: 3,
      licences: [{ licence: 'CC-BY-4.0', hours: 3, files: 3 }],
      generalPublicHours: 0,
      notice: null,
      sources: [
        { package: 'a', version: '1', licence: 'CC-BY-4.0', files: 3, copyright: ['2000 A', '2001 B'] },
      ],
    });
  });

  it('is refused where the card is missing or holds something else', async () => {
    const folder = testFolder();
    cpSync(join(compact, 'pack.json'), join(folder, 'pack.json'));
    const pack = { ...(await readPack(compact)), folder };
    await expect(trainingDataOf(pack)).rejects.toMatchObject({ code: 'pack' });
    writeFileSync(join(folder, 'data-card.json'), '{"hours": "many"}');
    await expect(trainingDataOf(pack)).rejects.toMatchObject({ code: 'pack' });
  });
});
