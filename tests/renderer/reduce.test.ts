// @vitest-environment happy-dom
import { cleanup, fireEvent, render, screen, waitFor, within } from '@testing-library/svelte';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Reduction } from '../../engine/api/reductions.ts';
import type {
  KnnScore,
  MethodInfo,
  Recommendation,
  RecommendedSet,
  Study,
  StudyChoices,
  StudyRequest,
} from '../../engine/api/studies.ts';
import { EngineError } from '../../engine/api/errors.ts';
import { labelDifferences, labelsetFate } from '../../renderer/src/reduce/compare.ts';
import {
  estimate,
  formDefaults,
  labelsFor,
  numbersOf,
  requestOf,
  runsOf,
  sourceOf,
} from '../../renderer/src/reduce/form.ts';
import { paretoFront, pointLooks, pointsOf } from '../../renderer/src/reduce/points.ts';
import { App } from '../../renderer/src/shell/app.svelte.ts';
import Window from '../../renderer/src/shell/Window.svelte';
import { FakeEngine, fakeShell, fullAnswers, job, sessionOf } from './fake.ts';

const plot = vi.hoisted(() => ({ react: vi.fn() }));
vi.mock('plotly.js-strict-dist-min', () => ({
  default: { react: plot.react, purge: () => undefined, Plots: { resize: () => undefined } },
}));
vi.mock('wavesurfer.js', () => ({
  default: { create: () => ({ on: () => undefined, setTime: () => undefined, destroy: () => undefined }) },
}));

const size = {
  ...{ kind: 'number' as const, name: 'p', title: 'Size', above: 0, atMost: 100, default: 10, unit: '%' },
};
const methods: MethodInfo[] = [
  {
    id: 'MChen',
    title: 'MChen',
    description: 'd',
    kind: 'generation',
    seeded: false,
    oneLabel: false,
    parameters: [size],
  },
  {
    ...{ id: 'MRSP2', title: 'MRSP2', description: 'd', kind: 'generation', seeded: false, oneLabel: false },
    parameters: [
      size,
      {
        ...{ kind: 'choice', name: 'variant', title: 'Variant', default: 'corrected' },
        options: [
          { value: 'corrected', title: 'corrected' },
          { value: 'reference', title: 'reference' },
        ],
      },
    ],
  },
  {
    id: 'MRHC',
    title: 'MRHC',
    description: 'd',
    kind: 'generation',
    seeded: false,
    oneLabel: false,
    parameters: [],
  },
];
const choices: StudyChoices = {
  methods,
  classifiers: [
    { id: 'lpknn', title: 'LP-kNN', description: 'd' },
    { id: 'mlknn', title: 'ML-kNN', description: 'd' },
  ],
  metrics: [
    { id: 'hammingLoss', title: 'Hamming loss', hint: '', lowerIsBetter: true },
    { id: 'f1Samples', title: 'F1 (samples)', hint: '', lowerIsBetter: false },
  ],
};

const score = (f1: number[], classifier: KnnScore['classifier'] = 'lpknn'): KnnScore => ({
  ...{ classifier, k: 1, labelF1: f1.map((value) => value / 2) },
  metrics: { f1Samples: f1, hammingLoss: f1.map((value) => 1 - value) },
});

function reduction(id: string, change: Partial<Reduction> = {}): Reduction {
  const short = { classifier: 'LP-kNN', k: 1, hammingLoss: 0, exactMatch: 0, f1Samples: 0, f1Macro: 0 };
  return {
    name: 'MChen p 10',
    ...{
      id,
      taxonomyId: 'X1',
      taxonomyName: 'File-name tokens',
      space: null,
      labels: ['bass', 'drum'],
    },
    ...{ method: 'MChen', seed: 1 },
    ...{ corpusRows: 100, testRows: 40, prototypeRows: 10, full: short, reduced: short },
    ...{ createdAt: '2026-01-03T00:00:00Z', seconds: 1, studyId: 'S1', noise: 0, sizes: [10] },
    source: { kind: 'library', taxonomyId: 'X1', level: 'track' },
    parameters: { p: 10 },
    scores: [score([0.5, 0.6]), score([0.4, 0.4], 'mlknn')],
    ...change,
  };
}

const study: Study = {
  ...{ id: 'S1', name: 'File-name tokens: 2 methods', state: 'done', jobId: null },
  request: { ...formDefaults, source: { kind: 'library', taxonomyId: 'X1', level: 'track' } } as never,
  corpus: (fullAnswers['reductions.corpus'] as () => Study['corpus'])(),
  splits: [{ train: 100, test: 40 }],
  full: [{ noise: 0, scores: [score([0.7]), score([0.65], 'mlknn')] }],
  ...{ planned: 3, finished: 3, failures: [], createdAt: '2026-01-03T00:00:00Z', seconds: 3 },
};
const reductions = [
  reduction('R1'),
  reduction('R2', {
    name: 'MChen p 50',
    prototypeRows: 50,
    sizes: [50],
    parameters: { p: 50 },
    scores: [score([0.8]), score([0.3], 'mlknn')],
  }),
  reduction('R3', {
    name: 'MRHC',
    ...{ prototypeRows: 60, sizes: [60], parameters: {}, scores: [score([0.7]), score([0.2], 'mlknn')] },
    method: 'MRHC',
  }),
];

describe('the form of a study', () => {
  it('makes every combination of parameters of the methods that take part', () => {
    const form = { ...formDefaults, sizes: [10, 50] };
    expect(runsOf(form, methods)).toEqual([
      { method: 'MChen', parameters: { p: 10 } },
      { method: 'MChen', parameters: { p: 50 } },
      { method: 'MRSP2', parameters: { p: 10, variant: 'corrected' } },
      { method: 'MRSP2', parameters: { p: 50, variant: 'corrected' } },
      { method: 'MRHC', parameters: {} },
    ]);
    expect(runsOf({ ...form, off: ['MChen', 'MRSP2'] }, methods)).toHaveLength(1);
    const changed = runsOf({ ...form, values: { variant: ['reference'] } }, methods);
    expect(changed[2]?.parameters).toEqual({ p: 10, variant: 'reference' });
  });

  it('counts runs and scores, and asks nothing while something is missing', () => {
    const form = { ...formDefaults, noise: true, split: 'folds' as const, folds: 4, repeats: 2, k: [1, 3] };
    const request = requestOf(form, methods, 'X1') as StudyRequest;
    // 5 + 5 + 1 runs × 3 levels of noise × 8 splits; the whole data is scored too, by 3 classifiers × 2 k.
    expect(estimate(request)).toEqual({ runs: 11 * 24, scores: 12 * 24 * 6 });
    expect(requestOf(form, methods, null)).toBeNull();
    expect(requestOf({ ...form, classifiers: [] }, methods, 'X1')).toBeNull();
    expect(requestOf({ ...form, split: 'file' }, methods, 'X1')).toBeNull();
    expect(sourceOf({ ...form, source: 'dataset' }, 'X1')).toBeNull();
    expect(
      sourceOf({ ...form, source: 'dataset', path: '/a.csv', labels: 'last', labelCount: 6 }, null),
    ).toEqual({
      ...{
        kind: 'dataset',
        path: '/a.csv',
        labels: { kind: 'last', count: 6 },
        exclude: [],
        missing: 'refuse',
      },
    });
  });

  it('keeps what was said of labels for files of one format only', () => {
    expect(labelsFor('/a.CSV.gz', { path: null, labels: 'auto' })).toBe('last');
    expect(labelsFor('/a.arff', { path: null, labels: 'xml' })).toBe('xml');
    expect(labelsFor('/b.csv', { path: '/a.csv.gz', labels: 'first' })).toBe('first');
    expect(labelsFor('/b.parquet', { path: '/a.csv', labels: 'last' })).toBe('auto');
    expect(labelsFor('/b.csv', { path: '/a.arff', labels: 'xml' })).toBe('last');
  });

  it('reads lists of numbers', () => {
    expect(numbersOf('10, 30;50 30', { above: 0, atMost: 100 })).toEqual([10, 30, 50]);
    expect(numbersOf('0', { above: 0, atMost: 100 })).toBeNull();
    expect(numbersOf('1.5', { above: 0, atMost: 101, whole: true })).toBeNull();
    expect(numbersOf('x', { above: 0, atMost: 100 })).toBeNull();
    expect(numbersOf('', { above: 0, atMost: 100 })).toBeNull();
  });
});

describe('points', () => {
  it('form a Pareto front of what is smaller or better', () => {
    const at = (x: number, value: number) => ({ size: x, value });
    const points = [at(50, 0.6), at(10, 0.4), at(30, 0.4), at(30, 0.5), at(90, 0.6), at(10, 0.3)];
    expect(paretoFront(points, false)).toEqual([at(10, 0.4), at(30, 0.5), at(50, 0.6)]);
    expect(paretoFront(points, true)).toEqual([at(10, 0.3)]);
  });

  it('are means over splits of what the filter shows', () => {
    const filter = { metric: 'f1Samples', noise: 0, classifier: 'lpknn' as const, k: null };
    const points = pointsOf(reductions, filter, false);
    expect(points.map(({ value }) => value)).toEqual([0.55, 0.8, 0.7]);
    expect(points[0]?.deviation).toBeCloseTo(Math.sqrt(0.005), 12);
    expect(points.map(({ front }) => front)).toEqual([true, true, false]);
    expect(pointsOf(reductions, { ...filter, noise: 20 }, false)).toEqual([]);
    expect(pointsOf(reductions, { ...filter, classifier: null }, false)).toHaveLength(6);
  });

  it('are told apart by colour and by shape', () => {
    const look = pointLooks(['a', 'b'], ['x', 'y']);
    expect(look('a', 'x').variable).not.toBe(look('b', 'x').variable);
    expect(look('a', 'x').shape).not.toBe(look('a', 'y').shape);
    expect(look('a', 'y').variable).toBe(look('a', 'x').variable);
  });
});

describe('a comparison', () => {
  it('names the labels that differ most, and what became of labelsets', () => {
    expect(labelDifferences(['bass', 'drum'], [0.5, 0.4], [0.6, 0.1]).map(({ name }) => name)).toEqual([
      'drum',
      'bass',
    ]);
    expect(labelDifferences(['bass', 'drum'], [], [0.6, 0.1])).toEqual([]);
    const share = (name: string, rows: number, prototypes: number) => ({
      labelset: [name],
      rows,
      prototypes,
    });
    const a = [share('p', 5, 1), share('q', 3, 0), share('r', 2, 1), share('new', 0, 1)];
    const b = [share('p', 5, 2), share('q', 3, 0), share('r', 2, 0), share('s', 9, 1)];
    const fate = labelsetFate(a, b);
    const names = (sets: { labelset: string[] }[]) => sets.map(({ labelset }) => labelset[0]);
    expect(names(fate.both)).toEqual(['p']);
    expect(names(fate.onlyA)).toEqual(['r']);
    expect(names(fate.onlyB)).toEqual(['s']);
    expect(names(fate.neither)).toEqual(['q']);
    expect(names(fate.made)).toEqual(['new']);
  });
});

const set = (reductionId: string, change: Partial<RecommendedSet>): RecommendedSet => ({
  ...{ reductionId, name: reductionId, prototypes: 10, size: 10, chosenLoss: 0.01, value: 0.7, loss: 0.03 },
  ...{ lostLabels: [], labels: 2, within: true },
  ...change,
});
const recommendation: Recommendation = {
  ...{ whole: 0.73, independent: true, chosen: 'R2' },
  sets: [
    set('R1', { name: 'MChen p 10', within: false, chosenLoss: 0.5, lostLabels: ['bass', 'drum'] }),
    set('R2', { name: 'MChen p 50', size: 50, prototypes: 50, lostLabels: ['drum'] }),
    set('R3', { name: 'MRHC', size: 60, prototypes: 60 }),
  ],
};

describe('the Reduce view', () => {
  beforeEach(() => {
    localStorage.clear();
    plot.react.mockReset();
    plot.react.mockImplementation((element: HTMLElement & { on?: unknown }) => {
      element.on = () => undefined;
      return Promise.resolve(element);
    });
  });
  afterEach(() => {
    cleanup();
    vi.restoreAllMocks();
  });

  async function open(answers: ConstructorParameters<typeof FakeEngine>[0] = {}) {
    const engine = new FakeEngine({
      ...fullAnswers,
      'reductions.choices': () => choices,
      'reductions.studies': () => [study],
      'reductions.list': (input: { studyId: string }) => (input.studyId === 'S1' ? reductions : []),
      'reductions.prototypes': () => [
        { index: 0, labelset: ['bass', 'drum'], clusterSize: 3, nearest: [], sonification: null },
      ],
      'reductions.recommend': () => recommendation,
      'reductions.labelsets': () => [{ labelset: ['bass'], rows: 4, prototypes: 1 }],
      'projection.compute': () => [],
      ...answers,
    });
    const app = new App(fakeShell());
    render(Window, { app });
    await app.connected(engine);
    await app.openKnown('L1');
    app.view = 'reduce';
    await screen.findByTestId('study');
    return { app, engine };
  }
  const byId = (id: string): HTMLElement => screen.getByTestId(id);

  it('draws points, front and references, and lists the same in a table that sorts', async () => {
    await open();
    await waitFor(() => expect(byId('tradeoff-plot').dataset['points']).toBe('6'));
    await waitFor(() => expect(plot.react).toHaveBeenCalled());
    const drawn = plot.react.mock.lastCall?.[1] as { name: string; x: number[]; y: number[] }[];
    expect(drawn.find(({ name }) => name === 'Pareto front')?.x).toEqual([10, 50]);
    expect(drawn.filter(({ name }) => name.startsWith('whole training data'))).toHaveLength(2);
    await fireEvent.click(byId('sort-f1Samples'));
    const values = () =>
      screen.getAllByTestId('run-row').map((row) => row.querySelector('.main')?.textContent.trim());
    expect(values()[0]).toContain('0.2000');
    await fireEvent.click(byId('sort-f1Samples'));
    expect(values()[0]).toContain('0.8000');
  });

  it('recommends the smallest set that costs little, shows it, and warns of lost labels', async () => {
    const { engine } = await open();
    const found = await screen.findByTestId('recommended');
    expect(found.textContent.replace(/\s+/g, ' ')).toContain(
      'MChen p 50 keeps 50.0 % of the rows (50 prototypes) and loses 0.0300',
    );
    expect(byId('recommendation').textContent).toContain('None of its prototypes bears drum');
    expect(byId('recommend-mute').textContent).toContain('1 set lost every label');
    // Two labels of MChen p 10 and one of MChen p 50 are lost, for each of both classifiers a row.
    expect(screen.getAllByTestId('run-lost').map((mark) => mark.textContent)).toEqual(
      expect.arrayContaining(['2 labels lost', '1 label lost']),
    );
    await fireEvent.click(byId('recommend-show'));
    await screen.findByTestId('inspection');
    expect(byId('inspection').textContent).toContain('MChen p 50');
    await fireEvent.change(byId('recommend-allowed'), { target: { value: '0.1' } });
    await waitFor(() =>
      expect(engine.inputsOf('reductions.recommend').at(-1)).toMatchObject({ allowed: 0.1 }),
    );
    await fireEvent.click(byId('reduce-search'));
    expect(byId('reduce-estimate').textContent).toContain('runs');
  });

  it('says how far the nearest set is where none costs so little', async () => {
    const sets = [
      set('R3', { name: 'MRHC', size: 60, chosenLoss: 0.25, within: false }),
      set('R1', { chosenLoss: 0.4 }),
    ];
    await open({
      'reductions.recommend': () => ({ ...recommendation, chosen: null, independent: false, sets }),
    });
    const found = await screen.findByTestId('recommended');
    expect(found.textContent).toContain(
      'No set costs so little. MRHC comes nearest: it loses 0.2500 at 60.0 %',
    );
    expect(byId('recommendation').textContent).toContain('the figures flatter');
  });

  it('walks the points by keyboard, inspects with Enter and compares with C', async () => {
    const { engine } = await open();
    const plotted = byId('tradeoff-plot');
    await fireEvent.keyDown(plotted, { key: 'ArrowRight' });
    expect(byId('tradeoff-announcement').textContent).toContain('MChen p 10');
    await fireEvent.keyDown(plotted, { key: 'Enter' });
    await screen.findByTestId('inspection');
    await waitFor(() => expect(engine.inputsOf('reductions.prototypes')).toHaveLength(1));
    expect(within(byId('generated')).getAllByTestId('generated-row')).toHaveLength(1);
    await fireEvent.keyDown(plotted, { key: 'ArrowRight' });
    await fireEvent.keyDown(plotted, { key: 'c' });
    await screen.findByTestId('comparison');
    expect(byId('compare-prototypes').textContent).toMatch(/10.*(50|60)/);
    await waitFor(() => expect(byId('labelset-fate').textContent).toContain('kept by both'));
  });

  it('removes a reduction and brings it back', async () => {
    const { app, engine } = await open({ 'reductions.remove': () => null, 'reductions.restore': () => null });
    await fireEvent.click(screen.getAllByTestId('run-inspect')[0] as HTMLElement);
    await fireEvent.click(await screen.findByTestId('inspection-remove'));
    await waitFor(() =>
      expect(engine.inputsOf('reductions.remove')).toEqual([{ libraryId: 'L1', reductionId: 'R1' }]),
    );
    await waitFor(() => expect(sessionOf(app).history.past).toHaveLength(1));
    await sessionOf(app).history.undo();
    expect(engine.inputsOf('reductions.restore')).toEqual([{ libraryId: 'L1', reductionId: 'R1' }]);
  });

  it('starts what the form says, shows the error beside it, and can be cancelled', async () => {
    const { engine, app } = await open({
      'reductions.study': () =>
        Promise.reject(new EngineError('reduction', 'Too few tracks.', 'Label more tracks.')),
      'jobs.cancel': () => null,
    });
    expect(byId('reduce-estimate').textContent).toContain('11 reduction runs');
    await fireEvent.click(byId('method-MRSP2'));
    expect(byId('reduce-estimate').textContent).toContain('6 reduction runs');
    await fireEvent.click(byId('reduce-noise'));
    expect(byId('reduce-estimate').textContent).toContain('18 reduction runs');
    await fireEvent.click(byId('reduce-start'));
    await screen.findByText('Label more tracks.');
    const asked = engine.inputsOf('reductions.study')[0] as { request: StudyRequest };
    expect(asked.request.noise).toEqual([0, 20, 40]);
    expect(asked.request.runs.map(({ method }) => method)).not.toContain('MRSP2');
    app.handle({ type: 'job', job: job({ id: 'J7', kind: 'study', state: 'running' }) });
    await fireEvent.click(await screen.findByTestId('reduce-cancel'));
    expect(engine.inputsOf('jobs.cancel')).toEqual([{ jobId: 'J7' }]);
  });

  it('says how to go on where there is nothing', async () => {
    const engine = new FakeEngine({ ...fullAnswers, 'taxonomies.list': () => [] });
    const app = new App(fakeShell());
    render(Window, { app });
    await app.connected(engine);
    await app.openKnown('L1');
    app.view = 'reduce';
    await screen.findByText('Which labels shall be kept?');
    expect(byId('reduce-estimate').textContent).toContain('taxonomy');
    await fireEvent.click(byId('reduce-source-dataset'));
    await screen.findByText('Which data set shall be reduced?');
    expect((byId('reduce-start') as HTMLButtonElement).disabled).toBe(true);
  });
});
