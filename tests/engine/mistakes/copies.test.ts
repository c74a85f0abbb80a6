import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { finished, importFolder, startTestEngine } from '../../support/engine.ts';
import { classSound, testFolder, writeSound } from '../../support/music.ts';
import { trainOn } from '../../support/trained.ts';

/** The same sound with other bytes: a chunk of notes at the end. */
function copyWithNotes(from: string, to: string): void {
  const wave = Buffer.concat([readFileSync(from), Buffer.from('LIST\x04\0\0\0INFO', 'latin1')]);
  wave.writeUInt32LE(wave.length - 8, 4);
  writeFileSync(to, wave);
}

it('splits keep copies together once Mistakes has found them, whatever their bytes', async () => {
  const folder = testFolder();
  for (const [c, name] of ['bass', 'mid', 'high'].entries())
    for (let i = 0; i < 8; i++) {
      const path = join(folder, name, `${name}_${String(i)}.wav`);
      // Each of another length, so that none is taken for a copy of another.
      writeSound(path, classSound(name, 1.2 + 0.25 * i, 1000 * c + i));
      copyWithNotes(path, join(folder, name, `copy_${String(i)}.wav`));
    }
  const { client } = await startTestEngine();
  const { library } = await importFolder(client, folder);
  const libraryId = library.id;
  const { id: taxonomyId } = await client.call('taxonomies.create', {
    libraryId,
    source: { kind: 'folders' },
  });
  /** Pairs of copies that a training puts into different parts. */
  const parted = async (seed: number): Promise<number> => {
    const { id: experimentId } = await trainOn(client, libraryId, { taxonomyId, seed, steps: 10 });
    const { tracks } = await client.call('tracks.list', { libraryId, taxonomyId, experimentId, limit: 100 });
    const parts = new Map(tracks.map(({ path, prediction }) => [path, prediction?.split]));
    const pairs = [...parts].filter(([path]) => !path.includes('copy'));
    return pairs.filter(([path, part]) => parts.get(path.replace(/\/\w+_/, '/copy_')) !== part).length;
  };
  expect(await parted(1)).toBeGreaterThan(0);
  const { jobId } = await client.call('mistakes.compute', { libraryId, taxonomyId, folds: 3 });
  await finished(client, jobId, 'mistakes');
  for (const seed of [1, 2]) expect(await parted(seed)).toBe(0);
});
