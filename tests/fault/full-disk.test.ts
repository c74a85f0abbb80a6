import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { EngineClient } from '../../engine/api/contract.ts';
import { bundled } from '../support/bundles.ts';
import { reimport, startTestEngine, testOptions } from '../support/engine.ts';
import { writeMusic } from '../support/music.ts';
import { canMount, smallDisk } from '../support/small-disk.ts';
import type { SmallDisk } from '../support/small-disk.ts';

const disks: SmallDisk[] = [];
afterAll(() => disks.forEach((disk) => disk.remove()));

function newDisk(): SmallDisk {
  const disk = smallDisk(24);
  if (!disk) throw new Error('could be mounted a moment ago');
  disks.push(disk);
  return disk;
}

/** A data folder on a disk of its own, with a library, and no engine on it any more: it was closed, or killed. */
async function libraryOnDisk({ killed = false } = {}) {
  const disk = newDisk();
  const dataFolder = join(disk.folder, 'data');
  const folder = writeMusic({ perClass: 3 });
  // In another process in either case: what a closed connection still holds here is not on the disk.
  await engineUntil(killed ? 'SIGKILL' : 'SIGTERM', dataFolder, folder);
  const [libraryId = ''] = readdirSync(join(dataFolder, 'libraries'));
  const libraryFolder = join(dataFolder, 'libraries', libraryId);
  expect(existsSync(join(libraryFolder, 'library.db-wal'))).toBe(killed);
  return { disk, dataFolder, folder, libraryId };
}

/** Imports in a process of its own and labels by folders, then ends it. */
async function engineUntil(signal: 'SIGKILL' | 'SIGTERM', dataFolder: string, folder: string): Promise<void> {
  const script = await bundled('tests/fault/engine-child.ts');
  const options = JSON.stringify(await testOptions({ dataFolder }));
  const child = spawn(process.execPath, [script, options, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  await new Promise<void>((resolve, reject) => {
    child.once('exit', (code, by) => {
      if (by === 'SIGKILL' || (signal === 'SIGTERM' && code === 0)) resolve();
      else reject(new Error(`the engine ended by itself: ${text}`));
    });
    child.stdout.setEncoding('utf8').on('data', (more: string) => {
      text += more;
      if (/^labelled/m.test(text)) child.kill(signal);
    });
  });
}

/** Looks at everything a person looks at. */
async function browse(client: EngineClient, libraryId: string): Promise<Ids> {
  expect(await client.call('libraries.list', {})).toMatchObject([{ id: libraryId, problem: null }]);
  expect((await client.call('libraries.get', { libraryId })).tracks).toMatchObject({ ready: 9, total: 9 });
  const { tracks } = await client.call('tracks.list', { libraryId });
  expect(tracks).toHaveLength(9);
  const trackId = tracks[0]?.id ?? '';
  expect((await client.call('tracks.peaks', { libraryId, trackId }))?.values.length).toBeGreaterThan(0);
  const taxonomies = await client.call('taxonomies.list', { libraryId });
  expect(taxonomies).toHaveLength(1);
  return { libraryId, taxonomyId: taxonomies[0]?.id ?? '' };
}

/** Sets a label of every track by hand: two hundred rows of text. */
async function edit(client: EngineClient, ids: Ids, label: string) {
  const { tracks } = await client.call('tracks.list', { libraryId: ids.libraryId });
  const labels = [label.padEnd(200, '.')];
  return client.call('labels.set', {
    ...ids,
    changes: tracks.map(({ id: trackId }) => ({ trackId, labels })),
  });
}

async function labelsOf(client: EngineClient, { libraryId, taxonomyId }: Ids): Promise<string[]> {
  const { tracks } = await client.call('tracks.list', { libraryId, taxonomyId });
  return tracks.flatMap(({ labels }) => labels.map((label) => label.replaceAll('.', '')));
}

interface Ids {
  libraryId: string;
  taxonomyId: string;
}

const told = async (call: Promise<unknown>) =>
  call.then(
    () => null,
    (thrown: unknown) => thrown as { code: string; message: string },
  );

describe.skipIf(!canMount())('a disk that is full when Archetone starts (a tmpfs; needs root)', () => {
  it.each([
    ['closed in order', false],
    ['killed while it wrote', true],
  ])(
    'with a library that was %s: one can look and remove, and change once there is room',
    async (_how, killed) => {
      const { disk, dataFolder, folder, libraryId } = await libraryOnDisk({ killed });
      disk.fill();
      const full = await startTestEngine({ dataFolder });
      const { notices } = await full.client.call('app.info', {});
      expect(notices.join()).toContain('is full');
      const ids = await browse(full.client, libraryId);

      expect(await told(edit(full.client, ids, 'Mine'))).toMatchObject({ code: 'disk-full' });
      expect(await told(full.client.call('import.start', { libraryId }))).toMatchObject({
        code: 'disk-full',
      });
      // Nothing half done: it is read as it was.
      await browse(full.client, libraryId);

      disk.free();
      await edit(full.client, ids, 'Mine');
      const backup = await full.client.call('libraries.backUp', { libraryId });
      expect(backup.sound).toBe(true);
      expect(await reimport(full.client, libraryId)).toMatchObject({ unchanged: 9, failed: 0 });
      await full.engine.close();

      const again = await startTestEngine({ dataFolder });
      expect(await labelsOf(again.client, ids)).toEqual(Array(9).fill('Mine'));
      disk.fill();
      await again.client.call('libraries.remove', { libraryId });
      expect(await again.client.call('libraries.list', {})).toEqual([]);
      expect(readdirSync(join(dataFolder, 'libraries'))).toEqual([]);
      await again.engine.close();
      expect(existsSync(join(folder, 'bass'))).toBe(true);
    },
  );

  it.each([0, 4, 32, 64, 96, 160])(
    'with %d KiB left, whatever fails says that it is full',
    async (kibibytes) => {
      const { disk, dataFolder, libraryId } = await libraryOnDisk();
      disk.fill(kibibytes * 1024);
      const { client, engine } = await startTestEngine({ dataFolder });
      const ids = await browse(client, libraryId);
      let kept: string | null = null;
      for (let i = 0; i < 40; i++) {
        const error = await told(edit(client, ids, `L${i}`));
        if (error) expect(error).toMatchObject({ code: 'disk-full' });
        else kept = `L${i}`;
      }
      expect(new Set(await labelsOf(client, ids))).toEqual(
        new Set(kept === null ? ['bass', 'high', 'mid'] : [kept]),
      );
      await engine.close();
      const again = await startTestEngine({ dataFolder });
      await browse(again.client, libraryId);
      expect(new Set(await labelsOf(again.client, ids))).toEqual(
        new Set(kept === null ? ['bass', 'high', 'mid'] : [kept]),
      );
      await again.engine.close();
    },
  );
});
