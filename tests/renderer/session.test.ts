// @vitest-environment happy-dom
import { cleanup, fireEvent, render, screen, waitFor } from '@testing-library/svelte';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { EngineError } from '../../engine/api/errors.ts';
import { App } from '../../renderer/src/shell/app.svelte.ts';
import { commandHandlers } from '../../renderer/src/shell/command-handlers.ts';
import Window from '../../renderer/src/shell/Window.svelte';
import {
  FakeEngine,
  experiment,
  fakeShell,
  fullAnswers,
  library,
  sessionOf,
  taxonomy,
  trackRow,
} from './fake.ts';

type Answers = ConstructorParameters<typeof FakeEngine>[0];

/** Two libraries, each with an experiment of its own. */
const other = { ...library, id: 'L2', name: 'Second', folders: ['/second'], isDemo: false };
const two: Answers = {
  ...fullAnswers,
  'libraries.list': () => [library, other],
  'libraries.open': ({ folder }: { folder: string }) => (folder === '/music' ? library : other),
  'libraries.get': ({ libraryId }: { libraryId: string }) => (libraryId === 'L1' ? library : other),
  'experiments.list': ({ libraryId }: { libraryId: string }) => [
    { ...experiment, id: libraryId === 'L1' ? 'E1' : 'E2' },
  ],
  'prototypes.list': ({ libraryId, experimentId }: { libraryId: string; experimentId: string }) => {
    if (experimentId !== (libraryId === 'L1' ? 'E1' : 'E2')) {
      throw new EngineError('not-found', `There is no experiment ${experimentId}.`);
    }
    return [];
  },
  'labels.set': () => ({ previous: [{ trackId: 't0', labels: ['drum'] }] }),
};

async function start(answers: Answers = {}): Promise<{ app: App; engine: FakeEngine }> {
  const engine = new FakeEngine({ ...two, ...answers });
  const app = new App(fakeShell());
  await app.connected(engine);
  await app.openKnown('L1');
  return { app, engine };
}

afterEach(() => {
  cleanup();
  localStorage.clear();
  vi.useRealTimers();
});

describe('the session of a library', () => {
  it('asks for nothing of one library under the name of another when libraries change', async () => {
    const { app, engine } = await start();
    render(Window, { app });
    await waitFor(() => expect(engine.inputsOf('tracks.list').length).toBeGreaterThan(0));
    await new Promise((resolve) => setTimeout(resolve, 20));
    // Nothing shows them yet.
    expect(engine.inputsOf('prototypes.list')).toEqual([]);
    app.view = 'prototypes';
    await waitFor(() => expect(engine.inputsOf('prototypes.list')).toHaveLength(1));
    sessionOf(app).selection.only('t0');
    await app.openKnown('L2');
    app.view = 'prototypes';
    await waitFor(() =>
      expect(engine.inputsOf('prototypes.list').at(-1)).toEqual({ libraryId: 'L2', experimentId: 'E2' }),
    );
    await new Promise((resolve) => setTimeout(resolve, 20));
    for (const { input } of engine.calls) {
      const { libraryId, experimentId } = input as { libraryId?: string; experimentId?: string | null };
      if (libraryId && experimentId) expect(experimentId).toBe(libraryId === 'L1' ? 'E1' : 'E2');
    }
    expect(screen.queryAllByTestId('toast')).toEqual([]);
    expect(sessionOf(app).selection.size).toBe(0);
  });

  it('undoes nothing of a library that was closed, from the menu or from a message that was kept', async () => {
    const { app, engine } = await start();
    const session = sessionOf(app);
    await session.taxonomies.setLabels(['t0'], ['bass']);
    const undo = session.history.past[0]?.undo;
    expect(engine.inputsOf('labels.set')).toHaveLength(1);
    app.closeLibrary();
    await commandHandlers(app)['edit.undo']();
    await expect(undo?.()).rejects.toMatchObject({ code: 'cancelled' });
    expect(engine.inputsOf('labels.set')).toHaveLength(1);
    expect(session.history.past).toEqual([]);
  });

  it('begins anew, in the view that is shown, when a backup took its place', async () => {
    const { app, engine } = await start();
    const before = sessionOf(app);
    await before.taxonomies.setLabels(['t0'], ['bass']);
    before.selection.only('t0');
    app.view = 'map';
    engine.emit({ type: 'library-restored', libraryId: 'L2' });
    engine.emit({ type: 'library-restored', libraryId: 'L1' });
    await waitFor(() => expect(app.session).not.toBe(before));
    await waitFor(() => expect(app.session?.libraryId).toBe('L1'));
    await waitFor(() => expect(app.view).toBe('map'));
    expect(before.closed).toBe(true);
    expect(sessionOf(app).history.past).toEqual([]);
    expect(sessionOf(app).selection.size).toBe(0);
    await commandHandlers(app)['edit.undo']();
    expect(engine.inputsOf('labels.set')).toHaveLength(1);
  });

  it('takes its messages along', async () => {
    const { app } = await start();
    render(Window, { app });
    sessionOf(app).notices.error(new EngineError('disk-full', 'The disk is full.'));
    expect(await screen.findByTestId('toast')).toBeTruthy();
    app.closeLibrary();
    await waitFor(() => expect(screen.queryByTestId('toast')).toBeNull());
  });

  it('shows no answer that comes after it ended, and reports no failure of it', async () => {
    let answer: (value: unknown) => void = () => undefined;
    const { app, engine } = await start({
      'tracks.list': () => new Promise((resolve) => (answer = resolve)),
    });
    const { tracks, notices } = sessionOf(app);
    await waitFor(() => expect(engine.inputsOf('tracks.list')).not.toEqual([]));
    app.closeLibrary();
    answer({ total: 1, tracks: [trackRow(0)] });
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(tracks.total).toBe(0);
    expect(notices.list).toEqual([]);
  });

  it('meets only the last of two wishes for a library', async () => {
    let first: (value: unknown) => void = () => undefined;
    const { app } = await start({
      'libraries.open': ({ folder }: { folder: string }) =>
        folder === '/second' ? new Promise((resolve) => (first = resolve)) : library,
    });
    const slow = app.openKnown('L2');
    await app.openKnown('L1');
    first(other);
    await slow;
    expect(sessionOf(app).libraryId).toBe('L1');
  });

  it('is closed when its library is removed elsewhere', async () => {
    let known = [library];
    const { app, engine } = await start({ 'libraries.list': () => known });
    known = [];
    engine.emit({ type: 'libraries-changed' });
    await waitFor(() => expect(app.session).toBeNull());
    expect(app.view).toBe('welcome');
  });

  it('is left, not dead on the screen, when removing it fails', async () => {
    const { app } = await start({
      'libraries.remove': () => {
        throw new EngineError('unreadable', 'A file is in use.');
      },
    });
    await expect(app.removeLibrary('L1')).rejects.toMatchObject({ code: 'unreadable' });
    expect(app.session).toBeNull();
    await app.openKnown('L1');
    expect(sessionOf(app).closed).toBe(false);
  });

  it('opens as for the first time when what was kept is not what the engine would take', async () => {
    localStorage.setItem('archetone.place.L1', '{"sort":"mood","filter":5}');
    const { app } = await start();
    expect(sessionOf(app).tracks).toMatchObject({ sort: 'path', filter: {} });
  });

  it('is not opened by itself when it is damaged: the page of libraries tells', async () => {
    const problem = { code: 'database' as const, message: 'It is damaged.', hint: 'Restore its backup.' };
    localStorage.setItem('archetone.settings', '{"lastLibraryId":"L1"}');
    const engine = new FakeEngine({
      ...two,
      'libraries.list': () => [{ ...library, problem }],
      'libraries.backups': () => [
        { name: 'new', at: '2026-01-05T10:00:00Z', reason: 'auto', bytes: 1, sound: false },
        { name: 'old', at: '2026-01-04T10:00:00Z', reason: 'hand', bytes: 1, sound: true },
      ],
      'libraries.restore': () => library,
    });
    const app = new App(fakeShell());
    render(Window, { app });
    await app.connected(engine);
    expect(app.session).toBeNull();
    expect(engine.inputsOf('libraries.open')).toEqual([]);
    expect(screen.queryByTestId('toast')).toBeNull();
    expect(screen.getByTestId('recent-library').textContent).not.toContain('tracks');
    // The newest that is whole, not the newest.
    await fireEvent.click(await screen.findByTestId('restore-library'));
    await waitFor(() =>
      expect(engine.inputsOf('libraries.restore')).toEqual([{ libraryId: 'L1', backup: 'old' }]),
    );
  });

  it('keeps its place when nothing could be read of it', async () => {
    const kept = JSON.stringify({ taxonomyId: 'X1', experimentId: 'E1', sort: 'duration' });
    localStorage.setItem('archetone.place.L1', kept);
    await start({
      'experiments.list': () => {
        throw new EngineError('unreadable', 'Not now.');
      },
    });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(localStorage.getItem('archetone.place.L1')).toBe(kept);
  });

  it('opens where it was left, also after a start of the application', async () => {
    const first = await start();
    render(Window, { app: first.app });
    const { tracks } = sessionOf(first.app);
    tracks.sortBy('duration');
    tracks.narrow({ errorsOnly: true, trackIds: ['t0'] });
    first.app.view = 'train';
    await new Promise((resolve) => setTimeout(resolve, 20));
    cleanup();

    const app = new App(fakeShell());
    await app.connected(new FakeEngine(two));
    expect(app.view).toBe('train');
    expect(sessionOf(app).libraryId).toBe('L1');
    expect(sessionOf(app).tracks).toMatchObject({ sort: 'duration', filter: { errorsOnly: true } });
    expect(sessionOf(app).tracks.filter.trackIds).toBeUndefined();
    // Closed by hand: the next start offers all libraries.
    app.closeLibrary();
    const next = new App(fakeShell());
    await next.connected(new FakeEngine(two));
    expect(next.session).toBeNull();
  });

  it('changes labels of several tracks by what was added and taken away', async () => {
    const { app, engine } = await start({
      'taxonomies.list': () => [{ ...taxonomy, multilabel: true }],
      'tracks.list': () => ({
        total: 2,
        tracks: [trackRow(0, { labels: ['drum', 'loud'] }), trackRow(1, { labels: ['bass', 'drum'] })],
      }),
    });
    await sessionOf(app).taxonomies.changeLabels(['t0', 't1'], ['drum', 'loud'], ['loud', 'new']);
    expect(engine.inputsOf('labels.set')).toMatchObject([
      {
        changes: [
          { trackId: 't0', labels: ['loud', 'new'] },
          { trackId: 't1', labels: ['bass', 'new'] },
        ],
      },
    ]);
  });

  it('offers to open a library where a view needs one', async () => {
    const { app } = await start();
    render(Window, { app });
    app.closeLibrary();
    app.view = 'train';
    expect(await screen.findByText('No library is open')).toBeTruthy();
  });
});

describe('messages', () => {
  it('go after their time, errors later, and not while they are read', async () => {
    const { app } = await start();
    render(Window, { app });
    vi.useFakeTimers();
    app.notices.add('info', 'Short.');
    app.notices.add('error', 'Long.');
    await vi.advanceTimersByTimeAsync(7_000);
    expect(app.notices.list.map((notice) => notice.message)).toEqual(['Long.']);
    await fireEvent.pointerEnter(screen.getByTestId('toast'));
    await vi.advanceTimersByTimeAsync(120_000);
    expect(app.notices.list).toHaveLength(1);
    await fireEvent.pointerLeave(screen.getByTestId('toast'));
    await vi.advanceTimersByTimeAsync(61_000);
    expect(app.notices.list).toEqual([]);
  });
});
