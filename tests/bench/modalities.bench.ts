/**
 * What classifiers of its own for each modality cost, and what the shared one tells, on made-up vectors: recordings and covers of
 * 100 artists come of one hidden vector each, through unlike random maps with noise; 60 artists teach, 40 are asked, over five
 * seeds. Then the evaluation that the application makes, where covers belong to the sound, and where they do not.
 */
import { assessShared } from '../../models/modalities/assess.ts';
import { equalErrorRate, risingOrder } from '../../models/modalities/eer.ts';
import type { SharedData } from '../../models/modalities/kinds.ts';
import { defaultSharedSettings, learnShared } from '../../models/modalities/learn.ts';
import { cosine, place, type SharedModel } from '../../models/modalities/projection.ts';
import { toyData } from '../models/modalities/toy.ts';

const { signal } = new AbortController();
const settings = defaultSharedSettings;

export async function run(): Promise<void> {
  const found = { shared: [] as number[], separate: [] as number[] };
  for (let seed = 1; seed <= 5; seed++) {
    const data = toyData({ artists: 100, albums: 3, tracks: 1, noise: 0.3, seed });
    const all = data.groups.map((_, track) => track);
    const [train, test] = [all.filter((track) => track < 180), all.filter((track) => track >= 180)];
    const { audio, cover } = data.modalities;
    if (!audio || !cover) throw new Error('the toy data has both');
    const both = await learnShared(data, train, { ...settings, seed }, { signal });
    const sound = await learnShared(
      { ...data, modalities: { audio } },
      train,
      { ...settings, seed },
      { signal },
    );
    const picture = await learnShared(
      { ...data, modalities: { cover } },
      train,
      { ...settings, seed: seed + 100 },
      { signal },
    );
    found.shared.push(across(data, test, both, both));
    found.separate.push(across(data, test, sound, picture));
  }
  for (const [name, values] of Object.entries(found)) {
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const spread = Math.sqrt(
      values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1),
    );
    console.log(
      `${name} classifiers, sound – cover of unseen artists: EER ${mean.toFixed(3)} ± ${spread.toFixed(3)}`,
    );
  }
  for (const [name, data] of [
    ['covers belong to the sound', toyData({ artists: 40, tracks: 2 })],
    ['covers of their own', toyData({ artists: 40, tracks: 2, tied: false })],
  ] as const) {
    const { trials } = await assessShared(data, settings, { signal });
    console.log(name);
    for (const { a, b, eer, control, auc, usable } of trials) {
      const interval = ({ value, low, high }: typeof eer): string =>
        `${value.toFixed(3)} (${low.toFixed(3)}–${high.toFixed(3)})`;
      console.log(
        `  ${a} – ${b}: ${interval(eer)}, control ${interval(control)}, AUC ${auc.toFixed(3)}, ${usable ? 'tells' : 'cannot tell'}`,
      );
    }
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
