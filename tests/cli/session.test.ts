import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { Interrupt } from '../../cli/interrupt.ts';
import { ProgressLine } from '../../cli/progress.ts';
import { Session } from '../../cli/session.ts';
import { testFolder, tinyPacks, writeMusic } from '../support/music.ts';
import { decodeWorker, labelWorker, datasetWorker } from '../support/workers.ts';

it('cancels a job also when Ctrl-C comes while it is being started', { timeout: 60_000 }, async () => {
  const interrupt = new Interrupt();
  const session = await Session.open({
    places: {
      root: '',
      version: '0.0.0',
      decodeWorker: await decodeWorker(),
      datasetWorker: await datasetWorker(),
      labelWorker: await labelWorker(),
      embedder: null,
      workerCache: '',
      readers: null,
      packFolders: [await tinyPacks()],
      demoFolder: null,
      labelledDemoFolder: null,
    },
    folder: join(testFolder(), 'library'),
    interrupt,
    progress: new ProgressLine({ write: () => true }),
  });
  try {
    const { id: libraryId } = await session.client.call('libraries.open', {
      folder: writeMusic({ perClass: 6 }),
    });
    const stop = new AbortController();
    vi.spyOn(interrupt, 'signal', 'get').mockReturnValue(stop.signal);
    const run = session.run('import', async (client) => {
      const started = await client.call('import.start', { libraryId });
      stop.abort();
      return started;
    });
    await expect(run).rejects.toMatchObject({ code: 'cancelled' });
  } finally {
    await session.close();
  }
});
