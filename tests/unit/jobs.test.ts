import { describe, expect, it } from 'vitest';
import type { EngineEvent, JobResult } from '../../engine/api/domain.ts';
import { Events } from '../../engine/events.ts';
import { JobQueue } from '../../engine/jobs/queue.ts';
import type { JobHandle } from '../../engine/jobs/queue.ts';
import { JobStore } from '../../engine/jobs/store.ts';
import { openJobsDatabase } from '../../engine/storage/open.ts';
import { testFolder } from '../support/engine.ts';

const importResult: Extract<JobResult, { kind: 'import' }> = {
  kind: 'import',
  imported: 1,
  unchanged: 0,
  failed: 0,
  missing: 0,
  windows: 0,
  seconds: 0,
};

/** A runner that does steps until told to finish. */
class Stepper {
  steps = 0;
  starts = 0;
  specs: unknown[] = [];
  finish = false;

  readonly run = async (spec: unknown, job: JobHandle): Promise<typeof importResult> => {
    this.starts++;
    this.specs.push(spec);
    while (!this.finish) {
      await job.checkpoint();
      this.steps++;
      job.report({ done: this.steps });
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    return importResult;
  };
}

function queueOn(folder: string): {
  queue: JobQueue;
  stepper: Stepper;
  trainer: Stepper;
  events: EngineEvent[];
} {
  const bus = new Events();
  const events: EngineEvent[] = [];
  bus.emit = (event) => events.push(event);
  const queue = new JobQueue(new JobStore(openJobsDatabase(folder)), bus);
  const stepper = new Stepper();
  const trainer = new Stepper();
  queue.register('import', stepper.run, { resumable: true });
  queue.register('train', async (spec, job) => {
    await trainer.run(spec, job);
    return { kind: 'train', experimentId: 'e' };
  });
  return { queue, stepper, trainer, events };
}

const start = (queue: JobQueue, kind: 'import' | 'train' = 'import'): string =>
  queue.start(kind, { title: kind, libraryId: 'lib', spec: { n: 1, left: undefined } });

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
    expect(queue.list().map((job) => job.id)).toEqual([second, first]);
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

  it('rests while paused, lets others run meanwhile, and goes on', async () => {
    const { queue, stepper, trainer } = queueOn(testFolder());
    const id = start(queue);
    await until(() => stepper.steps > 2);
    queue.pause(id);
    expect(queue.get(id).state).toBe('paused');
    const train = start(queue, 'train');
    await until(() => trainer.steps > 2);
    const rested = stepper.steps;
    queue.resume(id);
    expect(queue.get(id).state).toBe('queued');
    await until(() => trainer.steps > 6);
    expect(stepper.steps).toBe(rested);
    trainer.finish = true;
    await queue.waitFor(train);
    await until(() => stepper.steps > rested);
    expect(queue.get(id).state).toBe('running');
    stepper.finish = true;
    expect((await queue.waitFor(id)).state).toBe('done');
    expect(stepper.starts).toBe(1);
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

    const parked = start(queue);
    await until(() => queue.get(parked).state === 'running' && stepper.starts === 2);
    queue.pause(parked);
    await new Promise((resolve) => setTimeout(resolve, 20));
    queue.cancel(parked);
    expect((await queue.waitFor(parked)).state).toBe('cancelled');
    queue.cancel(parked);
    expect(stepper.starts).toBe(2);

    stepper.finish = true;
    const last = start(queue);
    expect((await queue.waitFor(last)).state).toBe('done');
    queue.cancel(last);
    expect(queue.get(last).state).toBe('done');
  });

  it('tells a failure with its code', async () => {
    const { queue } = queueOn(testFolder());
    queue.register('reduce', () => Promise.reject(new RangeError('k too large')));
    const id = queue.start('reduce', { title: 'x', libraryId: null, spec: null });
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
