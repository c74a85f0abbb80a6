import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { describeFolderTable } from '../../../cli/folder-scores.ts';
import type { FolderTable } from '../../../engine/api/quality.ts';
import { runCli } from '../../support/cli.ts';
import { startTestEngine } from '../../support/engine.ts';
import { testFolder } from '../../support/music.ts';
import { writeTinyPack } from '../../support/tiny-pack.ts';
import { toneClasses } from '../../support/tone-classes.ts';

let env: Record<string, string>;
beforeAll(async () => {
  const packs = testFolder();
  await writeTinyPack(join(packs, 'own'), { seed: 1, id: 'own' });
  env = { ARCHETONE_PACKS: packs };
});

describe('archetone packs score with folders of kinds', () => {
  it('makes one table of each folder and of what they share, for people, as JSON and as CSV', async () => {
    const [one, two] = [toneClasses(1), toneClasses(2)];
    writeFileSync(join(one, 'low', 'broken.wav'), 'no sound at all');
    mkdirSync(join(two, 'alone'));
    writeFileSync(join(two, 'alone', '0.wav'), readFileSync(join(two, 'low', '0.wav')));
    const csv = join(testFolder(), 'scores.csv');
    const run = await runCli(['packs', 'score', 'own', one, two, '--quick', '--csv', csv, '--json'], { env });
    expect(run.stderr).toContain('Left out: low/broken.wav');
    expect(run.stderr).toContain('a class of one sound: alone');
    expect(run.code).toBe(0);
    const { folders, rows, pack } = run.json() as FolderTable;
    expect(pack).toMatchObject({ id: 'own' });
    expect(folders).toMatchObject([
      { name: basename(one), sounds: 12, classes: 2, singleSounds: [] },
      { name: basename(two), sounds: 12, classes: 2, singleSounds: ['alone'], leftOut: [] },
    ]);
    expect(rows.map(({ from, to, classifier }) => [from === to, classifier])).toEqual([
      [true, 'knn5'],
      [true, 'knn5'],
      [false, 'knn5'],
      [false, 'knn5'],
    ]);
    // Registers are told apart by any look at the spectrum.
    for (const { accuracy, asked } of rows) {
      expect(asked).toBe(12);
      expect([accuracy.logMel, accuracy.mfcc, accuracy.both]).toEqual([100, 100, 100]);
    }
    const lines = readFileSync(csv, 'utf8').trim().split('\n');
    expect(lines[0]).toContain('from,to,classifier,view,accuracy');
    expect(lines).toHaveLength(1 + rows.reduce((sum, { accuracy }) => sum + Object.keys(accuracy).length, 0));

    const told = describeFolderTable(run.json() as FolderTable);
    expect(told).toContain(`${basename(one)} → ${basename(two)}`);
    expect(told).toMatch(/MFCC\+Δ +both +random twin/);
    expect(told).toContain('1 class of one sound left out');
  }, 240_000);

  it('says what is wrong with folders that cannot be scored, and with options that do not fit', async () => {
    const { client } = await startTestEngine();
    const refusal = async (...folders: string[]): Promise<unknown> => {
      try {
        for await (const event of client.stream('packs.scoreFolders', { folders, quick: true }))
          if (event.type === 'done') return event;
        return null;
      } catch (thrown) {
        return thrown;
      }
    };
    const [empty, oneClass, oneEach] = [testFolder(), toneClasses(3), toneClasses(4, 1)];
    writeFileSync(join(oneClass, 'high', 'keep.txt'), '');
    for (const name of ['0', '1', '2', '3', '4', '5'])
      writeFileSync(join(oneClass, 'high', `${name}.wav`), 'broken');
    expect(await refusal(empty)).toMatchObject({ code: 'too-few-labels' });
    expect(await refusal(oneClass)).toMatchObject({ code: 'too-few-labels' });
    const each = await refusal(oneEach);
    expect(each).toMatchObject({ code: 'too-few-labels' });
    expect(String(each)).toContain('no classes with two sounds');
    expect(await refusal(join(empty, 'nowhere'))).toMatchObject({ code: 'missing-folder' });
    expect(await refusal(empty, `${empty}/`)).toMatchObject({ code: 'bad-input' });

    for (const [options, told] of [
      [[empty, '--write'], '--write belongs to the quality card'],
      [['--csv', 'x.csv'], 'none is named'],
    ] as const) {
      const run = await runCli(['packs', 'score', 'own', ...options], { env });
      expect(run.code).toBe(2);
      expect(run.stderr).toContain(told);
    }
  }, 120_000);
});
