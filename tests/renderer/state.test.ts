// @vitest-environment happy-dom
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { connectEngine } from '../../engine/api/client.ts';
import { EngineError } from '../../engine/api/errors.ts';
import { defaultPreferences } from '../../engine/api/preferences.ts';
import { enginePortMessage } from '../../engine/api/shell.ts';
import { listenForEngine } from '../../renderer/src/shell/connection.ts';
import { App } from '../../renderer/src/shell/app.svelte.ts';
import { EngineConnection } from '../../renderer/src/shell/engine.svelte.ts';
import { History } from '../../renderer/src/session/history.svelte.ts';
import { Jobs } from '../../renderer/src/jobs/jobs.svelte.ts';
import { Notices } from '../../renderer/src/shell/notices.svelte.ts';
import { Selection } from '../../renderer/src/session/selection.svelte.ts';
import { Sonifier } from '../../renderer/src/session/sonifier.svelte.ts';
import { Throttle } from '../../renderer/src/ui/throttle.ts';
import { TrackTable } from '../../renderer/src/library/tracks.svelte.ts';
import {
  FakeEngine,
  experiment,
  fakeShell,
  fullAnswers,
  job,
  library,
  prototype,
  sonification,
  trackRow,
  sessionOf,
} from './fake.ts';

const patient = { timeout: 30_000 };

beforeEach(() => localStorage.clear());

function connected(answers: ConstructorParameters<typeof FakeEngine>[0]) {
  const engine = new EngineConnection();
  const fake = new FakeEngine(answers);
  engine.accept(fake);
  return { engine, fake };
}

describe('connection to the engine', () => {
  it('holds calls back until an engine is there', async () => {
    const engine = new EngineConnection();
    const waiting = engine.call('jobs.list', {});
    expect(engine.status).toBe('starting');
    engine.accept(new FakeEngine({ 'jobs.list': () => [job()] }));
    expect(await waiting).toHaveLength(1);
    expect(engine.status).toBe('ready');
  });

  it('ignores the late close of an engine that was replaced', () => {
    const { engine, fake } = connected({});
    engine.accept(new FakeEngine({}));
    engine.lose(fake);
    expect(engine.status).toBe('ready');
  });

  it('fails what was under way when the engine dies, and serves the next call from the new one', async () => {
    const ports: MessagePort[] = [];
    const engine = new EngineConnection();
    const stop = listenForEngine(window, (port) => {
      const client = connectEngine(port);
      port.onClose(() => engine.lose(client));
      engine.accept(client);
    });
    const start = (): MessagePort => {
      const channel = new MessageChannel();
      ports.push(channel.port1, channel.port2);
      channel.port1.postMessage({ type: 'hello', version: null });
      const event = new MessageEvent('message', { data: enginePortMessage });
      Object.defineProperty(event, 'source', { value: window });
      Object.defineProperty(event, 'ports', { value: [channel.port2] });
      window.dispatchEvent(event);
      return channel.port1;
    };
    start();
    const lost = engine.call('jobs.list', {});
    // Handled now, so that the rejection is not reported before it is looked at.
    const outcome = lost.catch((thrown: unknown) => thrown);
    await Promise.resolve();
    const second = start();
    expect(await outcome).toMatchObject({ code: 'engine-restarted' });
    second.onmessage = (event: MessageEvent<{ type: string; id: number }>) => {
      if (event.data.type === 'call') second.postMessage({ type: 'result', id: event.data.id, value: [] });
    };
    second.postMessage({ type: 'hello', version: null });
    expect(await engine.call('jobs.list', {})).toEqual([]);
    stop();
    for (const port of ports) port.close();
  });

  it('takes no port from elsewhere', () => {
    const seen = vi.fn();
    const stop = listenForEngine(window, seen);
    const event = new MessageEvent('message', { data: enginePortMessage });
    Object.defineProperty(event, 'source', { value: null });
    Object.defineProperty(event, 'ports', { value: [new MessageChannel().port1] });
    window.dispatchEvent(event);
    expect(seen).not.toHaveBeenCalled();
    stop();
  });
});

describe('jobs', () => {
  it('resolves a wait when the event comes', async () => {
    const { engine } = connected({ 'jobs.get': () => job() });
    const jobs = new Jobs(engine);
    const waiting = jobs.wait('J1');
    await vi.waitFor(() => expect(jobs.get('J1')).toBeDefined(), patient);
    jobs.apply(job({ state: 'done', result: { kind: 'train', experimentId: 'E' } }));
    expect((await waiting).result).toEqual({ kind: 'train', experimentId: 'E' });
  });

  it('rejects with the job’s own error', async () => {
    const { engine } = connected({});
    const jobs = new Jobs(engine);
    jobs.apply(
      job({
        state: 'failed',
        error: { code: 'disk-full', message: 'The disk is full.', hint: 'Free some.' },
      }),
    );
    await expect(jobs.wait('J1')).rejects.toMatchObject({ code: 'disk-full', hint: 'Free some.' });
    jobs.apply(job({ id: 'J2', state: 'cancelled' }));
    await expect(jobs.wait('J2')).rejects.toMatchObject({ code: 'cancelled' });
  });

  it('leaves nothing at the signal of those who waited', async () => {
    const { engine } = connected({});
    const jobs = new Jobs(engine);
    jobs.apply(job({ state: 'done' }));
    const { signal } = new AbortController();
    const [added, removed] = [vi.spyOn(signal, 'addEventListener'), vi.spyOn(signal, 'removeEventListener')];
    await jobs.wait('J1', signal);
    expect(removed.mock.calls[0]?.[1]).toBe(added.mock.calls[0]?.[1]);
  });

  it('lets nobody wait for a job that a restart forgot', async () => {
    const { engine } = connected({ 'jobs.get': () => job(), 'jobs.list': () => [] });
    const jobs = new Jobs(engine);
    const waiting = jobs.wait('J1').catch((thrown: unknown) => thrown);
    await vi.waitFor(() => expect(jobs.get('J1')).toBeDefined(), patient);
    await Promise.resolve();
    await jobs.reload();
    expect(await waiting).toMatchObject({ code: 'engine-restarted' });
  });
});

describe('notices', () => {
  it('show message and hint of errors, and keep quiet about what was cancelled', () => {
    const notices = new Notices();
    notices.error(new EngineError('cancelled', 'Cancelled.'));
    expect(notices.list).toHaveLength(0);
    notices.error(new EngineError('disk-full', 'The disk is full.', 'Free some space.'));
    notices.error(new EngineError('disk-full', 'The disk is full.', 'Free some space.'));
    expect(notices.list).toHaveLength(1);
    expect(notices.list[0]).toMatchObject({ tone: 'error', hint: 'Free some space.' });
  });

  it('keep warnings when there is no more room, and what came last', () => {
    const notices = new Notices();
    for (const message of ['w1', 'w2', 'w3']) notices.add('warning', message);
    for (const message of ['s1', 's2', 's3']) notices.add('success', message);
    expect(notices.list.map(({ message }) => message)).toEqual(['w1', 'w2', 'w3', 's3']);
    notices.add('warning', 'w4');
    notices.add('info', 'i');
    expect(notices.list.map(({ message }) => message)).toEqual(['w2', 'w3', 'w4', 'i']);
  });

  it('of the engine are there still for whoever looked away, told before the window came or while it is open', async () => {
    const fake = new FakeEngine({
      ...fullAnswers,
      'app.info': () => ({ platform: 'test', safeStart: false, notices: ['The list of jobs was damaged.'] }),
    });
    const app = new App(fakeShell());
    vi.useFakeTimers();
    await app.connected(fake);
    app.handle({ type: 'notice', message: 'The models of packs run with all rights of yours.' });
    vi.advanceTimersByTime(30_000);
    expect(app.notices.list).toMatchObject([
      { tone: 'warning', message: 'The list of jobs was damaged.' },
      { tone: 'warning', message: 'The models of packs run with all rights of yours.' },
    ]);
    vi.useRealTimers();
  });
});

describe('history', () => {
  it('undoes and redoes in order, and drops the future on a new step', async () => {
    const history = new History();
    const done: string[] = [];
    const step = (title: string) => ({
      title,
      undo: () => Promise.resolve(done.push(`undo ${title}`)),
      redo: () => Promise.resolve(done.push(`redo ${title}`)),
    });
    history.push(step('a'));
    history.push(step('b'));
    await history.undo();
    await history.undo();
    await history.redo();
    expect(done).toEqual(['undo b', 'undo a', 'redo a']);
    history.push(step('c'));
    expect(await history.redo()).toBeNull();
  });

  it('takes the next step back where it is asked while one is under way', async () => {
    const history = new History();
    const done: string[] = [];
    const step = (title: string, ms: number) => ({
      title,
      undo: async () => {
        await new Promise((resolve) => setTimeout(resolve, ms));
        done.push(title);
      },
      redo: () => Promise.resolve(),
    });
    history.push(step('a', 0));
    history.push(step('b', 10));
    await Promise.all([history.undo(), history.undo(), history.undo()]);
    expect(done).toEqual(['b', 'a']);
    expect(history.future.map(({ title }) => title)).toEqual(['b', 'a']);
  });

  it('keeps a step that could not be undone', async () => {
    const history = new History();
    const failing = () => Promise.reject(new Error('no'));
    history.push({ title: 'x', undo: failing, redo: failing });
    await expect(history.undo()).rejects.toThrow('no');
    expect(history.past).toHaveLength(1);
  });
});

describe('selection', () => {
  it('keeps a lead and forgets the window when the lead changes', () => {
    const selection = new Selection();
    selection.only('a', 3);
    expect(selection.windowIndex).toBe(3);
    selection.toggle('b');
    expect([...selection.ids]).toEqual(['a', 'b']);
    expect(selection.windowIndex).toBeNull();
    selection.toggle('b');
    expect([...selection.ids]).toEqual(['a']);
  });
});

describe('throttle', () => {
  it('runs at once, then once for all that came in between', () => {
    vi.useFakeTimers();
    const work = vi.fn();
    const throttle = new Throttle(100, work);
    for (let i = 0; i < 5; i += 1) throttle.call();
    expect(work).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(1000);
    expect(work).toHaveBeenCalledTimes(2);
    vi.useRealTimers();
  });
});

describe('track table', () => {
  const all = Array.from({ length: 2500 }, (_, index) => trackRow(index));
  const scope = { libraryId: 'L1', taxonomyId: null, experimentId: null };

  it('reads what is in sight, and ranges beyond it in bulk', async () => {
    const { engine, fake } = connected({
      'tracks.list': ({ offset, limit }: { offset: number; limit: number }) => ({
        total: all.length,
        tracks: all.slice(offset, offset + limit),
      }),
    });
    const table = new TrackTable(engine, new Notices());
    table.open(scope);
    await vi.waitFor(() => expect(table.total).toBe(2500), patient);
    expect(table.row(199)?.id).toBe('t199');
    expect(table.row(200)).toBeUndefined();
    table.ensure(1000, 1010);
    await vi.waitFor(() => expect(table.row(1005)?.id).toBe('t1005'), patient);
    expect(fake.inputsOf('tracks.list')).toHaveLength(2);
    const ids = await table.idsBetween(2400, 150);
    expect(ids).toHaveLength(2251);
    expect(ids[0]).toBe('t150');
    expect(ids.at(-1)).toBe('t2400');
  });

  it('tells when a range cannot be read', async () => {
    const { engine } = connected({
      'tracks.list': ({ offset }: { offset: number }) => {
        if (offset > 0) throw new EngineError('engine-restarted', 'The engine was restarted.');
        return { total: all.length, tracks: all.slice(0, 200) };
      },
    });
    const notices = new Notices();
    const table = new TrackTable(engine, notices);
    table.open(scope);
    await vi.waitFor(() => expect(table.total).toBe(2500), patient);
    expect(await table.range(10, 12)).toMatchObject({ ids: ['t10', 't11', 't12'], row: { id: 't12' } });
    expect(await table.range(10, 2400)).toBeNull();
    expect(notices.list).toMatchObject([{ message: 'The engine was restarted.' }]);
  });

  it('ignores answers to a question that is no longer asked', async () => {
    const answers: ((value: unknown) => void)[] = [];
    const { engine } = connected({ 'tracks.list': () => new Promise((resolve) => answers.push(resolve)) });
    const table = new TrackTable(engine, new Notices());
    table.open(scope);
    table.find('new');
    await vi.waitFor(() => expect(answers).toHaveLength(2), patient);
    answers[1]?.({ total: 1, tracks: [trackRow(7)] });
    await vi.waitFor(() => expect(table.total).toBe(1), patient);
    answers[0]?.({ total: 2500, tracks: all.slice(0, 200) });
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(table.total).toBe(1);
    expect(table.row(0)?.id).toBe('t7');
  });
});

describe('sonifier', () => {
  const sound = sonification('s');
  const target = { kind: 'prototype' as const, experimentId: 'E1', index: 0 };

  it('offers a sound only while the settings are those it was made with', async () => {
    const done = job({
      kind: 'sonify',
      state: 'done',
      result: { kind: 'sonify', sonifications: [{ target, sonification: sound }] },
    });
    const { engine } = connected({ 'sonify.start': () => ({ jobId: 'J1' }), 'jobs.get': () => done });
    const sonifier = new Sonifier('L1', engine, new Jobs(engine));
    sonifier.defaults = { steps: 20, guidance: 2 };
    await sonifier.make([target]);
    expect(sonifier.soundOf(target)?.id).toBe('s');
    expect(sonifier.jobOf(target)).toBeNull();
    sonifier.seed = 2;
    expect(sonifier.soundOf(target)).toBeNull();
    sonifier.seed = 1;
    sonifier.steps = 40;
    expect(sonifier.soundOf(target, sound)).toBeNull();
    sonifier.steps = null;
    sonifier.from = { origin: 'recording', share: 0.3 };
    expect(sonifier.soundOf(target, sound)).toBeNull();
    const recording = { trackId: 't', title: 'T', path: 't.wav', windowIndex: 0, startSeconds: 0 };
    const fromRecording = (share: number) =>
      ({ ...sound, from: { origin: 'recording', share, recording } }) as const;
    expect(sonifier.soundOf(target, fromRecording(0.5))).toBeNull();
    expect(sonifier.soundOf(target, fromRecording(0.3))?.from).toMatchObject({ share: 0.3 });
    sonifier.from = { origin: 'noise' };
    sonifier.follow('E2', 1);
    expect(sonifier.soundOf(target)?.id).toBe('s');
    sonifier.follow('E1', 2);
    expect(sonifier.soundOf(target)).toBeNull();
  });

  it('does not take a sound for that of another prototype after an edit', async () => {
    const done = job({
      kind: 'sonify',
      state: 'done',
      result: { kind: 'sonify', sonifications: [{ target, sonification: sound }] },
    });
    const sonifier: Sonifier = new Sonifier(
      'L1',
      connected({
        'sonify.start': () => {
          sonifier.follow('E1', 2);
          return { jobId: 'J1' };
        },
        'jobs.get': () => done,
      }).engine,
      { wait: () => Promise.resolve(done) },
    );
    sonifier.follow('E1', 1);
    await sonifier.make([target]);
    expect(sonifier.soundOf(target)).toBeNull();
    await sonifier.make([target]);
    expect(sonifier.soundOf(target)?.id).toBe('s');
  });
});

describe('the application’s state', () => {
  it('opens a library, imports what was never read, and follows events', async () => {
    const fresh = { ...library, tracks: { total: 0, ready: 0, failed: 0, pending: 0, missing: 0 } };
    const fake = new FakeEngine({ ...fullAnswers, 'libraries.openDemo': () => fresh });
    const app = new App(fakeShell());
    await app.connected(fake);
    await app.openDemo();
    expect(app.view).toBe('library');
    expect(fake.inputsOf('import.start')).toEqual([{ libraryId: 'L1', everything: false, overQueue: false }]);
    expect(sessionOf(app).experiments.currentId).toBe('E1');
    fake.emit({ type: 'job', job: job() });
    await vi.waitFor(() => expect(app.jobs.active).toHaveLength(1), patient);
    const before = sessionOf(app).predictionsVersion;
    fake.emit({ type: 'library-changed', libraryId: 'L1', what: 'predictions' });
    await vi.waitFor(() => expect(sessionOf(app).predictionsVersion).toBe(before + 1), patient);
    fake.emit({ type: 'library-changed', libraryId: 'another', what: 'predictions' });
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(sessionOf(app).predictionsVersion).toBe(before + 1);
  });

  it('imports with the helpers where a queue is connected, and here where none is any more', async () => {
    const queue = {
      ...{ server: 'nats://host:4222', creds: null, tlsCa: null, tlsCert: null, tlsKey: null },
      ...{ secret: false, lasting: false },
    };
    const overQueue = async (connection: typeof queue | null): Promise<unknown> => {
      const fake = new FakeEngine({
        ...fullAnswers,
        'queue.get': () => connection,
        'preferences.get': () => ({ ...defaultPreferences, importOverQueue: true }),
        'import.start': () => ({ jobId: 'J' }),
      });
      const app = new App(fakeShell());
      await app.connected(fake);
      await app.openKnown('L1');
      await sessionOf(app).rescan();
      return fake.inputsOf('import.start');
    };
    expect(await overQueue(queue)).toMatchObject([{ overQueue: true }]);
    expect(await overQueue(null)).toMatchObject([{ overQueue: false }]);
  });

  it('does not import again what has been read', async () => {
    const fake = new FakeEngine(fullAnswers);
    const app = new App(fakeShell());
    await app.connected(fake);
    await app.openKnown('L1');
    expect(fake.inputsOf('import.start')).toEqual([]);
  });

  it('shows the inspector in a narrow window only when asked for, and keeps what was chosen for wide ones', () => {
    const app = new App(fakeShell());
    app.settings.change({ inspector: true });
    app.narrow = true;
    expect(app.inspectorOpen).toBe(false);
    app.showInspector(true);
    expect(app.inspectorOpen).toBe(true);
    app.showInspector(false);
    expect(app.inspectorOpen).toBe(false);
    app.narrow = false;
    expect(app.inspectorOpen).toBe(true);
  });

  it('reads everything anew from a restarted engine', async () => {
    const app = new App(fakeShell());
    await app.connected(new FakeEngine(fullAnswers));
    await app.openKnown('L1');
    const next = new FakeEngine({
      ...fullAnswers,
      'experiments.list': () => [{ ...experiment, revision: 4 }],
    });
    await app.connected(next);
    expect(next.inputsOf('events')).toHaveLength(1);
    expect(sessionOf(app).experiments.current?.revision).toBe(4);
  });

  it('undoes a deleted prototype by going back to the revision before', async () => {
    const fake = new FakeEngine({
      ...fullAnswers,
      'prototypes.edit': () => ({ ...experiment, revision: 2 }),
      'experiments.get': () => ({ ...experiment, revision: 2 }),
      'prototypes.undo': () => experiment,
    });
    const app = new App(fakeShell());
    await app.connected(fake);
    await app.openKnown('L1');
    await sessionOf(app).prototypes.open('E1');
    await sessionOf(app).prototypes.edit(experiment, 'Delete prototype 2', {
      kind: 'remove',
      index: 1,
    });
    expect(sessionOf(app).experiments.current?.revision).toBe(2);
    await sessionOf(app).history.undo();
    expect(fake.inputsOf('prototypes.edit')).toEqual([
      { libraryId: 'L1', experimentId: 'E1', revision: 1, edit: { kind: 'remove', index: 1 } },
    ]);
    expect(fake.inputsOf('prototypes.undo')).toEqual([{ libraryId: 'L1', experimentId: 'E1' }]);
    expect(sessionOf(app).experiments.current?.revision).toBe(1);
  });

  it('undoes its own edit where another window edited or took it back meanwhile', async () => {
    let present = 3;
    const at = (revision: number) => ({ ...experiment, revision });
    const fake = new FakeEngine({
      ...fullAnswers,
      'prototypes.edit': () => at(2),
      'experiments.get': () => at(present),
      'prototypes.restore': ({ revision }: { revision: number }) => at(revision),
    });
    const app = new App(fakeShell());
    await app.connected(fake);
    await app.openKnown('L1');
    const { prototypes, history, experiments } = sessionOf(app);
    await prototypes.open('E1');
    await prototypes.edit(experiment, 'Delete prototype 2', { kind: 'remove', index: 1 });
    await history.undo();
    expect(fake.inputsOf('prototypes.restore')).toMatchObject([{ revision: 1 }]);
    present = 2;
    await history.redo();
    expect(experiments.current?.revision).toBe(2);
    expect(fake.inputsOf('prototypes.restore')).toHaveLength(1);
    expect(fake.inputsOf('prototypes.undo')).toEqual([]);
  });

  it('makes again first what was taken back last, of this session or an earlier one', async () => {
    let present = 2;
    const go = (by: number) => () => ({ ...experiment, revision: (present += by) });
    const fake = new FakeEngine({
      ...fullAnswers,
      'prototypes.edit': go(1),
      'experiments.get': go(0),
      'prototypes.undo': go(-1),
      'prototypes.redo': go(1),
    });
    const app = new App(fakeShell());
    await app.connected(fake);
    await app.openKnown('L1');
    const { prototypes, history, revisions } = sessionOf(app);
    await prototypes.open('E1');
    const start = { ...experiment, revision: 2 };
    await prototypes.edit(start, 'Delete prototype 2', { kind: 'remove', index: 1 });
    await history.undo();
    await revisions.moveKept(start, 'undo');
    expect(present).toBe(1);
    expect((await history.redo())?.title).toBe('Go to revision 2');
    expect((await history.redo())?.title).toBe('Delete prototype 2');
    expect(present).toBe(3);
  });

  it('names and pins an experiment, which undo takes back, and shows pinned ones first', async () => {
    let [first, second] = [
      { ...experiment, createdAt: '2026-01-02T00:00:00Z' },
      { ...experiment, id: 'E2', name: 'Older', createdAt: '2026-01-01T00:00:00Z' },
    ];
    const fake = new FakeEngine({
      ...fullAnswers,
      'experiments.list': () => [first, second],
      'experiments.describe': (change: { experimentId: string }) => {
        if (change.experimentId === 'E2') second = { ...second, ...change };
        else first = { ...first, ...change };
        return second;
      },
    });
    const app = new App(fakeShell());
    await app.connected(fake);
    await app.openKnown('L1');
    const { experiments, revisions, history } = sessionOf(app);
    const names = () => experiments.list.map(({ name }) => name);
    expect(names()).toEqual(['First', 'Older']);
    expect(experiments.currentId).toBe('E1');
    await revisions.describe('Pin “Older”', second, { pinned: true });
    expect(names()).toEqual(['Older', 'First']);
    await revisions.describe('Describe “Older”', second, { name: 'Best', notes: 'mine' });
    expect(names()).toEqual(['Best', 'First']);
    await history.undo();
    expect(experiments.list[0]).toMatchObject({ name: 'Older', notes: '', pinned: true });
    await history.undo();
    expect(names()).toEqual(['First', 'Older']);
    await history.redo();
    expect(names()).toEqual(['Older', 'First']);
  });

  it('shows no prototypes of one experiment under the classes of another', async () => {
    let answer: (value: unknown) => void = () => undefined;
    const fake = new FakeEngine({
      ...fullAnswers,
      'experiments.list': () => [experiment, { ...experiment, id: 'E2', classes: ['bass'] }],
      'prototypes.list': ({ experimentId }: { experimentId: string }) =>
        experimentId === 'E1' ? [prototype(0, 'bass')] : new Promise((resolve) => (answer = resolve)),
    });
    const app = new App(fakeShell());
    await app.connected(fake);
    await app.openKnown('L1');
    const session = sessionOf(app);
    await vi.waitFor(() => expect(session.prototypes.list).toHaveLength(1), patient);
    session.experiments.currentId = 'E2';
    expect(session.prototypes.list).toEqual([]);
    await vi.waitFor(() => expect(fake.inputsOf('prototypes.list')).toHaveLength(2), patient);
    answer([prototype(0, 'bass'), prototype(1, 'bass')]);
    await vi.waitFor(() => expect(session.prototypes.list).toHaveLength(2), patient);
    session.experiments.currentId = 'E1';
    expect(session.prototypes.list).toEqual([]);
  });

  it('shows an error of the engine with its hint', async () => {
    const fake = new FakeEngine({
      ...fullAnswers,
      'libraries.open': () => {
        throw new EngineError('missing-folder', 'There is no such folder.', 'Choose another.');
      },
    });
    const app = new App(fakeShell());
    await app.connected(fake);
    await app.openFolder('/nowhere');
    expect(app.notices.list).toMatchObject([
      { tone: 'error', message: 'There is no such folder.', hint: 'Choose another.' },
    ]);
    expect(app.view).toBe('welcome');
  });
});
