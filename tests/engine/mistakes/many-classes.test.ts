import { beforeAll, describe, expect, it } from 'vitest';
import type { EngineClient } from '../../../engine/api/contract.ts';
import type { MistakesReport } from '../../../engine/api/mistakes.ts';
import { fillLibrary, taxonomyId } from '../../bench/scale-library.ts';
import { finished, settled, startTestEngine } from '../../support/engine.ts';
import { testFolder } from '../../support/music.ts';

const CLASSES = 1000;
/** The first 120 classes have two tracks, the others one. */
const TRACKS = 1120;

describe('mistakes among a thousand classes of one or two tracks', { timeout: 120_000 }, () => {
  let client: EngineClient;
  let libraryId: string;

  beforeAll(async () => {
    const music = testFolder();
    const first = await startTestEngine();
    const library = await first.client.call('libraries.open', { folder: music });
    await first.engine.close();
    fillLibrary(library.dataFolder, TRACKS, CLASSES);
    ({ client } = await startTestEngine({ dataFolder: first.dataFolder }));
    libraryId = (await client.call('libraries.open', { folder: music })).id;
  });

  const compute = (groupBy: 'track' | 'artist') =>
    client.call('mistakes.compute', { libraryId, taxonomyId, groupBy, folds: 2 });
  const report = async (): Promise<MistakesReport> => {
    const found = await client.call('mistakes.report', { libraryId, taxonomyId });
    if (!found) throw new Error('there is no report');
    return found;
  };

  it('are looked for where a class has two tracks; the others are listed as left out, and why', async () => {
    const { jobId } = await compute('track');
    await finished(client, jobId, 'mistakes');
    const { classes, tracks, problem, leftOutClasses, accuracy, counts } = await report();
    expect({ classes, tracks, problem }).toEqual({ classes: 120, tracks: 240, problem: null });
    expect(leftOutClasses).toHaveLength(880);
    expect(leftOutClasses[0]).toMatchObject({ tracks: 1, reason: 'only one track bears it' });
    expect(counts['left-out'].total).toBe(880);
    // By chance it would be 0.8 %.
    expect(accuracy).toBeGreaterThan(0.05);
    expect(accuracy).toBeLessThan(1);
  });

  it('say that none can be judged where both tracks of each class are of one artist', async () => {
    const { jobId } = await compute('artist');
    await finished(client, jobId, 'mistakes');
    const { problem, accuracy, leftOutClasses, counts } = await report();
    expect(problem?.message).toContain(
      `None of the ${String(CLASSES)} classes is borne by 2 tracks of different groups`,
    );
    expect(problem?.hint).toContain('keep only copies together');
    expect(accuracy).toBeNull();
    expect(leftOutClasses).toHaveLength(CLASSES);
    expect(counts['left-out'].total).toBe(TRACKS);
  });

  it('say how far they are while networks are trained, and end when they are told to', async () => {
    const { jobId } = await client.call('mistakes.compute', {
      ...{ libraryId, taxonomyId, groupBy: 'track', folds: 3 },
    });
    await expect
      .poll(async () => (await client.call('jobs.get', { jobId })).progress.done, { timeout: 60_000 })
      .toBeGreaterThan(0);
    await client.call('jobs.cancel', { jobId });
    expect((await settled(client, jobId)).state).toBe('cancelled');
  });
});
