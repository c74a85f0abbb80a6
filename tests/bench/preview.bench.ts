import { PrototypeNetwork } from '../../models/pecmae/network.ts';
import { Random } from '../../models/numerics/random.ts';
import type { Experiment } from '../../engine/api/experiments.ts';
import type { PrototypeEdit } from '../../engine/api/prototypes.ts';
import type { Library } from '../../engine/library/library.ts';
import { LibraryVectors } from '../../engine/library/vectors.ts';
import { previewEdit } from '../../engine/prototypes/preview.ts';
import { experiment as example, space } from '../renderer/fake.ts';
import { machine, median, spentOn } from './meter.ts';

/** ARCHETONE_BENCH_PREVIEW: tracks, windows each, classes, prototypes per class, components. */
const [tracks = 0, windows = 0, classes = 0, perClass = 0, dim = 0] = (
  process.env['ARCHETONE_BENCH_PREVIEW'] ?? '10000,10,20,5,256'
)
  .split(',')
  .map(Number);
const rounds = 7;
const random = new Random(1);
const names = Array.from({ length: classes }, (_, c) => `class ${c}`);
const K = classes * perClass;
const count = tracks * windows;

const network = new PrototypeNetwork({
  ...{ classes: names, embeddingDim: dim, prototypesPerClass: perClass, task: 'single', temperature: 0.1 },
  normalisation: { mean: 0, scale: 1 },
  prototypes: random.normals(K * dim),
  weights: random.normals(classes * K),
  bias: random.normals(classes),
});
const bytes = network.toBytes();
const trackIds = Array.from({ length: tracks }, (_, t) => `t${t}`);
const vectors = new LibraryVectors({
  ...{ space, dim, count, trackIds, contentHashes: trackIds },
  vectors: random.normals(count * dim),
  trackOf: Int32Array.from({ length: count }, (_, row) => Math.floor(row / windows)),
  windowIndex: Int32Array.from({ length: count }, (_, row) => row % windows),
  startSeconds: new Float32Array(count),
  durationSeconds: new Float32Array(count),
});
const experiment: Experiment = { ...example, classes: names, thresholds: null };
const split = trackIds.map((id, t) => ({
  ...{ id, labels: [t % classes] },
  split: t % 5 === 0 ? ('test' as const) : ('train' as const),
}));
// What the preview reads of a library, and nothing else.
const library = {
  experiments: {
    get: () => experiment,
    anyNetwork: () => PrototypeNetwork.fromBytes(bytes),
    tracksOf: () => split,
  },
  embeddings: {
    madeIn: () => vectors,
    ofTrack: (id: string) => {
      const at = Number(id.slice(1)) * windows;
      const some = vectors.windows.vectors.subarray(at * dim, (at + windows) * dim);
      return {
        ...vectors.windows,
        count: windows,
        vectors: some,
        windowIndex: Int32Array.from({ length: windows }, (_, w) => w),
      };
    },
  },
  tracks: { nameOf: (id: string) => ({ title: id, path: id }) },
} as unknown as Library;

export async function run(): Promise<void> {
  const signal = new AbortController().signal;
  const preview = (edit: PrototypeEdit) => previewEdit(library, { experimentId: 'E1', edit }, signal);

  console.log(
    `${machine()}\n${tracks} tracks of ${windows} windows, ${K} prototypes of ${dim}, ${classes} classes`,
  );
  const first = await spentOn(() => preview({ kind: 'rename', index: 0, name: 'x' }));
  console.log(`first preview of a revision (all prototypes compared): ${first.cpu.toFixed(0)} ms CPU`);
  let at = 0;
  const edits: Record<string, () => PrototypeEdit> = {
    'add a window': () => ({
      kind: 'add',
      class: 'class 0',
      vector: { kind: 'window', trackId: `t${at++}`, windowIndex: 0 },
    }),
    move: () => ({ kind: 'move', index: 3, vector: { kind: 'window', trackId: `t${at++}`, windowIndex: 0 } }),
    remove: () => ({ kind: 'remove', index: at++ % K }),
    merge: () => ({ kind: 'merge', indices: [0, 1] }),
    weight: () => ({ kind: 'weight', index: 1, class: 'class 1', value: at++ }),
  };
  for (const [name, make] of Object.entries(edits)) {
    const [cpu, wall]: [number[], number[]] = [[], []];
    for (let round = 0; round < rounds; round++) {
      const spent = await spentOn(() => preview(make()));
      cpu.push(spent.cpu);
      wall.push(spent.wall);
    }
    console.log(`${name}: ${median(cpu).toFixed(0)} ms CPU, ${median(wall).toFixed(0)} ms`);
  }
}
