/**
 * Runs in the window: an engine of one library that is as large as the design allows (100,000 tracks, 200 classes,
 * 1,000 prototypes), so that views are opened at that size in the real application. What it answers is made up; how the
 * window copes with it is real.
 */
import { contract, type Handlers, type Method } from '../../../engine/api/contract.ts';
import type { EngineEvent } from '../../../engine/api/app.ts';
import { type MistakesReport, type MistakeTab, mistakeTabs } from '../../../engine/api/mistakes.ts';
import type { ColumnName } from '../../../engine/api/projection.ts';
import { enginePortMessage } from '../../../engine/api/shell.ts';
import { serve } from '../../../engine/wire/index.ts';
import { messagePort } from '../../../engine/wire/transports/message-port.ts';
import {
  FakeEngine,
  experiment,
  fullAnswers,
  job,
  library,
  one,
  pack,
  prototype,
  space,
  taxonomy,
  trackDetail,
  trackRow,
} from '../../renderer/fake.ts';

const classCount = 200;
const perClass = 5;
const trackCount = 100_000;

const classes = Array.from(
  { length: classCount },
  (_, c) => `${['warm', 'dry', 'long', 'soft'][c % 4] ?? ''} class ${String(c + 1)}`,
);
/** Reproducible noise in 0…1. */
const noise = (n: number): number => Math.abs(Math.sin(n * 12.9898) * 43_758.5453) % 1;

function row(index: number) {
  const truth = index % classCount;
  const right = noise(index) < 0.7;
  const predicted = right ? truth : (truth + 1 + Math.floor(noise(index + 0.5) * 9)) % classCount;
  return trackRow(index, {
    path: `folder ${String(truth)}/track ${String(index)}.wav`,
    labels: [classes[truth] ?? ''],
    artist: `Artist ${String(index % 977)}`,
    durationSeconds: 0.2 + noise(index) * 300,
    prediction: {
      class: classes[predicted] ?? '',
      probability: 0.2 + 0.8 * noise(index + 0.25),
      correct: index % 50 === 0 ? null : right,
      split: 'test',
      ...one,
    },
  });
}

const confusion = Array.from({ length: classCount }, (_, r) =>
  Array.from({ length: classCount }, (_, c) =>
    r === c ? 40 : noise(r * classCount + c) < 0.06 ? 1 + Math.floor(noise(r + c) * 9) : 0,
  ),
);

const large = {
  ...experiment,
  name: 'Two hundred classes',
  classes,
  parameters: { ...experiment.parameters, prototypesPerClass: perClass, steps: 1200 },
  metrics: experiment.metrics.map((metrics) => ({
    ...metrics,
    tracks: 20_000,
    accuracy: 0.7,
    confusion,
    perClass: classes.map((name, c) => ({
      class: name,
      precision: noise(c),
      recall: noise(c + 0.1),
      f1: noise(c + 0.2),
      support: 100,
    })),
  })),
  curve: Array.from({ length: 60 }, (_, i) => ({
    step: i * 20,
    loss: 6 * Math.exp(-i / 10) + 0.3,
    classLoss: 5 * Math.exp(-i / 12) + 0.2,
    prototypeLoss: Math.exp(-i / 20) + 0.1,
    trainAccuracy: 1 - Math.exp(-i / 12),
    trainMicroF1: null,
    validationLoss: 5 * Math.exp(-i / 9) + 0.3 + i / 60,
    validationAccuracy: 0.8 - 0.75 * Math.exp(-i / 10),
    validationMicroF1: null,
    kept: null,
  })),
};

const trackIds = Array.from({ length: trackCount }, (_, i) => `t${String(i)}`);

const projection = () => {
  const spread = (shift: number) =>
    Float32Array.from(trackIds, (_, i) => {
      const c = i % classCount;
      return Math.sin(c * (3 + shift)) * 20 + (noise(i + shift) - 0.5) * 4;
    });
  return {
    method: 'pca' as const,
    level: 'track' as const,
    x: spread(0.1),
    y: spread(0.7),
    points: {
      kind: 'track' as const,
      count: trackCount,
      trackIds,
      trackOf: new Int32Array(),
      windowIndex: new Int32Array(),
    },
    prototypes: 0,
    prototypeClasses: [],
    trust: 0.8,
    explained: [0.3, 0.2] as [number, number],
  };
};

const fake = new FakeEngine({
  ...fullAnswers,
  'libraries.list': () => [summary],
  'libraries.get': () => summary,
  'libraries.open': () => summary,
  'packs.list': () => [pack],
  'packs.trainingData': () => null,
  'taxonomies.list': () => [
    {
      ...taxonomy,
      labels: classes.map((name) => ({ name, tracks: trackCount / classCount })),
      labelledTracks: trackCount,
    },
  ],
  'experiments.list': () => [
    large,
    {
      ...large,
      id: 'E2',
      name: 'Thirteen classes',
      classes: classes.slice(0, 13),
      createdAt: '2026-01-01T00:00:00Z',
    },
  ],
  'mistakes.report': (): MistakesReport => ({
    ...{ id: 'M1', taxonomyId: taxonomy.id, space, task: 'single', folds: 5, askedFolds: 5 },
    ...{ groupBy: 'artist', seed: 1 },
    ...{ createdAt: '2026-01-01T00:00:00Z', seconds: 60, tracks: trackCount, classes: classCount },
    ...{ accuracy: 0.7, previousAccuracy: 0.6, leftOutClasses: [], problem: null, decisions: 1, stale: true },
    history: [0.6, 0.7].map((accuracy) => ({
      createdAt: '2026-01-01T00:00:00Z',
      tracks: trackCount,
      accuracy,
    })),
    counts: Object.fromEntries(
      mistakeTabs.map((tab) => [tab, { total: 1000, left: 1000 }]),
    ) as MistakesReport['counts'],
  }),
  'mistakes.list': ({ tab, limit = 200 }: { tab: MistakeTab; limit?: number }) => ({
    total: 1000,
    mistakes: Array.from({ length: limit }, (_, i) => ({
      ...{ id: `m${String(i)}`, tab, track: row(i), given: classes[i % 13], suggested: classes[i % 7] },
      ...{ margin: i / 1000 - 1, confidence: 0.1, fold: 0, nearestGiven: 't1', nearestSuggested: 't2' },
      neighbours: Array.from({ length: 10 }, (_, n) => ({
        ...{ trackId: `t${String(n)}`, labels: [classes[n] ?? ''], agrees: n === 0 },
      })),
      ...{ others: [], queued: false, reason: '9 of the 10 nearest tracks bear another label.' },
    })),
  }),
  'prototypes.list': ({ experimentId }: { experimentId: string }) =>
    Array.from({ length: (experimentId === 'E2' ? 13 : classCount) * perClass }, (_, i) => ({
      ...prototype(i, classes[Math.floor(i / perClass)] ?? ''),
      weights: Array.from(
        { length: experimentId === 'E2' ? 13 : classCount },
        (_, c) => noise(i * 31 + c) - 0.4,
      ),
    })),
  'tracks.list': ({ offset = 0, limit = 200 }: { offset?: number; limit?: number }) => ({
    total: trackCount,
    tracks: Array.from({ length: Math.max(0, Math.min(limit, trackCount - offset)) }, (_, i) =>
      row(offset + i),
    ),
  }),
  'tracks.covers': () => [],
  'modalities.readiness': () => ({
    ...{ classes: classCount, tracks: trackCount, groups: 900, covers: 1, problem: null },
    withoutCover: { tracks: 1, examples: [{ path: 'folder 1/track 1.wav', reason: null }] },
  }),
  'tracks.get': ({ trackId }: { trackId: string }) => ({
    ...trackDetail(trackId),
    ...row(Number(trackId.slice(1))),
  }),
  'explain.track': ({ class: name }: { class: string | null }) => {
    const contributions = Array.from({ length: classCount * perClass }, (_, i) => {
      const weight = (noise(i) - 0.4) / 10;
      return {
        prototype: i,
        prototypeClass: classes[Math.floor(i / perClass)] ?? '',
        similarity: noise(i + 0.5),
        weight,
        contribution: weight * noise(i + 0.5),
      };
    });
    return {
      trackId: 't0',
      experimentId: 'E1',
      class: name ?? classes[0],
      windowIndex: null,
      bias: 0.1,
      logit: 0.1 + contributions.reduce((sum, item) => sum + item.contribution, 0),
      probability: 0.8,
      contributions,
      scores: classes.map((c, i) => ({ class: c, logit: -i, probability: 1 / (i + 2) })),
    };
  },
  'projection.compute': () => [{ type: 'result', projection: projection() }],
  'projection.column': ({ column }: { column: ColumnName }) =>
    column === 'length'
      ? { kind: 'numbers', trackIds, values: Float32Array.from(trackIds, (_, i) => 0.2 + noise(i) * 300) }
      : {
          kind: 'names',
          trackIds,
          names: classes,
          first: Int32Array.from(trackIds, (_, i) => i % classCount),
          second: null,
        },
  'neighbours.query': () =>
    Array.from({ length: 10 }, (_, i) => ({
      ...{ trackId: `t${String(i * classCount)}`, title: 'near', path: 'near.wav' },
      ...{ windowIndex: 0, startSeconds: 0, distance: i },
    })),
  'neighbours.similar': ({ queries, k }: { queries: unknown[]; k: number }) => ({
    names: queries.map((_, i) => `query ${String(i + 1)}`),
    sounds: Array.from({ length: k }, (_, i) => ({
      track: row(i * 7),
      ...{ windowIndex: 0, startSeconds: 0, distance: i / 10, similarity: 1 - i / 1000 },
    })),
    compared: trackCount,
    copies: 2,
  }),
  'recordings.list': () =>
    [1, 2].map((n) => ({
      ...{ id: `recording-${String(n)}`, path: `/data/recordings/recording-${String(n)}.wav` },
      ...{ durationSeconds: 3 * n, bytes: 288_044 * n, recordedAt: `2026-11-2${String(n)}T12:00:00Z` },
    })),
  'sonify.start': () => ({ jobId: 'J9' }),
  'sonify.background': () => ({ jobId: null }),
  'sonify.picture': () => ({
    ...{ bands: 48, frames: 100, durationSeconds: 2 },
    levels: Float32Array.from({ length: 4800 }, (_, i) => noise(i)),
  }),
  'jobs.get': () => job({ id: 'J9', kind: 'sonify', title: 'Sonify 1,000 prototypes' }),
});

const summary = {
  ...library,
  name: 'A large library',
  tracks: { total: trackCount, ready: trackCount, failed: 0, pending: 0, missing: 0 },
  windowCount: trackCount * 20,
  durationSeconds: trackCount * 150,
};

const handlers = new Proxy({} as Handlers, {
  get: (_, method: Method) => (input: unknown) =>
    contract[method].kind === 'query' ? fake.call(method, input) : fake.stream(method, input),
});

const channel = new MessageChannel();
serve(messagePort(channel.port1), contract, handlers);
window.postMessage(enginePortMessage, '*', [channel.port2]);
Object.assign(window, {
  /** Tells the window of something that happened in the engine. */
  largeEngine: { emit: (event: EngineEvent) => fake.emit(event), job },
});
