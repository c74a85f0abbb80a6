import { rmSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { observeQueue } from '../../engine/queue/nats/observe.ts';
import {
  finished,
  importFolder,
  settled,
  startTestEngine,
  testFolder,
  writeMusic,
} from '../support/engine.ts';
import { libraryContents } from '../support/library-contents.ts';
import { natsMissing, NatsServer, withNats } from '../support/nats.ts';
import { settingsOf, startTestWorker } from '../support/queue-worker.ts';
import { smallDisk } from '../support/small-disk.ts';

const soon = { timeout: 30_000 };
const disk = natsMissing ? null : smallDisk(1);
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
      disk?.remove();
      expect(libraryContents(dataFolder)).toEqual(libraryContents(alone.dataFolder));
    },
  );
});
