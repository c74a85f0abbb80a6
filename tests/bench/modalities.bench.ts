/**
 * What the shared classifier tells on made-up vectors, by the settings that the application learns with: recordings and covers of an
 * artist come of one hidden vector, through unlike random maps with noise. First the evaluation that the application makes, where
 * covers belong to the sound and where they do not; then sound – cover of artists that nothing was learned from, against classifiers
 * of its own for each modality, which nothing ties together. No setting was chosen on these seeds.
 */
import { assessShared, type TrialFigures } from '../../models/modalities/assess.ts';
import { equalErrorRate, risingOrder } from '../../models/modalities/eer.ts';
import type { SharedData } from '../../models/modalities/kinds.ts';
import { defaultSharedSettings, learnShared } from '../../models/modalities/learn.ts';
import { cosine, place, type SharedModel } from '../../models/modalities/projection.ts';
import { chooseSteps } from '../../models/modalities/stop.ts';
import { toyData } from '../models/modalities/toy.ts';

const { signal } = new AbortController();
const settings = defaultSharedSettings;
const ASSESSED = [11, 12, 13];
const COMPARED = [11, 12, 13, 14, 15];
const STOPPED = [31, 32, 33];

export async function run(): Promise<void> {
  const { dim, kept, steps, batch } = settings;
  console.log(
    `${String(dim)} numbers, ${String(kept)} directions, ${String(steps)} steps of ${String(batch)}\n`,
  );
  await assessed();
  await compared();
  await stopped();
}

/** Mean of some seeds, with the lowest and the highest of them. */
function over(values: readonly number[]): string {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return `${mean.toFixed(3)} (${Math.min(...values).toFixed(3)}–${Math.max(...values).toFixed(3)})`;
}

async function assessed(): Promise<void> {
  console.log('| data | pairs | EER | control | AUC | tells |');
  console.log('| --- | --- | --- | --- | --- | --- |');
  for (const [name, tied] of [
    ['covers belong to the sound', true],
    ['covers of their own', false],
  ] as const) {
    const runs: TrialFigures[][] = [];
    for (const seed of ASSESSED) {
      const data = toyData({ artists: 40, tracks: 2, tied, seed });
      runs.push((await assessShared(data, { ...settings, seed }, { signal })).trials);
    }
    for (const { a, b } of runs[0] ?? []) {
      const own = runs.flatMap((trials) => trials.filter((trial) => trial.a === a && trial.b === b));
      const cells = [
        name,
        `${a} – ${b}`,
        over(own.map(({ eer }) => eer.value)),
        over(own.map(({ control }) => control.value)),
        over(own.map(({ auc }) => auc)),
        `${String(own.filter(({ usable }) => usable).length)} of ${String(own.length)}`,
      ];
      console.log(`| ${cells.join(' | ')} |`);
    }
  }
}

async function compared(): Promise<void> {
  const found = { shared: [] as number[], separate: [] as number[] };
  for (const seed of COMPARED) {
    const data = toyData({ artists: 100, albums: 3, tracks: 1, noise: 0.3, seed });
    const all = data.groups.map((_, track) => track);
    const [train, test] = [all.filter((track) => track < 180), all.filter((track) => track >= 180)];
    const { audio, cover } = data.modalities;
    if (!audio || !cover) throw new Error('the toy data has both');
    const learned = (modalities: SharedData['modalities'], own: number): Promise<SharedModel> =>
      learnShared({ ...data, modalities }, train, { ...settings, seed: own }, { signal });
    const both = await learned({ audio, cover }, seed);
    found.shared.push(across(data, test, both, both));
    found.separate.push(
      across(data, test, await learned({ audio }, seed), await learned({ cover }, seed + 100)),
    );
  }
  console.log('\n60 artists teach, 40 are asked, three albums each; sound – cover:');
  for (const [name, values] of Object.entries(found)) console.log(`${name} classifiers: EER ${over(values)}`);
}

/** Steps that are chosen by a part of what is learned from, against fixed numbers of them; artists that nothing was learned from. */
async function stopped(): Promise<void> {
  console.log('\n| artists | noise | steps chosen | EER | 200 steps | 800 steps |');
  console.log('| --- | --- | --- | --- | --- | --- |');
  for (const [artists, noise] of [
    [40, 0.5],
    [40, 1],
    [150, 0.5],
    [150, 1],
  ] as const) {
    const found = {
      chosen: [] as number[],
      fixed: [] as number[],
      long: [] as number[],
      steps: [] as number[],
    };
    for (const seed of STOPPED) {
      const data = toyData({ artists: artists + 40, albums: 2, tracks: 2, noise, seed });
      const all = data.groups.map((_, track) => track);
      const train = all.filter((track) => track < 4 * artists);
      const test = all.filter((track) => track >= 4 * artists);
      const own = { ...settings, seed };
      const error = async (steps: number): Promise<number> => {
        const model = await learnShared(data, train, { ...own, steps }, { signal });
        return across(data, test, model, model);
      };
      const steps = await chooseSteps(data, train, { ...own, steps: 800, stop: 'held-out' }, { signal });
      found.steps.push(steps);
      found.chosen.push(await error(steps));
      found.fixed.push(await error(200));
      found.long.push(await error(800));
    }
    const cells = [
      artists,
      noise,
      found.steps.join(', '),
      over(found.chosen),
      over(found.fixed),
      over(found.long),
    ];
    console.log(`| ${cells.join(' | ')} |`);
  }
}

function across(data: SharedData, test: readonly number[], sound: SharedModel, picture: SharedModel): number {
  const [a, v] = [sound.projections.audio, picture.projections.cover];
  const { audio, cover } = data.modalities;
  if (!a || !v || !audio || !cover) throw new Error('nothing was learned');
  const [sounds, covers] = [place(a, audio.rows), place(v, cover.rows)];
  const pairs = test.flatMap((i) => test.map((j): [number, number] => [i, j]));
  const trials = {
    scores: Float32Array.from(pairs, ([i, j]) => cosine(sounds, i, covers, j, settings.dim)),
    same: Uint8Array.from(pairs, ([i, j]) => (data.labels[i] === data.labels[j] ? 1 : 0)),
    first: new Int32Array(pairs.length),
    second: new Int32Array(pairs.length),
  };
  return equalErrorRate(trials, risingOrder(trials));
}
