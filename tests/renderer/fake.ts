import type { ModulationMapInfo } from '../../engine/api/modulation.ts';
import type { EngineClient, Method } from '../../engine/api/contract.ts';
import type { EngineEvent } from '../../engine/api/app.ts';
import type { Experiment } from '../../engine/api/experiments.ts';
import type { Job } from '../../engine/api/jobs.ts';
import type { LibrarySummary } from '../../engine/api/libraries.ts';
import type { PackInfo } from '../../engine/api/packs.ts';
import type { PrototypeInfo } from '../../engine/api/prototypes.ts';
import type { Sonification } from '../../engine/api/sonify.ts';
import type { SpaceInfo } from '../../engine/api/spaces.ts';
import type { Taxonomy } from '../../engine/api/taxonomies.ts';
import type { TrackDetail, TrackRow } from '../../engine/api/tracks.ts';
import { EngineError } from '../../engine/api/errors.ts';
import { defaultPreferences } from '../../engine/api/preferences.ts';
import type { ShellApi } from '../../engine/api/shell.ts';
import type { LibrarySession } from '../../renderer/src/session/library-session.svelte.ts';
import type { App } from '../../renderer/src/shell/app.svelte.ts';

type Answer = (input: never) => unknown;

/** An engine for tests of the window: answers are set per method, calls are kept, events are pushed by hand. */
export class FakeEngine implements EngineClient {
  readonly calls: { method: Method; input: unknown }[] = [];
  #push: (event: EngineEvent) => void = () => undefined;

  constructor(private readonly answers: Partial<Record<Method, Answer>>) {}

  call(method: Method, input: unknown): Promise<never> {
    this.calls.push({ method, input });
    const answer = this.answers[method];
    if (!answer) return Promise.reject(new EngineError('internal', `no answer for ${method}`));
    return Promise.resolve()
      .then(() => answer(input as never))
      .then((value) => value as never);
  }

  async *stream(method: Method, input: unknown): AsyncGenerator<never> {
    this.calls.push({ method, input });
    if (method !== 'events') {
      for (const value of (this.answers[method]?.(input as never) ?? []) as unknown[]) yield value as never;
      return;
    }
    const queue: EngineEvent[] = [];
    let wake: () => void = () => undefined;
    this.#push = (event) => {
      queue.push(event);
      wake();
    };
    for (;;) {
      while (queue.length > 0) yield queue.shift() as never;
      await new Promise<void>((resolve) => (wake = resolve));
    }
  }

  emit(event: EngineEvent): void {
    this.#push(event);
  }

  inputsOf(method: Method): unknown[] {
    return this.calls.filter((call) => call.method === method).map((call) => call.input);
  }
}

export function fakeShell(changes: Partial<ShellApi> = {}): ShellApi {
  return {
    platform: 'linux',
    versions: { electron: '45.0.0', chromium: '150.0.0.0', node: '24.0.0' },
    chooseFolder: () => Promise.resolve(null),
    chooseFile: () => Promise.resolve(null),
    chooseAudio: () => Promise.resolve([]),
    reveal: () => Promise.resolve(),
    startDrag: () => Promise.resolve(),
    pathOf: () => Promise.resolve(''),
    allowRecording: () => Promise.resolve('allowed'),
    setTheme: () => Promise.resolve(),
    setTextSize: () => Promise.resolve(),
    setMenu: () => Promise.resolve(),
    onMenuCommand: () => () => undefined,
    onOpen: () => () => undefined,
    ...changes,
  };
}

/** The session of the library that the test has opened. */
export function sessionOf(app: App): LibrarySession {
  if (!app.session) throw new Error('no library is open');
  return app.session;
}

export const space: SpaceInfo = {
  key: 'S',
  packId: 'compact',
  packSha256: 'x',
  encoderSha256: 'e',
  windows: 'all',
  deformation: null,
};

export const library: LibrarySummary = {
  id: 'L1',
  name: 'Demo library',
  folders: ['/music'],
  dataFolder: '/data/L1',
  packId: 'compact',
  windows: 'all',
  space,
  tracks: { total: 3, ready: 2, failed: 1, pending: 0, missing: 0 },
  windowCount: 5,
  durationSeconds: 20,
  isDemo: true,
  createdAt: '2026-01-01T00:00:00Z',
  openedAt: '2026-01-02T00:00:00Z',
  problem: null,
};

/** What only a prediction of several labels has. */
export const one = { second: null, labels: null, missing: [], extra: [] };

export function trackRow(index: number, changes: Partial<TrackRow> = {}): TrackRow {
  return {
    id: `t${String(index)}`,
    path: `drums/track-${String(index)}.wav`,
    title: `Track ${String(index)}`,
    artist: null,
    album: null,
    genre: [],
    year: null,
    format: 'wav',
    durationSeconds: 8,
    windowCount: 2,
    state: 'ready',
    problem: null,
    note: null,
    notes: '',
    leftOut: false,
    labels: ['drum'],
    prediction: { class: 'drum', probability: 0.9, correct: true, split: 'test', ...one },
    tags: {},
    ...changes,
  };
}

export const rows: TrackRow[] = [
  trackRow(0),
  trackRow(1, { prediction: { class: 'bass', probability: 0.6, correct: false, split: 'test', ...one } }),
  trackRow(2, {
    state: 'failed',
    labels: [],
    prediction: null,
    problem: { code: 'audio', message: 'Not an audio file.', hint: 'Remove the file.' },
  }),
];

export const trackDetail = (trackId: string): TrackDetail => ({
  ...(rows.find((row) => row.id === trackId) ?? trackRow(0)),
  absolutePath: '/music/x.wav',
  contentHash: 'abc',
  sampleRate: 44_100,
  channels: 1,
  bytes: 1000,
  year: null,
  bpm: null,
  musicalKey: null,
  comment: null,
  coverUrl: null,
  duplicates: [],
  windows: [
    { index: 0, startSeconds: 0, durationSeconds: 4 },
    { index: 1, startSeconds: 4, durationSeconds: 4 },
  ],
  computedBy: { provider: 'cpu', runtime: 'onnxruntime 1.30.0', processor: 'A processor' },
});

export const taxonomy: Taxonomy = {
  id: 'X1',
  name: 'File-name tokens',
  source: { kind: 'tokens' },
  labels: [
    { name: 'drum', tracks: 2 },
    { name: 'bass', tracks: 1 },
  ],
  multilabel: false,
  labelledTracks: 2,
  unmatched: 0,
  unmatchedRows: [],
};

export const experiment: Experiment = {
  id: 'E1',
  name: 'First',
  taxonomyId: 'X1',
  taxonomyName: 'File-name tokens',
  space,
  parameters: {
    taxonomyId: 'X1',
    task: 'single',
    prototypesPerClass: 2,
    steps: 100,
    batchSize: 256,
    learningRate: 0.01,
    lambda: 0.25,
    prototypeLoss: 'class',
    coverage: 0.5,
    channelWeights: 'none',
    temperature: 0.1,
    adaptor: 'none',
    initialisation: 'kmeans',
    projection: 'none',
    seed: 1,
    split: { train: 0.7, validation: 0.1, test: 0.2 },
    groupBy: 'track',
    minimumTracks: 1,
    classes: null,
    others: 'leave-out',
    views: null,
  },
  views: null,
  classes: ['bass', 'drum'],
  droppedClasses: [],
  counts: {
    train: { tracks: 5, windows: 10 },
    validation: { tracks: 1, windows: 2 },
    test: { tracks: 2, windows: 4 },
  },
  thresholds: null,
  metrics: [
    {
      split: 'test',
      tracks: 2,
      accuracy: 0.5,
      balancedAccuracy: 0.5,
      macroF1: 0.4,
      microF1: null,
      samplesF1: null,
      majorityBaseline: 0.25,
      perClass: [{ class: 'drum', precision: 1, recall: 0.5, f1: 0.667, support: 2 }],
      confusion: [
        [0, 0],
        [1, 1],
      ],
      hammingLoss: null,
    },
  ],
  curve: [],
  revision: 1,
  notes: '',
  pinned: false,
  createdAt: '2026-01-03T00:00:00Z',
  seconds: 2,
};

export const prototype = (index: number, className: string): PrototypeInfo => ({
  index,
  view: null,
  class: className,
  name: '',
  twin: null,
  frozen: false,
  support: 4,
  purity: 1,
  weight: className === 'bass' ? 0.2 : 0.9,
  weights: [
    { class: 1, weight: 0.9 },
    { class: 0, weight: 0.2 },
  ],
  nearest: [
    {
      trackId: 't1',
      windowIndex: 1,
      startSeconds: 4,
      distance: 0.5,
      title: 'Track 1',
      path: 'drums/track-1.wav',
    },
  ],
  sonification: null,
});

export const sonification = (id: string): Sonification => ({
  id,
  url: `archetone://audio/${id}`,
  seed: 1,
  steps: 20,
  guidance: 2,
  from: { origin: 'noise' },
  durationSeconds: 4,
  rmsDbfs: -20,
  gainDb: 0,
  cycleCosine: 0.9,
});

export function job(changes: Partial<Job> = {}): Job {
  return {
    id: 'J1',
    kind: 'import',
    title: 'Import “Demo library”',
    lane: 'import',
    libraryId: 'L1',
    libraryName: 'Demo library',
    state: 'running',
    waitingFor: null,
    progress: {
      done: 1,
      total: 4,
      unit: 'files',
      current: 'drums/a.wav',
      windows: 3,
      failures: 0,
      audioSecondsPerSecond: 20,
      etaSeconds: 5,
    },
    error: null,
    result: null,
    createdAt: '2026-01-01T00:00:00Z',
    startedAt: '2026-01-01T00:00:00Z',
    finishedAt: null,
    ...changes,
  };
}

export const pack: PackInfo = {
  id: 'compact',
  version: '1',
  title: 'Compact',
  kind: 'generative',
  licence: 'Apache-2.0',
  nonCommercial: false,
  tags: [],
  heads: [],
  attribution: 'a',
  folder: '/packs/compact',
  sha256: 'x',
  bytes: 1,
  sampleRate: 24_000,
  windowSeconds: 4,
  embeddingDim: 256,
  sampler: { steps: 20, guidance: 2 },
  trainingStatement: 's',
  quality: [],
  embedded: true,
  learned: false,
  soundless: null,
  sources: [],
};

/** Answers of an engine with one library that is imported, labelled and classified. */
/** A map with one modulation: 8 Hz in every band. */
export const modulationMap = (depth: number): ModulationMapInfo => ({
  carriersHz: Array.from({ length: 40 }, (_, band) => 100 * (band + 1)),
  ratesHz: [0.5, 1, 2, 4, 8, 16, 32, 64],
  depth: Array.from({ length: 320 }, (_, i) => (i % 8 === 4 ? depth : 0)),
  levels: Array.from({ length: 40 }, (_, band) => (band === 9 ? 0 : -20)),
  slowest: 1,
  seconds: 2,
});

export const fullAnswers: Partial<Record<Method, Answer>> = {
  'app.info': () => ({
    version: '1',
    platform: 'test',
    runtime: 'onnxruntime 1.0.0',
    processor: 'A processor',
    cores: 4,
    dataFolder: '/data',
    ffmpeg: false,
    provider: 'cpu',
    safeStart: false,
    confinement: null,
    notices: [],
  }),
  'preferences.get': () => defaultPreferences,
  'preferences.change': ({ change }: { change: object }) => ({ ...defaultPreferences, ...change }),
  'caches.list': () => [],
  'queue.get': () => null,
  'caches.place': () => ({ folder: null }),
  'libraries.list': () => [library],
  'libraries.get': () => library,
  'evaluations.list': () => [],
  'libraries.spaces': () => [{ ...space, tracks: 3 }],
  'libraries.openDemo': () => library,
  'libraries.open': () => library,
  'import.start': () => ({ jobId: 'J1' }),
  'jobs.list': () => [],
  'packs.hub': () => [],
  'tracks.groups': () => ({ tracks: 3, artist: { tracks: 0, groups: 0 }, album: { tracks: 0, groups: 0 } }),
  'packs.list': () => [pack],
  'packs.trainingData': () => null,
  'providers.list': () => [],
  'taxonomies.list': () => [taxonomy],
  'experiments.list': () => [experiment],
  'recordings.list': () => [],
  'reductions.choices': () => ({ methods: [], classifiers: [], metrics: [] }),
  'reductions.studies': () => [],
  'reductions.list': () => [],
  'reductions.corpus': () => ({
    source: { kind: 'library', taxonomyId: 'X1', level: 'track' },
    name: 'File-name tokens',
    rows: 2,
    dim: 8,
    labels: [
      { name: 'bass', rows: 1, imbalance: 1 },
      { name: 'drum', rows: 1, imbalance: 1 },
    ],
    meanImbalance: 1,
    cardinality: 1,
    density: 0.5,
    oneLabel: true,
    labelsets: 2,
    singleLabelsets: 2,
    unlabelled: 0,
    duplicates: 0,
    conflicting: 0,
    silent: null,
    warnings: [],
  }),
  'tracks.list': () => ({ total: rows.length, tracks: rows }),
  'tracks.prepareSearch': () => null,
  'tracks.get': (input: { trackId: string }) => trackDetail(input.trackId),
  'tracks.audioUrl': (input: { trackId: string }) => ({ url: `archetone://audio/${input.trackId}` }),
  'tracks.covers': () => [],
  'tracks.peaks': () => ({ values: Float32Array.of(-0.5, 0.5, -1, 1), perSecond: 1, durationSeconds: 8 }),
  'classify.audioUrl': ({ path }: { path: string }) => ({ url: `archetone://audio/file${path}` }),
  'classify.windows': () => ({
    startSeconds: [0, 4],
    durationSeconds: 4,
    classes: ['bass', 'drum'],
    prediction: [1, 0],
    probabilities: Float32Array.of(0.1, 0.9, 0.7, 0.3),
  }),
  'sonify.background': () => ({ jobId: null }),
  'sonify.picture': () => ({ bands: 1, frames: 1, durationSeconds: 1, levels: Float32Array.of(1) }),
  'prototypes.list': () => [prototype(0, 'bass'), prototype(1, 'drum')],
  'prototypes.prepare': () => null,
  'prototypes.weights': () => [0.2, 0.9],
  'prototypes.classMap': ({ class: name }: { class: string }) => ({
    ...{ class: name, rivals: [name === 'drum' ? 'bass' : 'drum'], coverage: 0.9 },
    points: [
      { kind: 'prototype', index: 0, class: name, x: 0, y: 0 },
      { kind: 'window', trackId: 't1', windowIndex: 0, startSeconds: 0, class: name, x: 1, y: 1 },
    ],
  }),
  'prototypes.log': () => ({
    revisions: [
      {
        revision: 1,
        change: 'trained',
        name: '',
        accuracy: 0.9,
        balancedAccuracy: 0.8,
        createdAt: experiment.createdAt,
      },
    ],
    ...{ current: 1, undo: null, redo: null },
  }),
  'sets.list': () => [],
  'playlists.list': () => [],
  'melodies.list': () => [],
  'melodies.learning': () => null,
  'modulation.map': () => modulationMap(0.5),
  'similarity.list': () => [],
  'modalities.list': () => [],
  'similarity.readiness': () => ({ playlists: 0, tracks: 0, artists: 0, problem: null }),
  'neighbours.similar': ({ queries }: { queries: { of: { kind: string } }[] }) => ({
    names: queries.map(({ of }) => `a ${of.kind}`),
    sounds: [0, 1].map((i) => ({
      track: trackRow(i),
      ...{ windowIndex: 0, startSeconds: 0, distance: i + 0.5, similarity: 0.9 - i / 10 },
    })),
    compared: 3,
    copies: 0,
  }),
  'neighbours.query': () => [
    {
      trackId: 't0',
      windowIndex: 0,
      startSeconds: 0,
      distance: 0,
      title: 'Track 0',
      path: 'drums/track-0.wav',
    },
    {
      trackId: 't1',
      windowIndex: 0,
      startSeconds: 0,
      distance: 1.25,
      title: 'Track 1',
      path: 'drums/track-1.wav',
    },
  ],
  'explain.track': (input: { class: string | null; windowIndex: number | null }) => ({
    trackId: 't0',
    experimentId: 'E1',
    class: input.class ?? 'drum',
    windowIndex: input.windowIndex,
    bias: 0.1,
    logit: 0.65,
    probability: 0.8,
    contributions: [
      { prototype: 1, prototypeClass: 'drum', similarity: 0.75, weight: 0.8, contribution: 0.6 },
      { prototype: 0, prototypeClass: 'bass', similarity: 0.5, weight: -0.1, contribution: -0.05 },
    ],
    scores: [
      { class: 'drum', logit: 0.65, probability: 0.8 },
      { class: 'bass', logit: 0.1, probability: 0.2 },
    ],
  }),
};
