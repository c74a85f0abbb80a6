import { beforeAll, describe, expect, it } from 'vitest';
import { finished } from '../../support/engine.ts';
import { trainedLibrary, type TrainedLibrary } from '../../support/trained.ts';

describe('retraining an experiment', () => {
  let lib: TrainedLibrary;
  let at: { libraryId: string; experimentId: string };

  beforeAll(async () => {
    lib = await trainedLibrary();
    at = { libraryId: lib.libraryId, experimentId: lib.experiment.id };
  });

  const retrain = async (options: { freeze?: number[]; revision?: number } = {}) => {
    const { jobId } = await lib.test.client.call('prototypes.retrain', { ...at, steps: 30, ...options });
    return finished(lib.test.client, jobId, 'retrain');
  };
  const list = () => lib.test.client.call('prototypes.list', at);

  it('is a revision with the frozen ones as they were, which can be undone', async () => {
    const { client } = lib.test;
    const before = await list();
    const done = await retrain({ freeze: [0, 5] });
    expect(done).toMatchObject({ experimentId: at.experimentId, revision: 2, asNew: false });
    const listed = await list();
    // Weights to the bit; vectors are compared where they are trained.
    const same = listed.map(
      ({ weights }, k) => JSON.stringify(weights) === JSON.stringify(before[k]?.weights),
    );
    expect(same).toEqual([true, false, false, false, false, true]);
    expect(listed.map(({ frozen }) => frozen)).toEqual([true, false, false, false, false, true]);
    const { revisions, undo } = await client.call('prototypes.log', at);
    expect(revisions.at(-1)?.change).toBe('retrained 4 prototypes around 2 frozen ones');
    expect(undo).toBe(1);
    expect((await client.call('prototypes.undo', at)).revision).toBe(1);
    expect((await list())[0]?.frozen).toBe(false);
  });

  it('refuses another revision than was looked at, prototypes that are not there, and where nothing may move', async () => {
    const run = async (options: Parameters<typeof retrain>[0]) => {
      const { jobId } = await lib.test.client.call('prototypes.retrain', { ...at, steps: 1, ...options });
      await expect.poll(async () => (await lib.test.client.call('jobs.get', { jobId })).state).toBe('failed');
      return (await lib.test.client.call('jobs.get', { jobId })).error?.code;
    };
    expect(await run({ revision: 9 })).toBe('busy');
    expect(await run({ freeze: [99] })).toBe('not-found');
    expect(await run({ freeze: [0, 1, 2, 3, 4, 5] })).toBe('bad-input');
  });

  it('becomes an experiment of its own where another edit came first', async () => {
    const { client } = lib.test;
    const { jobId } = await client.call('prototypes.retrain', { ...at, steps: 400 });
    await expect
      .poll(async () => (await client.call('jobs.get', { jobId })).progress.done)
      .toBeGreaterThan(0);
    const edited = await client.call('prototypes.edit', {
      ...at,
      edit: { kind: 'rename', index: 0, name: 'Low' },
    });
    const done = await finished(client, jobId, 'retrain');
    expect(done.asNew).toBe(true);
    expect(done.experimentId).not.toBe(at.experimentId);
    expect((await client.call('experiments.get', at)).revision).toBe(edited.revision);
  });
});
