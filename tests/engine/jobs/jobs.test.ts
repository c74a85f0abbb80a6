import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import type { EngineEvent } from '../../../engine/api/app.ts';
import type { JobResult } from '../../../engine/api/jobs.ts';
import { Events } from '../../../engine/events.ts';
import { jobKind } from '../../../engine/jobs/kind.ts';
import { JobQueue, type JobHandle } from '../../../engine/jobs/queue.ts';
import { JobStore } from '../../../engine/jobs/store.ts';
import { openJobsDatabase } from '../../../engine/storage/open.ts';
import { testFolder } from '../../support/music.ts';

const importResult: Extract<JobResult, { kind: 'import' }> = {
  kind: 'import',
  imported: 1,
  unchanged: 0,
  failed: 0,
  missing: 0,
  noted: 0,
  windows: 0,
  seconds: 0,
};

/** A runner that does steps until told to finish. */
class Stepper {
  steps = 0;
  starts = 0;
  specs: unknown[] = [];
  finish = false;
  ends = 0;
  /** Whether each step stores something. */
  keeps = false;
  eta: number | null = null;

  readonly run = async (spec: unknown, job: JobHandle): Promise<typeof importResult> => {
    this.starts++;
    this.specs.push(spec);
    try {
      while (!this.finish) {
        await job.checkpoint();
        this.steps++;
        if (this.keeps) job.kept();
        job.report({ done: this.steps, etaSeconds: this.eta });
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      return importResult;
    } finally {
      this.ends++;
    }
  };
}

function queueOn(folder: string): {
  queue: JobQueue;
  stepper: Stepper;
  trainer: Stepper;
  listener: Stepper;
  idler: Stepper;
  events: EngineEvent[];
} {
  const bus = new Events();
  const events: EngineEvent[] = [];
  bus.emit = (event) => events.push(event);
  const queue = new JobQueue(new JobStore(openJobsDatabase(folder)), bus, {
    nameOfLibrary: (id) => `Library ${id}`,
  });
  const stepper = new Stepper();
  const trainer = new Stepper();
  const listener = new Stepper();
  const idler = new Stepper();
  queue.register(
    jobKind({
      kind: 'import',
      lane: 'import',
      resumable: true,
      spec: z.looseObject({}),
      title: () => 'Import',
      run: stepper.run,
    }),
  );
  queue.register(
    jobKind({
      kind: 'train',
      lane: 'compute',
      spec: z.looseObject({}),
      title: () => 'Train',
      run: async (spec, job) => {
        await trainer.run(spec, job);
        return { kind: 'train', experimentId: 'e' };
      },
    }),
  );
  queue.register(
    jobKind({
      kind: 'sonify',
      lane: 'listen',
      spec: z.looseObject({}),
      title: () => 'Sonify oboe #3',
      run: async (spec, job) => {
        await listener.run(spec, job);
        return { kind: 'sonify', sonifications: [] };
      },
    }),
  );
  queue.register(
    jobKind({
      kind: 'background-sounds',
      lane: 'background',
      resumable: true,
      spec: z.looseObject({}),
      title: () => 'Sounds, in the background',
      run: async (spec, job) => {
        await idler.run(spec, job);
        return { kind: 'background-sounds', made: 0, failed: 0 };
      },
    }),
  );
  return { queue, stepper, trainer, listener, idler, events };
}

type Kind = 'import' | 'train' | 'sonify' | 'background-sounds';
const start = (queue: JobQueue, kind: Kind = 'import'): string =>
  queue.start(kind, { libraryId: 'lib', spec: { n: 1, left: undefined } });

async function until(condition: () => boolean): Promise<void> {
  const end = performance.now() + 5000;
  while (!condition()) {
    if (performance.now() > end) throw new Error('waited too long');
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

describe('JobQueue', () => {
  it('runs jobs one after the other and remembers them', async () => {
    const folder = testFolder();
    const { queue, stepper, events } = queueOn(folder);
    const first = start(queue);
    const second = start(queue);
    await until(() => stepper.steps > 2);
    expect(queue.get(first).state).toBe('running');
    expect(queue.get(second).state).toBe('queued');
    expect(queue.list().map((job) => job.id)).toEqual([first, second]);
    stepper.finish = true;
    const done = await queue.waitFor(second);
    expect(done).toMatchObject({ state: 'done', result: importResult, error: null });
    expect(queue.get(first).finishedAt).not.toBeNull();
    expect(stepper.specs).toEqual([{ n: 1 }, { n: 1 }]);
    expect(events.filter((e) => e.type === 'job' && e.job.state === 'done')).toHaveLength(2);
    await queue.close();

    const again = queueOn(folder);
    again.queue.recover();
    expect(again.queue.list().map((job) => job.state)).toEqual(['done', 'done']);
    expect(again.stepper.starts).toBe(0);
    again.queue.clear();
    expect(again.queue.list()).toEqual([]);
    await again.queue.close();
    expect(queueOn(folder).queue.list()).toEqual([]);
  });

  it('a job that can begin again rests by stopping, so that it holds nothing', async () => {
    const { queue, stepper } = queueOn(testFolder());
    const id = start(queue);
    await until(() => stepper.steps > 2);
    queue.pause(id);
    expect(queue.get(id).state).toBe('paused');
    const other = start(queue);
    await until(() => stepper.starts === 2);
    expect(stepper.ends).toBe(1);
    queue.resume(id);
    expect(queue.get(id)).toMatchObject({ state: 'queued', waitingFor: { jobId: other, lane: 'import' } });
    stepper.finish = true;
    expect((await queue.waitFor(id)).state).toBe('done');
    expect(stepper.starts).toBe(3);
  });

  it('any other job rests at its next checkpoint, outside its lane, and goes on there', async () => {
    const { queue, trainer } = queueOn(testFolder());
    const id = start(queue, 'train');
    await until(() => trainer.steps > 2);
    queue.pause(id);
    const other = start(queue, 'train');
    await until(() => trainer.starts === 2);
    queue.resume(id);
    expect(queue.get(id).state).toBe('queued');
    queue.cancel(other);
    await until(() => queue.get(id).state === 'running');
    trainer.finish = true;
    expect((await queue.waitFor(id)).state).toBe('done');
    expect(trainer.starts).toBe(2);
  });

  it('resumed before it has stopped, it begins again once it has', async () => {
    const { queue, stepper } = queueOn(testFolder());
    const id = start(queue);
    await until(() => stepper.steps > 2);
    queue.pause(id);
    queue.resume(id);
    await until(() => stepper.starts === 2);
    expect(stepper.ends).toBe(1);
    expect(queue.get(id).state).toBe('running');
    stepper.finish = true;
    expect((await queue.waitFor(id)).state).toBe('done');
  });

  it('jobs of different lanes run at once, and all of them let a listener go first', async () => {
    const { queue, stepper, trainer, listener } = queueOn(testFolder());
    start(queue);
    start(queue, 'train');
    await until(() => stepper.steps > 2 && trainer.steps > 2);
    const sound = start(queue, 'sonify');
    await until(() => listener.steps > 0);
    const before = [stepper.steps, trainer.steps];
    await until(() => listener.steps > 10);
    // One step each may have begun before.
    expect(stepper.steps).toBeLessThanOrEqual((before[0] ?? 0) + 1);
    expect(trainer.steps).toBeLessThanOrEqual((before[1] ?? 0) + 1);
    listener.finish = true;
    await queue.waitFor(sound);
    const after = [stepper.steps, trainer.steps];
    await until(() => stepper.steps > (after[0] ?? 0) + 2 && trainer.steps > (after[1] ?? 0) + 2);
    await queue.close();
  });

  it('what goes on in the background waits for every other lane, and is nothing that a library is busy with', async () => {
    const { queue, stepper, trainer, idler } = queueOn(testFolder());
    const background = start(queue, 'background-sounds');
    await until(() => idler.steps > 2);
    expect(queue.busy('lib')).toBe(false);
    for (const [kind, other] of [
      ['import', stepper],
      ['train', trainer],
    ] as const) {
      other.finish = false;
      const job = start(queue, kind);
      await until(() => other.steps > 0);
      const before = idler.steps;
      const at = other.steps;
      await until(() => other.steps > at + 10);
      // One step may have been under way.
      expect(idler.steps).toBeLessThanOrEqual(before + 1);
      expect(queue.busy('lib')).toBe(true);
      other.finish = true;
      await queue.waitFor(job);
      const resumed = idler.steps;
      await until(() => idler.steps > resumed + 2);
    }
    expect(queue.unfinished('background-sounds', 'lib')).toEqual([{ id: background, spec: { n: 1 } }]);
    await queue.endBackground('lib');
    expect(queue.get(background).state).toBe('cancelled');
    expect(idler.ends).toBe(1);
    await queue.close();
  });

  it('says what a job waits for and for how long, and puts one first', async () => {
    const { queue, trainer, events } = queueOn(testFolder());
    const running = start(queue, 'train');
    await until(() => trainer.steps > 2);
    const second = start(queue, 'train');
    const third = start(queue, 'train');
    expect(queue.get(second)).toMatchObject({
      title: 'Train',
      libraryName: 'Library lib',
      lane: 'compute',
      waitingFor: { lane: 'compute', jobId: running, title: 'Train', ahead: 0, seconds: null },
    });
    trainer.eta = 12;
    await until(() => queue.get(second).waitingFor?.seconds === 12);
    await until(() =>
      events.some((e) => e.type === 'job' && e.job.id === second && e.job.waitingFor?.seconds === 12),
    );
    expect(queue.get(third).waitingFor).toMatchObject({ ahead: 1, seconds: null });
    queue.first(third);
    expect(queue.get(third).waitingFor).toMatchObject({ ahead: 0 });
    expect(queue.list().map(({ id }) => id)).toEqual([running, third, second]);
    queue.cancel(running);
    await until(() => queue.get(third).state === 'running');
    await queue.close();
  });

  it('what can begin again makes room for the one put first, and comes next', async () => {
    const { queue, stepper } = queueOn(testFolder());
    const first = start(queue);
    const second = start(queue);
    const third = start(queue);
    await until(() => stepper.steps > 2);
    queue.first(third);
    await until(() => queue.get(third).state === 'running');
    expect(queue.list().map(({ id }) => id)).toEqual([third, first, second]);
    expect(queue.get(first)).toMatchObject({ state: 'queued', waitingFor: { jobId: third, ahead: 0 } });
    await queue.close();
  });

  it('lets a job rest that was paused when another is put first', async () => {
    const { queue, stepper } = queueOn(testFolder());
    const resting = start(queue);
    const next = start(queue);
    await until(() => stepper.steps > 2);
    queue.pause(resting);
    // Still on its way out of the lane.
    queue.first(next);
    await until(() => queue.get(next).state === 'running');
    expect(queue.get(resting).state).toBe('paused');
    await queue.close();
  });

  it('stops a job that ended the process twice, unless it got on in between', async () => {
    const folder = testFolder();
    const ids: string[] = [];
    // A process that ends while the job runs leaves `running` behind.
    const crash = async (gotOn: boolean): Promise<void> => {
      const { queue, stepper } = queueOn(folder);
      stepper.keeps = gotOn;
      queue.recover();
      if (ids.length === 0) ids.push(start(queue));
      const [id = ''] = ids;
      await until(() => stepper.steps > 2);
      expect(queue.get(id).state).toBe('running');
      left.push({ queue, stepper });
    };
    const left: { queue: JobQueue; stepper: Stepper }[] = [];
    await crash(false);
    await crash(true);
    await crash(true);
    await crash(false);
    const last = queueOn(folder);
    last.queue.recover();
    const job = last.queue.get(ids[0] ?? '');
    expect(job).toMatchObject({ state: 'failed', error: { code: 'engine-restarted' } });
    expect(job.error?.message).toContain('twice');
    expect(last.stepper.starts).toBe(0);
    for (const { stepper } of left) stepper.finish = true;
  });

  it('recovers without starting anything where told so, and goes on when asked to', async () => {
    const folder = testFolder();
    const before = queueOn(folder);
    const id = start(before.queue);
    await until(() => before.stepper.steps > 2);
    await before.queue.close();
    const after = queueOn(folder);
    after.queue.recover({ resting: true });
    expect(after.queue.get(id).state).toBe('paused');
    expect(after.stepper.starts).toBe(0);
    after.queue.resume(id);
    await until(() => after.stepper.steps > 2);
    await after.queue.close();
  });

  it('forgets what is old or too many, and leaves out a row that cannot be read', async () => {
    const folder = testFolder();
    const { queue, stepper } = queueOn(folder);
    stepper.finish = true;
    const id = start(queue);
    await queue.waitFor(id);
    await queue.close();
    const db = openJobsDatabase(folder);
    const row = db.prepare<{ job: string }>('SELECT job FROM jobs').get();
    const insert = db.prepare('INSERT INTO jobs (id, finished, job, spec) VALUES (?, 1, ?, ?)');
    const old = (row?.job ?? '').replaceAll(
      /"finishedAt":"[^"]*"/g,
      '"finishedAt":"2001-01-01T00:00:00.000Z"',
    );
    insert.run(['OLD', old, '{}']);
    for (let n = 0; n < 250; n++)
      insert.run([`00${n.toString().padStart(5, '0')}`, (row?.job ?? '').replace(id, `00${n}`), '{}']);
    db.prepare("INSERT INTO jobs (id, finished, job, spec) VALUES ('BAD', 0, '{', '{}')").run();
    db.close();
    const again = queueOn(folder).queue;
    // The old one was among the newest 200.
    expect(again.list()).toHaveLength(199);
    expect(again.get(id).state).toBe('done');
    expect(() => again.get('OLD')).toThrow(expect.objectContaining({ code: 'not-found' }));
    await again.close();
  });

  it('cancels in every state', async () => {
    const { queue, stepper } = queueOn(testFolder());
    const running = start(queue);
    const queued = start(queue);
    const pausedEarly = start(queue);
    queue.pause(pausedEarly);
    await until(() => stepper.steps > 2);
    queue.cancel(queued);
    expect(queue.get(queued).state).toBe('cancelled');
    queue.cancel(pausedEarly);
    expect(queue.get(pausedEarly).state).toBe('cancelled');
    queue.cancel(running);
    expect((await queue.waitFor(running)).state).toBe('cancelled');

    const parked = start(queue, 'train');
    await until(() => queue.get(parked).state === 'running');
    queue.pause(parked);
    await new Promise((resolve) => setTimeout(resolve, 20));
    queue.cancel(parked);
    expect((await queue.waitFor(parked)).state).toBe('cancelled');
    queue.cancel(parked);
    expect(stepper.starts).toBe(1);

    stepper.finish = true;
    const last = start(queue);
    expect((await queue.waitFor(last)).state).toBe('done');
    queue.cancel(last);
    expect(queue.get(last).state).toBe('done');
  });

  it('tells a failure with its code', async () => {
    const { queue } = queueOn(testFolder());
    queue.register(
      jobKind({
        kind: 'study',
        lane: 'compute',
        spec: z.null(),
        title: () => 'x',
        run: () => Promise.reject(new RangeError('k too large')),
      }),
    );
    expect(() => queue.start('study', { libraryId: null, spec: 1 })).toThrow(
      expect.objectContaining({ code: 'bad-input' }),
    );
    const id = queue.start('study', { libraryId: null, spec: null });
    const job = await queue.waitFor(id);
    expect(job).toMatchObject({ state: 'failed', error: { code: 'internal', message: 'k too large' } });
    expect(() => queue.get('nobody')).toThrow(expect.objectContaining({ code: 'not-found' }));
  });

  it('takes up resumable jobs after a close, keeps paused ones paused, and says so of the others', async () => {
    const folder = testFolder();
    const before = queueOn(folder);
    const running = start(before.queue);
    const paused = start(before.queue);
    before.queue.pause(paused);
    const train = start(before.queue, 'train');
    await until(() => before.stepper.steps > 2);
    await before.queue.close();

    const after = queueOn(folder);
    after.queue.recover();
    expect(after.queue.get(train)).toMatchObject({ state: 'failed', error: { code: 'engine-restarted' } });
    expect(after.queue.get(paused).state).toBe('paused');
    await until(() => after.stepper.steps > 2);
    expect(after.queue.get(running).state).toBe('running');
    after.stepper.finish = true;
    expect((await after.queue.waitFor(running)).state).toBe('done');
    after.queue.resume(paused);
    expect((await after.queue.waitFor(paused)).state).toBe('done');
  });
});

describe('Events', () => {
  it('reach every subscriber in order, with only the newest progress for a slow one', async () => {
    const bus = new Events();
    const { queue } = queueOn(testFolder());
    const job = queue.get(start(queue));
    await queue.close();
    const stop = new AbortController();
    const events = bus.subscribe(stop.signal)[Symbol.asyncIterator]();
    bus.emit({ type: 'libraries-changed' });
    for (let done = 0; done < 100; done++) {
      bus.emit({ type: 'job', job: { ...job, progress: { ...job.progress, done } } });
    }
    bus.emit({ type: 'library-changed', libraryId: 'x', what: 'tracks' });
    const read = [await events.next(), await events.next(), await events.next()].map(
      (r) => r.value as EngineEvent,
    );
    expect(read.map((e) => e.type)).toEqual(['libraries-changed', 'job', 'library-changed']);
    expect(read[1]?.type === 'job' && read[1].job.progress.done).toBe(99);
    stop.abort();
    expect((await events.next()).done).toBe(true);
  });
});
