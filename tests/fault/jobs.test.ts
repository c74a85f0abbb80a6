import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { Events } from '../../engine/events.ts';
import { jobKind } from '../../engine/jobs/kind.ts';
import { JobQueue } from '../../engine/jobs/queue.ts';
import { JobStore } from '../../engine/jobs/store.ts';
import { openJobsDatabase } from '../../engine/storage/open.ts';
import { startTestEngine } from '../support/engine.ts';
import { testFolder } from '../support/music.ts';

describe('jobs on a full disk', () => {
  it('do not start unremembered; a running one still ends for its shell', async () => {
    const db = openJobsDatabase(testFolder());
    const events = new Events();
    const queue = new JobQueue(new JobStore(db), events);
    let finish: () => void = () => undefined;
    queue.register(
      jobKind({
        kind: 'verify-pack',
        lane: 'compute',
        spec: z.unknown(),
        title: () => 'x',
        run: async () => {
          await new Promise<void>((resolve) => (finish = resolve));
          return {
            kind: 'verify-pack',
            verification: { packId: 'x'.repeat(100_000), ok: true, problems: [] },
          };
        },
      }),
    );
    const id = queue.start('verify-pack', { libraryId: null, spec: null });
    const pages = db.prepare<{ page_count: number }>('PRAGMA page_count').get()?.page_count ?? 0;
    db.exec(`PRAGMA max_page_count = ${pages + 1}`);
    expect(() => queue.start('verify-pack', { libraryId: null, spec: 'x'.repeat(100_000) })).toThrow(
      expect.objectContaining({ code: 'disk-full' }),
    );
    expect(queue.list()).toHaveLength(1);
    finish();
    expect((await queue.waitFor(id)).state).toBe('done');
    await queue.close();
  });
});

describe('a damaged database of jobs', () => {
  it('is put aside, and the engine starts', async () => {
    const dataFolder = testFolder();
    mkdirSync(dataFolder, { recursive: true });
    writeFileSync(join(dataFolder, 'jobs.db'), 'garbage'.repeat(1000));
    const { client } = await startTestEngine({ dataFolder });
    expect(await client.call('jobs.list', {})).toEqual([]);
    expect(readdirSync(dataFolder).filter((name) => name === 'jobs.db.damaged')).toHaveLength(1);
  });
});

describe('a runner that throws', () => {
  it.each([
    ['an error', new Error('boom'), 'boom'],
    ['a text', 'boom', 'boom'],
    ['nothing', undefined, 'undefined'],
  ])('%s fails its own job and lets the next one run', async (_what, thrown, message) => {
    const queue = new JobQueue(new JobStore(openJobsDatabase(testFolder())), new Events());
    let calls = 0;
    queue.register(
      jobKind({
        kind: 'sonify',
        lane: 'compute',
        spec: z.unknown(),
        title: () => 'x',
        run: () => {
          // oxlint-disable-next-line typescript/only-throw-error -- what a foreign module may do
          if (calls++ === 0) throw thrown;
          return Promise.resolve({ kind: 'sonify', sonifications: [] });
        },
      }),
    );
    const first = queue.start('sonify', { libraryId: null, spec: {} });
    const second = queue.start('sonify', { libraryId: null, spec: {} });
    expect(await queue.waitFor(first)).toMatchObject({ state: 'failed', error: { message } });
    expect((await queue.waitFor(second)).state).toBe('done');
    await queue.close();
  });
});
