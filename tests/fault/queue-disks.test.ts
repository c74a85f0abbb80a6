import { rmSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { observeQueue } from '../../engine/queue/nats/observe.ts';
import { afterFile } from '../support/after-file.ts';
import { finished, importFolder, settled, startTestEngine } from '../support/engine.ts';
import { testFolder, writeMusic } from '../support/music.ts';
import { libraryContents } from '../support/library-contents.ts';
import { natsMissing, NatsServer, withNats } from '../support/nats.ts';
import { settingsOf, startTestWorker } from '../support/queue-worker.ts';
import { smallDisk, type SmallDisk } from '../support/small-disk.ts';

const soon = { timeout: 30_000 };
/** A disk that goes with the test file, whatever became of its tests. */
function ownDisk(megabytes: number): SmallDisk | null {
  const made = smallDisk(megabytes);
  if (made) afterFile(() => made.remove());
  return made;
}
const disk = natsMissing ? null : ownDisk(1);
const withDisk = disk === null ? ' (skipped: this user may mount no disk)' : '';

describe.skipIf(natsMissing)(`a queue and disks${withNats}`, () => {
  it(
    'says that its server has lost what it kept, and goes on when it is started again',
    { timeout: 90_000 },
    async () => {
      const server = await NatsServer.start();
      const settings = settingsOf(server.url);
      const music = writeMusic({ perClass: 2, classes: ['bass'] });
      const { client } = await startTestEngine({ queue: settings });
      const { id: libraryId } = await client.call('libraries.open', { folder: music });
      const { jobId } = await client.call('import.start', { libraryId });
      await expect.poll(async () => (await observeQueue(settings)).libraries[0]?.waiting, soon).toBe(2);
      await server.kill();
      rmSync(server.store, { recursive: true });
      await server.start();
      const { error } = await settled(client, jobId);
      expect(error).toMatchObject({
        code: 'queue',
        message: expect.stringContaining('has lost what it kept') as string,
      });
      const worker = await startTestWorker(server.url);
      const again = await client.call('import.start', { libraryId });
      expect(await finished(client, again.jobId, 'import')).toMatchObject({ imported: 2, failed: 0 });
      await worker.stop();
    },
  );

  it.skipIf(disk === null)(
    `loses no track to a worker whose disk is full${withDisk}`,
    { timeout: 90_000 },
    async () => {
      const music = writeMusic({ perClass: 3, classes: ['bass'] });
      const alone = await startTestEngine();
      await importFolder(alone.client, music);
      await alone.engine.close();
      const server = await NatsServer.start();
      disk?.fill();
      const full = await startTestWorker(server.url, {
        ...{ worker: 'full', audio: 'sent', tracks: 1, cache: disk?.folder ?? testFolder() },
      });
      const { client, dataFolder, engine } = await startTestEngine({ queue: settingsOf(server.url) });
      const { id: libraryId } = await client.call('libraries.open', { folder: music });
      const { jobId } = await client.call('import.start', { libraryId });
      const cannot = (): number => full.log.filter(({ event }) => event === 'cannot').length;
      await expect.poll(cannot, soon).toBe(3);
      await expect(full.stop()).rejects.toThrow(/no space|full|ENOSPC/i);
      const worker = await startTestWorker(server.url, { audio: 'sent' });
      expect(await finished(client, jobId, 'import')).toMatchObject({ imported: 3, failed: 0 });
      await worker.stop();
      await engine.close();
      expect(libraryContents(dataFolder)).toEqual(libraryContents(alone.dataFolder));
    },
  );

  it.skipIf(disk === null)(
    `keeps answers while the library's disk is full${withDisk}`,
    { timeout: 90_000 },
    async () => {
      const own = ownDisk(8);
      const music = writeMusic({ perClass: 3, classes: ['bass'] });
      const server = await NatsServer.start();
      const settings = settingsOf(server.url);
      const { client, engine } = await startTestEngine({ queue: settings, dataFolder: own?.folder ?? '' });
      const { id: libraryId } = await client.call('libraries.open', { folder: music });
      const { jobId } = await client.call('import.start', { libraryId });
      await expect.poll(async () => (await observeQueue(settings)).libraries[0]?.waiting, soon).toBe(3);
      own?.fill();
      const worker = await startTestWorker(server.url);
      expect((await settled(client, jobId)).error).toMatchObject({ code: 'disk-full' });
      await expect
        .poll(async () => (await observeQueue(settings)).libraries[0]?.answersToStore, soon)
        .toBe(3);
      await worker.stop();
      own?.free();
      // Nobody works any more: what was answered is enough.
      const again = await client.call('import.start', { libraryId });
      expect(await finished(client, again.jobId, 'import')).toMatchObject({ imported: 3, failed: 0 });
      await engine.close();
    },
  );

  it.skipIf(disk === null)(
    `waits while the server's disk is full${withDisk}`,
    { timeout: 90_000 },
    async () => {
      const own = ownDisk(16);
      const music = writeMusic({ perClass: 3, classes: ['bass'] });
      const server = await NatsServer.start('', own?.folder);
      const settings = settingsOf(server.url);
      own?.fill();
      const worker = await startTestWorker(server.url);
      const { client, engine } = await startTestEngine({ queue: settings });
      const { id: libraryId } = await client.call('libraries.open', { folder: music });
      const { jobId } = await client.call('import.start', { libraryId });
      await new Promise((resolve) => setTimeout(resolve, 3000));
      const before = await client.call('jobs.get', { jobId });
      own?.free();
      await server.kill();
      await server.start();
      // One that could not even make its place on the server says so, and is started again.
      const first = await settled(client, jobId);
      if (first.error) expect(first.error).toMatchObject({ code: 'queue' });
      const again = first.error ? (await client.call('import.start', { libraryId })).jobId : jobId;
      expect(await finished(client, again, 'import')).toMatchObject({ failed: 0 });
      expect(before.progress.failures).toBe(0);
      expect(await client.call('libraries.get', { libraryId })).toMatchObject({
        tracks: { ready: 3, failed: 0 },
      });
      await worker.stop();
      await engine.close();
      await server.kill();
    },
  );
});
