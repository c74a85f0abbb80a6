import { cpSync, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { LibrarySummary } from '../../engine/api/libraries.ts';
import { runCli } from '../support/cli.ts';
import { damages, filesOf, garbage, scramble } from '../support/damage.ts';
import { importFolder, reimport, startTestEngine } from '../support/engine.ts';
import { testFolder, writeMusic } from '../support/music.ts';

/** A data folder with a library of three tracks and one backup, which nobody has open. */
let whole = '';
let music = '';
let library: LibrarySummary;

beforeAll(async () => {
  const { client, engine, dataFolder } = await startTestEngine();
  music = writeMusic({ perClass: 1 });
  ({ library } = await importFolder(client, music));
  await client.call('libraries.backUp', { libraryId: library.id });
  await engine.close();
  whole = dataFolder;
});

describe('damage', () => {
  it('is of 22 kinds', () => {
    expect(new Set(damages.map(({ name }) => name)).size).toBe(22);
  });

  it.each(damages)('$name', async ({ damage, then, says }) => {
    const data = join(testFolder(), 'data');
    cpSync(whole, data, { recursive: true });
    const folder = join(data, 'libraries', library.id);
    damage(filesOf(data, library.id));
    const { client, engine } = await startTestEngine({ dataFolder: data });
    const [listed, ...more] = await client.call('libraries.list', {});
    expect(more).toEqual([]);
    expect(listed).toMatchObject({ id: library.id, name: library.name, folders: [music] });
    if (then === 'restores') {
      expect(listed?.problem?.message).toMatch(says);
      expect(listed?.problem?.hint).toMatch(/Restore its backup of \d{4}-\d\d-\d\d/);
      const [newest] = await client.call('libraries.backups', { libraryId: library.id });
      expect(newest?.sound).toBe(true);
      await client.call('libraries.restore', { libraryId: library.id, backup: newest?.name ?? '' });
    } else {
      await client.call('tracks.list', { libraryId: library.id, limit: 10 }).catch(() => null);
      const { tracks } = await client.call('libraries.get', { libraryId: library.id });
      if (then === 'opens') expect(tracks).toMatchObject({ total: 3, ready: 3 });
    }
    const first = await reimport(client, library.id).catch(() => null);
    // Damage inside a large file is met while reading: it is told, and gone at the next try.
    const result = first ?? (await reimport(client, library.id));
    expect(result.imported + result.unchanged).toBe(3);
    const { notices } = await client.call('app.info', {});
    if (then !== 'restores') expect(notices.join(' ')).toMatch(says);
    await engine.close();
    // Nothing that people made was deleted: what was damaged lies beside, except what was gone.
    if (then === 'restores' && !/gone|empty/.test(expect.getState().currentTestName ?? ''))
      expect([...readdirSync(folder), ...readdirSync(join(folder, 'backups'))].join(' ')).toMatch(
        /damaged-|-restore\.db/,
      );
  });

  it('of everything at once is found by archetone doctor --deep, and taken back by archetone restore', async () => {
    const data = join(testFolder(), 'data');
    cpSync(whole, data, { recursive: true });
    const folder = join(data, 'libraries', library.id);
    const sound = await runCli(['doctor', '--deep', '--library', data, '--json']);
    const named = (run: typeof sound): { name: string; ok: boolean }[] =>
      (run.json() as { checks: { name: string; ok: boolean }[] }).checks.filter(({ name }) =>
        name.endsWith('.db'),
      );
    expect(named(sound).map(({ ok }) => ok)).toEqual([true, true, true, true]);
    scramble(join(folder, 'library.db'), 4096, 50_000);
    scramble(join(folder, 'cache.db'), 8192, 1e9);
    garbage(join(data, 'jobs.db'));
    const found = await runCli(['doctor', '--deep', '--library', data, '--json']);
    expect(found.code).not.toBe(0);
    expect(named(found).filter(({ ok }) => !ok)).toHaveLength(3);
    const restored = await runCli(['restore', '--library', data, '--json']);
    expect(restored.code, restored.stdout).toBe(0);
    expect(existsSync(join(folder, 'library.db'))).toBe(true);
    const backup = await runCli(['backup', '--library', data, '--json']);
    expect(backup.json()).toMatchObject({ reason: 'hand', sound: true });
  });
});
