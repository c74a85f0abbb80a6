// @vitest-environment happy-dom
import { cleanup, fireEvent, render, screen, waitFor } from '@testing-library/svelte';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { FileClassification } from '../../engine/api/classify.ts';
import type { ShellApi } from '../../engine/api/shell.ts';
import { App } from '../../renderer/src/shell/app.svelte.ts';
import Window from '../../renderer/src/shell/Window.svelte';
import { classRuns, namesOf, stripOf } from '../../renderer/src/tray/class-runs.ts';
import { given } from '../../renderer/src/tray/receive.ts';
import type { Tray } from '../../renderer/src/tray/tray.svelte.ts';
import { lookOf } from '../../renderer/src/ui/palette.ts';
import { FakeEngine, experiment, fakeShell, fullAnswers, job, sessionOf } from './fake.ts';

vi.mock('wavesurfer.js', () => ({
  default: { create: () => ({ on: () => undefined, setTime: () => undefined, destroy: () => undefined }) },
}));
vi.mock('../../renderer/src/player/sound.ts', async (original) => ({
  ...(await original<object>()),
  decodeMono: () => new Promise(() => undefined),
}));

type Answers = ConstructorParameters<typeof FakeEngine>[0];

const classified = (path: string): FileClassification => ({
  path,
  problem: null,
  note: null,
  prediction: 'drum',
  labels: null,
  scores: [
    { class: 'drum', logit: 0.65, probability: 0.8 },
    { class: 'bass', logit: 0.1, probability: 0.2 },
  ],
  bias: 0.1,
  contributions: [
    { prototype: 1, prototypeClass: 'drum', similarity: 0.75, weight: 0.7333333, contribution: 0.55 },
  ],
  windows: [
    { startSeconds: 0, class: 'drum', probability: 0.9 },
    { startSeconds: 4, class: 'drum', probability: 0.7 },
    { startSeconds: 8, class: 'bass', probability: 0.6 },
  ],
  durationSeconds: 10,
  outline: [-500, 500, -1000, 900],
});
const noMusic = (path: string): FileClassification => ({
  ...classified(path),
  ...{
    prediction: null,
    scores: [],
    contributions: [],
    windows: [],
    outline: [],
    bias: 0,
    durationSeconds: 0,
  },
  problem: { code: 'audio', message: 'It is no audio file.', hint: 'Leave it out.' },
});

/** Jobs of classification are numbered; they run until the test ends them. */
async function open(
  options: { answers?: Answers; shell?: Partial<ShellApi>; libraryId?: string | null } = {},
): Promise<{ app: App; engine: FakeEngine; finish: (jobId: string, files: FileClassification[]) => void }> {
  let jobs = 0;
  const running = (id: string) => job({ id, kind: 'classify', title: 'Classify', result: null });
  const engine = new FakeEngine({
    ...fullAnswers,
    'classify.files': () => ({ jobId: `C${String((jobs += 1))}` }),
    'jobs.get': ({ jobId }: { jobId: string }) => running(jobId),
    'jobs.cancel': () => null,
    ...options.answers,
  });
  const app = new App(fakeShell(options.shell));
  render(Window, { app });
  await app.connected(engine);
  if (options.libraryId !== null) await app.openKnown('L1');
  const finish = (jobId: string, files: FileClassification[]): void =>
    app.handle({
      type: 'job',
      job: {
        ...running(jobId),
        state: 'done',
        result: { kind: 'classify', experimentId: 'E1', tracks: files.length, files },
      },
    });
  return { app, engine, finish };
}

/** The job is under way, and the window knows it. */
const begun = (app: App, jobId: string): Promise<void> =>
  waitFor(() => {
    expect(sessionOf(app).tray.jobId).toBe(jobId);
    expect(app.jobs.get(jobId)?.state).toBe('running');
  });

const dropped = (...names: string[]) => ({
  dataTransfer: {
    types: ['Files'],
    files: names.map((name) => new File([], name)),
    items: names.map((name) => ({
      kind: 'file',
      webkitGetAsEntry: () => ({ isDirectory: name.endsWith('/') }),
    })),
  },
});
const pathOf = (file: File): Promise<string> => Promise.resolve(`/new/${file.name}`);
const states = (tray: Tray): string[] =>
  tray.list.map(({ name, waiting, result, problem }) =>
    [name, waiting ? 'waits' : (problem?.code ?? result?.problem?.code ?? result?.prediction ?? '')].join(
      ' ',
    ),
  );

beforeEach(() => {
  localStorage.clear();
  vi.spyOn(HTMLMediaElement.prototype, 'play').mockResolvedValue(undefined);
  vi.spyOn(HTMLMediaElement.prototype, 'pause').mockReturnValue(undefined);
});
afterEach(() => {
  cleanup();
  vi.restoreAllMocks();
});

describe('what is dropped', () => {
  it('is told apart: files and folders, and what the system says nothing about', () => {
    const { dataTransfer } = dropped('a.wav', 'music/');
    const transfer = dataTransfer as unknown as DataTransfer;
    expect(given(transfer, 'folder').map(({ kind }) => kind)).toEqual(['file', 'folder']);
    expect(given({ files: transfer.files }, 'folder').map(({ kind }) => kind)).toEqual(['folder', 'folder']);
    expect(given(null, 'file')).toEqual([]);
  });

  it('opens a folder as before, and classifies files in the tray', async () => {
    const { app, engine } = await open({ shell: { pathOf } });
    await fireEvent.drop(window, dropped('music/'));
    await waitFor(() => expect(engine.inputsOf('libraries.open').at(-1)).toEqual({ folder: '/new/music/' }));
    expect(engine.inputsOf('classify.files')).toEqual([]);
    await fireEvent.drop(window, dropped('a.wav', 'b.wav'));
    await waitFor(() =>
      expect(engine.inputsOf('classify.files')).toEqual([
        { libraryId: 'L1', experimentId: 'E1', paths: ['/new/a.wav', '/new/b.wav'] },
      ]),
    );
    expect(sessionOf(app).tray.open).toBe(true);
    expect(await screen.findAllByTestId('tray-row')).toHaveLength(2);
  });

  it('is told what to do first, without a library and without an experiment', async () => {
    const { engine } = await open({ shell: { pathOf }, libraryId: null });
    await fireEvent.drop(window, dropped('a.wav'));
    await waitFor(() => expect(screen.getByTestId('toast').textContent).toContain('none is open'));
    cleanup();
    const second = await open({ shell: { pathOf }, answers: { 'experiments.list': () => [] } });
    await fireEvent.drop(window, dropped('a.wav'));
    await waitFor(() => expect(screen.getByTestId('toast').textContent).toContain('Nothing is trained yet'));
    for (const asked of [engine, second.engine]) expect(asked.inputsOf('classify.files')).toEqual([]);
  });
});

describe('the tray', () => {
  it('shows each file as it is done, explains it, and plays, finds and takes it out', async () => {
    const { app, engine, finish } = await open();
    const { tray, player } = sessionOf(app);
    const adding = tray.add(['/new/a.wav', '/new/b.wav', '/new/notes.mp3']);
    await begun(app, 'C1');
    app.handle({ type: 'file-classified', libraryId: 'L1', jobId: 'C1', file: classified('/new/a.wav') });
    expect(states(tray)).toEqual(['a.wav drum', 'b.wav waits', 'notes.mp3 waits']);
    finish('C1', [classified('/new/a.wav'), classified('/new/b.wav'), noMusic('/new/notes.mp3')]);
    await adding;
    expect(states(tray)).toEqual(['a.wav drum', 'b.wav drum', 'notes.mp3 audio']);
    const list = await screen.findByTestId('tray-list');
    expect(Number(screen.getByTestId('why-sum').dataset['value'])).toBeCloseTo(0.65, 9);
    await fireEvent.click(screen.getByTestId('tray-play'));
    await waitFor(() => expect(player.source?.url).toBe('archetone://audio/file/new/a.wav'));
    await fireEvent.keyDown(list, { key: 'End' });
    expect(screen.getByTestId('tray-details').textContent).toContain('It is no audio file.');
    await fireEvent.keyDown(list, { key: 'Delete' });
    expect(states(tray)).toEqual(['a.wav drum', 'b.wav drum']);
    expect(tray.selectedPath).toBe('/new/b.wav');
    await fireEvent.click(screen.getByTestId('tray-similar'));
    await waitFor(() => expect(app.view).toBe('similar'));
    expect(engine.inputsOf('neighbours.similar').at(-1)).toMatchObject({
      queries: [{ of: { kind: 'file', path: '/new/b.wav' } }],
    });
    await fireEvent.keyDown(list, { key: 'Escape' });
    expect(screen.queryByTestId('tray')).toBeNull();
  });

  it('replaces a folder by its files, and says where there are none', async () => {
    const { app, finish } = await open();
    const { tray } = sessionOf(app);
    const adding = tray.add(['/new/one', '/new/one more', '/new/a.wav']);
    await begun(app, 'C1');
    finish('C1', [classified('/new/one/x.wav'), classified('/new/a.wav')]);
    await adding;
    expect(states(tray).sort()).toEqual(['a.wav drum', 'one more empty-folder', 'x.wav drum']);
    expect(tray.selectedPath).toBe('/new/one/x.wav');
  });

  it('keeps what is done when it is cancelled, and offers the rest again', async () => {
    const { app, engine } = await open();
    const { tray } = sessionOf(app);
    const adding = tray.add(['/new/a.wav', '/new/b.wav']);
    await begun(app, 'C1');
    app.handle({ type: 'file-classified', libraryId: 'L1', jobId: 'C1', file: classified('/new/a.wav') });
    app.handle({ type: 'job', job: job({ id: 'C1', kind: 'classify', state: 'cancelled' }) });
    await adding;
    expect(states(tray)).toEqual(['a.wav drum', 'b.wav cancelled']);
    void tray.again();
    await waitFor(() =>
      expect(engine.inputsOf('classify.files').at(-1)).toMatchObject({ paths: ['/new/b.wav'] }),
    );
    await begun(app, 'C2');
    await tray.clear();
    expect(engine.inputsOf('jobs.cancel')).toEqual([{ jobId: 'C2' }]);
    // What comes after that is for nobody.
    app.handle({ type: 'file-classified', libraryId: 'L1', jobId: 'C2', file: classified('/new/b.wav') });
    expect(tray.list).toEqual([]);
  });

  it('tells what another experiment, or an earlier state of it, has classified', async () => {
    const { app, finish } = await open();
    const session = sessionOf(app);
    const adding = session.tray.add(['/new/a.wav']);
    await begun(app, 'C1');
    finish('C1', [classified('/new/a.wav')]);
    await adding;
    expect(session.tray.outdated).toEqual([]);
    session.experiments.replace({ ...experiment, revision: 2 });
    expect(session.tray.outdated.map(({ name }) => name)).toEqual(['a.wav']);
    expect((await screen.findByTestId('tray-again')).textContent).toContain('1 file');
    expect(screen.queryByTestId('why-sum')).toBeNull();
  });
});

describe('the strip of classes', () => {
  it('joins neighbouring windows and reaches to the end of the file', () => {
    const runs = classRuns(classified('/a.wav'));
    expect(runs).toEqual([
      { class: 'drum', startSeconds: 0, endSeconds: 8 },
      { class: 'bass', startSeconds: 8, endSeconds: 10 },
    ]);
    expect(stripOf(runs, () => lookOf(0))).toBe(
      'linear-gradient(to right, var(--class-0) 0.00% 80.00%, var(--class-0) 80.00% 100.00%)',
    );
    expect(namesOf(runs)).toBe('drum 0:00.0–0:08.0, bass 0:08.0–0:10.0');
    expect(stripOf([], () => lookOf(0))).toBe('none');
  });
});
