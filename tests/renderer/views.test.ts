// @vitest-environment happy-dom
import { cleanup, fireEvent, render, screen, waitFor, within } from '@testing-library/svelte';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { MockInstance } from 'vitest';
import type { ShellApi } from '../../engine/api/shell.ts';
import { showPrototypes } from '../../renderer/src/session/menus.ts';
import { App } from '../../renderer/src/shell/app.svelte.ts';
import Window from '../../renderer/src/shell/Window.svelte';
import {
  FakeEngine,
  experiment,
  fakeShell,
  fullAnswers,
  job,
  library,
  pack,
  prototype,
  sessionOf,
  space,
  sonification,
  taxonomy,
} from './fake.ts';

// Both draw on canvases, which this DOM has not; what they are given is tested, what they draw is looked at.
vi.mock('wavesurfer.js', () => ({
  default: { create: () => ({ on: () => undefined, setTime: () => undefined, destroy: () => undefined }) },
}));
const plot = vi.hoisted(() => ({ react: vi.fn() }));
vi.mock('plotly.js-strict-dist-min', () => ({
  default: { react: plot.react, purge: () => undefined, Plots: { resize: () => undefined } },
}));

const decode = vi.hoisted(() => vi.fn<() => Promise<{ samples: Float32Array; sampleRate: number }>>());
vi.mock('../../renderer/src/player/sound.ts', async (original) => ({
  ...(await original<object>()),
  decodeMono: decode,
}));

type Answers = ConstructorParameters<typeof FakeEngine>[0];

async function open(
  options: { answers?: Answers; shell?: Partial<ShellApi>; libraryId?: string | null } = {},
): Promise<{ app: App; engine: FakeEngine }> {
  const engine = new FakeEngine({ ...fullAnswers, ...options.answers });
  const app = new App(fakeShell(options.shell));
  render(Window, { app });
  await app.connected(engine);
  if (options.libraryId !== null) await app.openKnown(options.libraryId ?? 'L1');
  return { app, engine };
}

const byId = (id: string): HTMLElement => screen.getByTestId(id);

let play: MockInstance<() => Promise<void>>;

beforeEach(() => {
  localStorage.clear();
  decode.mockReset().mockReturnValue(new Promise(() => undefined));
  plot.react.mockReset();
  plot.react.mockImplementation((element: HTMLElement & { on?: unknown }) => {
    element.on = () => undefined;
    return Promise.resolve(element);
  });
  play = vi.spyOn(HTMLMediaElement.prototype, 'play').mockResolvedValue(undefined);
  vi.spyOn(HTMLMediaElement.prototype, 'pause').mockReturnValue(undefined);
});

afterEach(() => {
  cleanup();
  vi.restoreAllMocks();
});

describe('welcome', () => {
  it('puts the demo library first when nothing is there', async () => {
    const { app, engine } = await open({ answers: { 'libraries.list': () => [] }, libraryId: null });
    await fireEvent.click(byId('open-labelled-demo'));
    await waitFor(() => expect(app.view).toBe('library'));
    expect(engine.inputsOf('libraries.openDemo')).toEqual([{ demo: 'instruments' }]);
  });

  it('opens the folder that was chosen', async () => {
    const { engine } = await open({
      libraryId: null,
      shell: { chooseFolder: () => Promise.resolve('/music') },
    });
    await fireEvent.click(byId('open-folder'));
    await waitFor(() => expect(engine.inputsOf('libraries.open')).toEqual([{ folder: '/music' }]));
  });

  it('opens a folder dropped anywhere, and says so when it is none', async () => {
    const pathOf = vi.fn().mockResolvedValueOnce('').mockResolvedValueOnce('/dropped');
    const { engine } = await open({ libraryId: null, shell: { pathOf } });
    const drop = (): Promise<boolean> =>
      fireEvent.drop(window, { dataTransfer: { files: [new File([], 'x')], types: ['Files'] } });
    await drop();
    await waitFor(() => expect(byId('toast').textContent).toContain('not a folder'));
    await drop();
    await waitFor(() => expect(engine.inputsOf('libraries.open')).toEqual([{ folder: '/dropped' }]));
  });
});

describe('library', () => {
  it('lists tracks with label, prediction and verdict in words as well as colour', async () => {
    await open();
    const rows = await screen.findAllByTestId('track-row');
    expect(rows).toHaveLength(3);
    expect(within(rows[0] as HTMLElement).getByLabelText('correct')).toBeTruthy();
    expect(within(rows[1] as HTMLElement).getByLabelText('wrong')).toBeTruthy();
    expect(rows[2]?.textContent).toContain('Not an audio file.');
    expect(byId('library-table').dataset['total']).toBe('3');
  });

  it('forgets what was written in the search and could not be read when another search is chosen', async () => {
    const { app, engine } = await open();
    const { tracks } = sessionOf(app);
    const field = byId('track-search') as HTMLInputElement;
    await fireEvent.focus(field);
    // What it looks through is read before the first word.
    expect(engine.inputsOf('tracks.prepareSearch')).toEqual([{ libraryId: 'L1' }]);
    await fireEvent.input(field, { target: { value: 'lable:x' } });
    await fireEvent.keyDown(field, { key: 'Enter' });
    await waitFor(() => expect(byId('search-problem').textContent).toContain('no field “lable”'));
    // The search that is found already: nothing changes but what stands in the field.
    tracks.find(tracks.search);
    await waitFor(() => expect(screen.queryByTestId('search-problem')).toBeNull());
    expect(field.value).toBe('');
  });

  it('selects and auditions a track, and explains it so that it adds up', async () => {
    const { app } = await open();
    const rows = await screen.findAllByTestId('track-row');
    await fireEvent.click(rows[0] as HTMLElement);
    expect(sessionOf(app).selection.lead).toBe('t0');
    await waitFor(() => expect(byId('player-audio').getAttribute('src')).toBe('archetone://audio/t0'));
    expect(play).toHaveBeenCalled();
    const sum = await screen.findByTestId('why-sum');
    expect(Number(sum.dataset['value'])).toBeCloseTo(Number(byId('why-logit').dataset['value']), 9);
    expect(byId('why').textContent).toContain('Adds up exactly');
    // The track itself is not its own neighbour.
    expect(byId('neighbours').textContent).toContain('1.250');
    expect(byId('neighbours').textContent).not.toContain('Track 0');
    expect((await screen.findByTestId('class-strip')).dataset['windows']).toBe('2');
  });

  it('says aloud when an explanation does not add up', async () => {
    const { app } = await open({
      answers: {
        'explain.track': () => ({
          trackId: 't0',
          experimentId: 'E1',
          class: 'drum',
          windowIndex: null,
          bias: 0,
          logit: 1,
          probability: 0.5,
          contributions: [
            { prototype: 1, prototypeClass: 'drum', similarity: 1, weight: 0.999, contribution: 0.999 },
          ],
          scores: [],
        }),
      },
    });
    sessionOf(app).selection.only('t0');
    await waitFor(() => expect(byId('why').textContent).toContain('The sum deviates'));
  });

  it('explains the window that is picked in the class strip', async () => {
    const { app, engine } = await open();
    sessionOf(app).selection.only('t0');
    await sessionOf(app).player.showTrack({ id: 't0', title: 'Track 0', path: 'p' }, { play: false });
    const strip = await screen.findByTestId('class-strip');
    await fireEvent.click(strip.querySelector('[data-window="1"]') as HTMLElement);
    await waitFor(() =>
      expect(engine.inputsOf('explain.track').at(-1)).toMatchObject({ trackId: 't0', windowIndex: 1 }),
    );
    expect(sessionOf(app).player.time).toBe(4);
  });

  it('draws a sound of a hundred samples once, though it never gets many peaks', async () => {
    const { app } = await open();
    decode.mockResolvedValue({ samples: new Float32Array(100), sampleRate: 22_050 });
    await sessionOf(app).player.showTrack({ id: 't0', title: 'Click', path: 'p' }, { play: false });
    await waitFor(() => expect(sessionOf(app).player.source?.peaks?.perSecond).toBe(16_000));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(decode).toHaveBeenCalledTimes(1);
  });

  it('walks with the keyboard and edits labels in place, with undo', async () => {
    const { app, engine } = await open({
      answers: { 'labels.set': () => ({ previous: [{ trackId: 't0', labels: ['drum'] }] }) },
    });
    await screen.findAllByTestId('track-row');
    const grid = screen.getByRole('grid');
    await fireEvent.keyDown(grid, { key: 'ArrowDown' });
    expect(sessionOf(app).selection.lead).toBe('t0');
    await fireEvent.keyDown(grid, { key: 'F2' });
    const input = byId('label-input') as HTMLInputElement;
    input.value = 'bass, loud , bass';
    await fireEvent.keyDown(input, { key: 'Enter' });
    await waitFor(() => expect(sessionOf(app).history.past).toHaveLength(1));
    await fireEvent.keyDown(window, { key: 'z', ctrlKey: true });
    await waitFor(() => expect(sessionOf(app).history.future).toHaveLength(1));
    expect(engine.inputsOf('labels.set')).toEqual([
      { libraryId: 'L1', taxonomyId: 'X1', changes: [{ trackId: 't0', labels: ['bass', 'loud'] }] },
      { libraryId: 'L1', taxonomyId: 'X1', changes: [{ trackId: 't0', labels: ['drum'] }] },
    ]);
  });

  it('forgets what was typed as a label at Escape, and keeps it when the person goes elsewhere', async () => {
    const { engine } = await open({
      answers: { 'labels.set': () => ({ previous: [{ trackId: 't0', labels: ['drum'] }] }) },
    });
    await screen.findAllByTestId('track-row');
    const grid = screen.getByRole('grid');
    await fireEvent.keyDown(grid, { key: 'ArrowDown' });
    const type = async (value: string): Promise<HTMLElement> => {
      await fireEvent.keyDown(grid, { key: 'F2' });
      const input = byId('label-input') as HTMLInputElement;
      input.value = value;
      return input;
    };
    await fireEvent.keyDown(await type('bass'), { key: 'Escape' });
    expect(screen.queryByTestId('label-input')).toBeNull();
    expect(engine.inputsOf('labels.set')).toEqual([]);
    await fireEvent.blur(await type('loud'));
    await waitFor(() => expect(engine.inputsOf('labels.set')).toHaveLength(1));
    expect(engine.inputsOf('labels.set')).toMatchObject([{ changes: [{ trackId: 't0', labels: ['loud'] }] }]);
  });

  it('creates a taxonomy when there is none', async () => {
    const { engine } = await open({
      answers: {
        'taxonomies.list': () => [],
        'taxonomies.create': () => ({
          id: 'X2',
          name: 'n',
          source: { kind: 'tokens' },
          labels: [{ name: 'a', tracks: 1 }],
          multilabel: false,
          labelledTracks: 1,
          unmatched: 0,
        }),
      },
    });
    await fireEvent.click(await screen.findByTestId('taxonomy-create-tokens'));
    await waitFor(() =>
      expect(engine.inputsOf('taxonomies.create')).toEqual([{ libraryId: 'L1', source: { kind: 'tokens' } }]),
    );
  });

  it('reads a label file again, and tells before training which rows named no track', async () => {
    const message = 'One row names no file of the library: “x/gone.wav” (row 3).';
    const rows = { reason: 'absent', rows: 1, example: { row: 3, path: 'x/gone.wav' }, tracks: [], message };
    const read = {
      ...taxonomy,
      source: { kind: 'csv', path: '/labels.csv' },
      unmatched: 1,
      unmatchedRows: [rows],
    };
    const { engine } = await open({
      answers: { 'taxonomies.list': () => [read], 'taxonomies.refresh': () => read },
    });
    await fireEvent.click(await screen.findByTestId('taxonomy-refresh'));
    await waitFor(() =>
      expect(engine.inputsOf('taxonomies.refresh')).toEqual([{ libraryId: 'L1', taxonomyId: taxonomy.id }]),
    );
    await fireEvent.click(byId('nav-train'));
    const notice = await screen.findByTestId('train-unmatched');
    expect(notice.textContent).toMatch(/1 row of the label file/);
    expect(within(notice).getByText(message)).toBeTruthy();
  });

  it('shows a running import and cancels it', async () => {
    const { engine } = await open({ answers: { 'jobs.list': () => [job()], 'jobs.cancel': () => null } });
    const banner = await screen.findByTestId('import-progress');
    expect(banner.textContent).toMatch(/1 \/ 4\s+files/);
    await fireEvent.click(within(banner).getByText('Cancel'));
    expect(engine.inputsOf('jobs.cancel')).toEqual([{ jobId: 'J1' }]);
  });
});

/** The row of prototype 1 in the view Prototypes, whose class is chosen first. */
async function drumCard(): Promise<HTMLElement> {
  await fireEvent.click(byId('nav-prototypes'));
  const drum = await waitFor(() => {
    const found = screen.getAllByTestId('class-row').find((row) => row.textContent.includes('drum'));
    if (!found) throw new Error('no class yet');
    return found;
  });
  await fireEvent.click(drum);
  return waitFor(() => {
    const found = screen.getAllByTestId('prototype-card').find(({ dataset }) => dataset['index'] === '1');
    if (!found) throw new Error('no card yet');
    return found;
  });
}

describe('hearing prototypes', () => {
  it('makes A once, plays it, and plays B from its place in the real track', async () => {
    const target = { kind: 'prototype' as const, experimentId: 'E1', index: 1 };
    const { engine, app } = await open({
      answers: { 'sonify.start': () => ({ jobId: 'S' }), 'jobs.get': () => job({ id: 'S', kind: 'sonify' }) },
    });
    const card = await drumCard();
    const a = within(card).getByTestId('prototype-a');
    await fireEvent.click(a);
    await fireEvent.click(a);
    await waitFor(() => expect(a.getAttribute('aria-busy')).toBe('true'));
    engine.emit({
      type: 'job',
      job: job({
        id: 'S',
        kind: 'sonify',
        state: 'done',
        result: { kind: 'sonify', sonifications: [{ target, sonification: sonification('s1') }] },
      }),
    });
    await waitFor(() => expect(byId('player-audio').getAttribute('src')).toBe('archetone://audio/s1'));
    expect(engine.inputsOf('sonify.start')).toHaveLength(1);
    await fireEvent.click(within(card).getByTestId('prototype-b'));
    await waitFor(() => expect(byId('player-audio').getAttribute('src')).toBe('archetone://audio/t1'));
    expect(sessionOf(app).player.range).toEqual({ start: 4, end: 8 });
  });
});

describe('a prototype among many classes', () => {
  it('tells its largest weights, and of the others when one is to be set; previews are prepared', async () => {
    const classes = Array.from({ length: 20 }, (_, c) => (c === 0 ? 'drum' : `class ${String(c)}`));
    const listed = { ...prototype(1, 'drum'), weight: 1.25, weights: [{ class: 0, weight: 1.25 }] };
    const all = classes.map((_, c) => (c === 0 ? 1.25 : -c / 4));
    const { engine } = await open({
      answers: {
        'experiments.list': () => [{ ...experiment, classes }],
        'prototypes.list': () => [listed],
        'prototypes.weights': () => all,
      },
    });
    await fireEvent.click(await drumCard());
    const weight = () => byId('edit-weight') as HTMLInputElement;
    await waitFor(() => expect(weight().value).toBe('1.25'));
    expect(engine.inputsOf('prototypes.weights')).toEqual([]);
    await fireEvent.change(byId('edit-class'), { target: { value: 'class 3' } });
    await waitFor(() => expect(weight().value).toBe('-0.75'));
    await fireEvent.change(byId('edit-class'), { target: { value: 'class 19' } });
    await waitFor(() => expect(weight().value).toBe('-4.75'));
    expect(engine.inputsOf('prototypes.weights')).toEqual([
      { libraryId: 'L1', experimentId: 'E1', index: 1, revision: 1 },
    ]);
    expect(engine.inputsOf('prototypes.prepare')).toEqual([{ libraryId: 'L1', experimentId: 'E1' }]);
  });
});

describe('two models beside each other', () => {
  it('offer what only the other one has, and show what adding it would do', async () => {
    const told = { name: 'n', change: 'trained', classes: experiment.classes, prototypes: 1 };
    const model = (experimentId: string) => ({
      ...{ ...told, experimentId, revision: 1, accuracy: 0.5, balancedAccuracy: 0.5 },
    });
    const of = (index: number) => ({ index, class: 'drum', name: '', weight: 1 });
    const alone = { kind: 'only-second', first: null, second: of(4), distance: null, change: 'only in B' };
    const same = { kind: 'same', first: of(1), second: of(3), distance: 0, change: 'same' };
    const { app, engine } = await open({
      answers: {
        'experiments.list': () => [experiment, { ...experiment, id: 'E2' }],
        'prototypes.compare': () => ({
          ...{ first: model('E1'), second: model('E2'), reach: 1, pairs: [same, alone], words: ['w'] },
        }),
        'prototypes.preview': () => new Promise(() => undefined),
      },
    });
    const session = sessionOf(app);
    session.experiments.currentId = 'E1';
    await drumCard();
    await fireEvent.change(byId('compare-with'), { target: { value: 'experiment E2' } });
    const offered = await screen.findAllByTestId('compare-add');
    expect(offered).toHaveLength(1);
    await fireEvent.click(byId('compare-add'));
    await waitFor(() => expect(byId('edit-preview')).toBeTruthy());
    expect(screen.queryByTestId('model-compare')).toBeNull();
    const vector = { kind: 'prototype', experimentId: 'E2', index: 4, revision: 1 };
    expect(engine.inputsOf('prototypes.preview')).toEqual([
      expect.objectContaining({ experimentId: 'E1', edit: { kind: 'add', class: 'drum', vector } }),
    ]);
  });
});

describe('the prototypes of several views', () => {
  const view = (packId: string) => ({
    ...{ space: { ...space, key: packId, packId }, overfitting: false, prototypes: 2 },
    accuracy: { train: 1, validation: 1, test: 1 },
  });
  const several = {
    ...experiment,
    views: {
      ...{ views: [view('compact'), view('gone')], blend: [] },
      ...{ lacking: { tracks: 0, listed: [] }, notes: [] },
    },
  };
  const prototypes = [0, 1, 2].map((index) => ({
    ...prototype(index, 'drum'),
    view: index === 2 ? 1 : 0,
  }));

  it('are listed by view, without sounds where the pack is gone, which is looked for once', async () => {
    const { app, engine } = await open({
      answers: { 'experiments.list': () => [several], 'prototypes.list': () => prototypes },
    });
    await drumCard();
    const asked = engine.inputsOf('packs.list').length;
    const shown = () => screen.getAllByTestId('prototype-card').map(({ dataset }) => dataset['index']);
    const isSilent = () => screen.getAllByTestId('prototype-a').every((a) => a.hasAttribute('disabled'));
    expect([shown(), isSilent()]).toEqual([['0', '1'], false]);
    await fireEvent.click(byId('studio-view-1'));
    await waitFor(() => expect([shown(), isSilent()]).toEqual([['2'], true]));
    expect(byId('view-silent').textContent).toContain('gone has no decoder');
    expect(byId('melody-open').hasAttribute('disabled')).toBe(true);
    expect(screen.queryByTestId('sonify-all')).toBeNull();
    await fireEvent.click(byId('studio-view-0'));
    await waitFor(() => expect(shown()).toEqual(['0', '1']));
    expect(byId('sonify-all').textContent).toContain('Sonify all (2)');
    expect(engine.inputsOf('packs.list')).toHaveLength(asked);
    expect(asked).toBe(2);
    // From elsewhere to one of the view that is not looked at.
    showPrototypes(app, sessionOf(app), 'drum', 2);
    await waitFor(() => expect(shown()).toEqual(['2']));
    expect(sessionOf(app).studio.current?.index).toBe(2);
  });
});

describe('the prototypes of a pack without a decoder', () => {
  it('are not offered to be sonified or judged by ear, and it is said why', async () => {
    const silent = {
      ...pack,
      kind: 'embedding-only' as const,
      soundless: 'It has no decoder.',
      sampler: null,
    };
    await open({ answers: { 'packs.list': () => [silent] } });
    await drumCard();
    await waitFor(() => expect(byId('view-silent').textContent).toContain('Compact has no decoder'));
    expect(screen.queryByTestId('sonify-all')).toBeNull();
    expect(byId('listening-open').hasAttribute('disabled')).toBe(true);
    expect(screen.getAllByTestId('prototype-a').every((a) => a.hasAttribute('disabled'))).toBe(true);
  });
});

describe('a sound that is being made', () => {
  const target = { kind: 'prototype' as const, experimentId: 'E1', index: 1 };
  const source = () => byId('player-audio').getAttribute('src');
  const settle = () => new Promise((resolve) => setTimeout(resolve, 20));

  /** Presses A of a prototype that has no sound yet. */
  const press = async () => {
    const { engine, app } = await open({
      answers: { 'sonify.start': () => ({ jobId: 'S' }), 'jobs.get': () => job({ id: 'S', kind: 'sonify' }) },
    });
    const card = await drumCard();
    const a = within(card).getByTestId('prototype-a');
    await fireEvent.click(a);
    await waitFor(() => expect(sessionOf(app).sonifier.jobOf(target)).toBe('S'));
    await settle();
    const first = (): void =>
      engine.emit({
        type: 'first-sound',
        libraryId: 'L1',
        target,
        soundId: 's',
        sonification: sonification('f'),
      });
    const sonifications = [{ target, sonification: sonification('s') }];
    const done = (): void =>
      engine.emit({
        type: 'job',
        job: job({ id: 'S', kind: 'sonify', state: 'done', result: { kind: 'sonify', sonifications } }),
      });
    return { app, a, first, done };
  };

  it('is heard at once by its first draw; the best one takes its place between two plays', async () => {
    const { a, first, done } = await press();
    first();
    await waitFor(() => expect(source()).toBe('archetone://audio/f'));
    await fireEvent(byId('player-audio'), new Event('play'));
    done();
    await waitFor(() => expect(a.getAttribute('aria-busy')).toBe('false'));
    expect(source()).toBe('archetone://audio/f');
    expect(play).toHaveBeenCalledTimes(1);
    await fireEvent(byId('player-audio'), new Event('ended'));
    expect(source()).toBe('archetone://audio/s');
    expect(play).toHaveBeenCalledTimes(1);
    await fireEvent.click(a);
    await waitFor(() => expect(play).toHaveBeenCalledTimes(2));
  });

  it('gives way to whatever else is played meanwhile', async () => {
    const { app, a, first, done } = await press();
    await sessionOf(app).player.showTrack({ id: 't0', title: 'Track 0', path: 'x' }, { play: true });
    first();
    done();
    await waitFor(() => expect(a.getAttribute('aria-busy')).toBe('false'));
    expect(source()).toBe('archetone://audio/t0');
  });

  it('stays silent in another view, and in another library', async () => {
    const { app, first, done } = await press();
    app.view = 'train';
    first();
    done();
    await waitFor(() => expect(sessionOf(app).sonifier.jobOf(target)).toBeNull());
    await settle();
    expect(sessionOf(app).sonifier.soundOf(target)?.id).toBe('s');
    cleanup();
    const left = await press();
    left.app.closeLibrary();
    left.first();
    left.done();
    await waitFor(() => expect(left.app.jobs.get('S')?.state).toBe('done'));
    await settle();
    expect(play).not.toHaveBeenCalled();
  });

  it('stays silent long after, when something else was done; not when the person only waited', async () => {
    const waited = await press();
    const now = vi.spyOn(performance, 'now');
    now.mockReturnValue(performance.now() + 60_000);
    waited.done();
    await waitFor(() => expect(play).toHaveBeenCalledTimes(1));
    cleanup();
    now.mockRestore();
    const busy = await press();
    await fireEvent.pointerDown(document.body);
    vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 60_000);
    busy.done();
    await waitFor(() => expect(busy.a.getAttribute('aria-busy')).toBe('false'));
    await settle();
    expect(play).toHaveBeenCalledTimes(1);
  });
});

describe('training', () => {
  it('takes up several labels where tracks have them, and leaves what is chosen after that', async () => {
    const { engine } = await open({
      answers: {
        'taxonomies.list': () => [{ ...taxonomy, multilabel: true }],
        'experiments.train': () => ({ jobId: 'T' }),
        'jobs.get': () => job({ id: 'T', kind: 'train', state: 'cancelled' }),
      },
    });
    await fireEvent.click(byId('nav-train'));
    await fireEvent.click(byId('train-start'));
    await waitFor(() => expect(engine.inputsOf('experiments.train')).toHaveLength(1));
    await fireEvent.click(screen.getByText('One class'));
    await waitFor(() => expect((byId('train-start') as HTMLButtonElement).disabled).toBe(false));
    await fireEvent.click(byId('train-start'));
    await waitFor(() =>
      expect(engine.inputsOf('experiments.train')).toMatchObject([
        { request: { task: 'multi' } },
        { request: { task: 'single' } },
      ]),
    );
  });

  it('trains with what the form says', async () => {
    const { engine, app } = await open({
      answers: {
        'experiments.train': () => ({ jobId: 'T' }),
        'classify.library': () => ({ jobId: 'C' }),
        'jobs.get': ({ jobId }: { jobId: string }) =>
          jobId === 'T'
            ? job({ id: 'T', kind: 'train' })
            : job({
                id: 'C',
                kind: 'classify',
                state: 'done',
                result: { kind: 'classify', experimentId: 'E1', tracks: 3, files: [] },
              }),
      },
    });
    await fireEvent.click(byId('nav-train'));
    const steps = byId('train-steps') as HTMLInputElement;
    steps.value = '250';
    await fireEvent.change(steps);
    await fireEvent.click(byId('train-start'));
    await waitFor(() => expect(byId('train-cancel')).toBeTruthy());
    expect(engine.inputsOf('experiments.train')).toMatchObject([
      { libraryId: 'L1', request: { taxonomyId: 'X1', steps: 250, lambda: 0.25 } },
    ]);
    engine.emit({
      type: 'train-progress',
      jobId: 'T',
      point: {
        step: 10,
        loss: 1,
        classLoss: 1,
        prototypeLoss: 1,
        trainAccuracy: 0.5,
        trainMicroF1: null,
        validationLoss: null,
        validationAccuracy: null,
        validationMicroF1: null,
        kept: null,
      },
    });
    await waitFor(() => expect(byId('curve')).toBeTruthy());
    engine.emit({
      type: 'job',
      job: job({ id: 'T', kind: 'train', state: 'done', result: { kind: 'train', experimentId: 'E1' } }),
    });
    await waitFor(() => expect(byId('train-score').textContent).toBe('50.0 %'));
    expect(sessionOf(app).experiments.curve).toHaveLength(1);
    // Training predicts the library itself; nothing classifies it a second time.
    expect(engine.inputsOf('classify.library')).toEqual([]);
  });

  it('leads from a cell of the confusion matrix to its tracks', async () => {
    const { app } = await open();
    await fireEvent.click(byId('nav-train'));
    const pairs = await screen.findByTestId('confused-pairs');
    await fireEvent.click(within(pairs).getByTitle('Show the tracks of drum predicted as bass'));
    await waitFor(() => expect(app.view).toBe('library'));
    expect(sessionOf(app).tracks.filter.trackIds).toEqual(['t0', 't1']);
  });

  it('exports below the chosen folder and says where', async () => {
    const { engine } = await open({
      shell: { chooseFolder: () => Promise.resolve('/out') },
      answers: {
        'exports.start': () => ({ jobId: 'X' }),
        'jobs.get': () =>
          job({
            id: 'X',
            kind: 'export',
            state: 'done',
            result: {
              kind: 'export',
              export: {
                folder: '/out/archetone First',
                files: [{ path: 'manifest.json', bytes: 10, sha256: 'a' }],
              },
            },
          }),
      },
    });
    await fireEvent.click(byId('nav-train'));
    await fireEvent.click(await screen.findByTestId('export-open'));
    expect(screen.queryByTestId('sonify-share')).toBeNull();
    await fireEvent.click(byId('sonify-from-recording'));
    expect((byId('sonify-share') as HTMLInputElement).value).toBe('0.3');
    await fireEvent.click(byId('export-wav'));
    expect(screen.queryByTestId('sonify-share')).toBeNull();
    await fireEvent.click(byId('export-raw'));
    await fireEvent.click(byId('export-start'));
    await waitFor(() => expect(byId('export-result').dataset['folder']).toBe('/out/archetone First'));
    expect(engine.inputsOf('exports.start')).toEqual([
      {
        libraryId: 'L1',
        subject: { kind: 'experiment', experimentId: 'E1' },
        folder: '/out/archetone First',
        formats: ['csv', 'npz', 'm3u8'],
        seed: 1,
        soundsFrom: { origin: 'recording', share: 0.3 },
        raw: true,
      },
    ]);
  });
});

describe('map', () => {
  it('draws tracks and prototypes, says how far to trust it, and is walked by arrow keys', async () => {
    const { app } = await open({
      answers: {
        'projection.column': () => ({
          kind: 'names',
          trackIds: ['t1', 't0'],
          names: ['drum'],
          first: Int32Array.of(0, 0),
          second: null,
        }),
        'projection.compute': () => [
          {
            type: 'result',
            projection: {
              method: 'pca',
              level: 'track',
              x: Float32Array.of(0, 1, 2, 1),
              y: Float32Array.of(0, 0.1, 0, 5),
              points: {
                kind: 'track',
                count: 2,
                trackIds: ['t0', 't1'],
                trackOf: new Int32Array(),
                windowIndex: new Int32Array(),
              },
              prototypes: 2,
              prototypeClasses: ['drum', 'flute'],
              trust: 0.42,
              explained: [0.5, 0.25],
            },
          },
        ],
      },
    });
    await fireEvent.click(byId('nav-map'));
    await waitFor(() => expect(byId('map-trust').textContent).toContain('42.0 %'));
    expect(byId('map-trust').textContent).toContain('75.0 %');
    await waitFor(() => expect(byId('map-plot').dataset['points']).toBe('4'));
    await waitFor(() => expect(screen.getByRole('button', { name: /^drum/ }).textContent).toContain('2'));
    await app.settings.prefer({ auditionOnSelect: false });
    const map = byId('map-plot');
    await fireEvent.keyDown(map, { key: 'ArrowRight' });
    expect(sessionOf(app).selection.lead).toBe('t0');
    await fireEvent.keyDown(map, { key: 'ArrowRight' });
    expect(sessionOf(app).selection.lead).toBe('t1');
    await waitFor(() => expect(byId('map-announcement').textContent).toContain('Track 1'));
    await fireEvent.keyDown(map, { key: 'ArrowRight' });
    await waitFor(() => expect(byId('map-announcement').textContent).toContain('prototype 1'));
  });
});

describe('jobs', () => {
  it('lists them with figures and errors, and pauses and cancels', async () => {
    const failed = job({
      id: 'J9',
      kind: 'export',
      state: 'failed',
      error: { code: 'disk-full', message: 'The disk is full.', hint: 'Free some.' },
    });
    const { engine } = await open({
      answers: { 'jobs.list': () => [job(), failed], 'jobs.pause': () => null },
    });
    await fireEvent.click(byId('nav-jobs'));
    const list = screen.getAllByTestId('job-row');
    expect(list).toHaveLength(2);
    expect(document.body.textContent).toContain('The disk is full.');
    expect(document.body.textContent).toContain('Free some.');
    await fireEvent.click(byId('job-pause'));
    expect(engine.inputsOf('jobs.pause')).toEqual([{ jobId: 'J1' }]);
  });
});

describe('the window', () => {
  it('changes views by digits, but not while typing', async () => {
    const { app } = await open();
    await fireEvent.keyDown(window, { key: '5' });
    expect(app.view).toBe('train');
    await fireEvent.keyDown(byId('train-steps'), { key: '8' });
    expect(app.view).toBe('train');
  });

  it('runs the commands of the menu', async () => {
    let send: (id: string) => void = () => undefined;
    const setMenu = vi.fn(() => Promise.resolve());
    const { app } = await open({
      shell: {
        setMenu,
        onMenuCommand: (handler) => {
          send = handler;
          return () => undefined;
        },
      },
    });
    expect(setMenu).toHaveBeenCalledWith(
      expect.arrayContaining([
        { id: 'library.open', title: 'Open folder…', menu: 'File', accelerator: 'CmdOrCtrl+O' },
      ]),
    );
    send('view.packs');
    expect(app.view).toBe('packs');
    send('no.such.command');
    expect(app.view).toBe('packs');
  });

  it('shows a pack whose maker gave two figures the same name', async () => {
    const figure = { name: 'accuracy', value: 50 };
    const { app } = await open({ answers: { 'packs.list': () => [{ ...pack, quality: [figure, figure] }] } });
    app.view = 'packs';
    await waitFor(() => expect(within(byId('pack')).getAllByText('accuracy')).toHaveLength(2));
  });

  it('asks once what each pack was trained on, and not of one that is being removed', async () => {
    let packs = [pack, { ...pack, id: 'other' }, { ...pack, id: 'third' }];
    const { app, engine } = await open({
      answers: {
        'packs.list': () => packs,
        'packs.remove': () => null,
        'packs.trainingData': ({ packId }: { packId: string }) => {
          if (packs.some(({ id }) => id === packId)) return null;
          throw new Error('it is gone');
        },
      },
    });
    app.view = 'packs';
    await waitFor(() => expect(app.packs.trainingData.size).toBe(3));
    packs = packs.slice(0, 2);
    await app.packs.remove('third');
    await waitFor(() => expect(screen.getAllByTestId('pack')).toHaveLength(2));
    const asked = engine.inputsOf('packs.trainingData');
    expect(asked).toEqual(['compact', 'other', 'third'].map((packId) => ({ packId })));
  });

  it('keeps answering when a view cannot be drawn', async () => {
    const complaint = vi.spyOn(console, 'error').mockImplementation(() => undefined);
    let shown: object = { ...pack, sources: null };
    const { app } = await open({ answers: { 'packs.list': () => [shown] } });
    await fireEvent.click(byId('nav-packs'));
    await waitFor(() => expect(byId('failed-to-draw').textContent).toContain('This view cannot be shown'));
    expect(complaint).toHaveBeenCalled();
    await fireEvent.click(byId('nav-jobs'));
    expect(screen.queryByTestId('failed-to-draw')).toBeNull();
    shown = { ...pack, sources: [] };
    await app.packs.reload();
    await fireEvent.click(byId('nav-packs'));
    expect(byId('pack')).toBeTruthy();
  });

  it('keeps answering when the status bar cannot be drawn', async () => {
    const complaint = vi.spyOn(console, 'error').mockImplementation(() => undefined);
    const { app } = await open({});
    if (app.info === null) throw new Error('the application says what it runs on');
    app.info = Object.defineProperty({ ...app.info }, 'provider', {
      get: () => {
        throw new Error('no provider');
      },
    });
    await waitFor(() =>
      expect(byId('failed-to-draw').textContent).toContain('The status bar cannot be shown'),
    );
    expect(complaint).toHaveBeenCalled();
    await fireEvent.click(byId('nav-packs'));
    expect(byId('pack')).toBeTruthy();
  });

  it('has every view without a library, and says what to do', async () => {
    const { app } = await open({ answers: { 'libraries.list': () => [] }, libraryId: null });
    for (const view of ['library', 'map', 'prototypes', 'train', 'reduce', 'mistakes'] as const) {
      app.view = view;
      await screen.findByText('No library is open');
    }
  });

  it('shows a calm banner until the engine is there', () => {
    render(Window, { app: new App(fakeShell()) });
    expect(byId('engine-banner').textContent).toContain('Starting the engine');
  });

  it('keeps the name of the library in sight', async () => {
    await open();
    expect(byId('library-name').textContent).toBe(library.name);
    expect(screen.getAllByText(experiment.name).length).toBeGreaterThan(0);
  });
});
