import { describe, expect, it } from 'vitest';
import type { Reduction } from '../../../engine/api/reductions.ts';
import type { KnnScore, Study } from '../../../engine/api/studies.ts';
import { recommend } from '../../../engine/reductions/study/recommend.ts';

const score = (f1: number[]): KnnScore => ({
  ...{ classifier: 'lpknn', k: 1, labelF1: [] },
  metrics: { f1Samples: f1, hammingLoss: f1.map((value) => 1 - value) },
});

/** A study whose whole training data scores 0.9 on every split, with sets of some sizes. */
function studyOf(splits: number, sets: { id: string; size: number; f1: number[]; noise?: number }[]) {
  const study = { full: [{ noise: 0, scores: [score(Array<number>(splits).fill(0.9))] }] };
  const reductions = sets.map(({ id, size, f1, noise = 0 }) => ({
    ...{ id, noise, name: id, prototypeRows: size, sizes: f1.map(() => size), labels: ['a', 'b'] },
    scores: [score(f1)],
  }));
  // Only these parts of them are looked at.
  return { study: study as unknown as Study, reductions: reductions as unknown as Reduction[] };
}

const question = { metric: 'f1Samples', classifier: 'lpknn', k: 1, noise: 0, allowed: 0.02 } as const;
const nothingLost = (): string[] => [];

describe('recommend', () => {
  it('takes the smallest set within the loss, and judges it on the splits that did not choose', () => {
    const { study, reductions } = studyOf(4, [
      { id: 'large', size: 50, f1: [0.9, 0.9, 0.9, 0.9] },
      // Looks good on the splits that choose (first and third) only.
      { id: 'lucky', size: 10, f1: [0.9, 0.8, 0.9, 0.7] },
      { id: 'poor', size: 5, f1: [0.5, 0.9, 0.5, 0.9] },
    ]);
    const found = recommend(study, reductions, nothingLost, question);
    expect(found).toMatchObject({ independent: true, chosen: 'lucky', whole: 0.9 });
    expect(found.sets.map(({ reductionId }) => reductionId)).toEqual(['poor', 'lucky', 'large']);
    expect(found.sets[1]?.chosenLoss).toBeCloseTo(0, 12);
    expect(found.sets[1]?.loss).toBeCloseTo(0.15, 12);
    expect(found.sets[0]).toMatchObject({ within: false });
  });

  it('uses the one split for both, and says so', () => {
    const { study, reductions } = studyOf(1, [{ id: 'only', size: 10, f1: [0.89] }]);
    const found = recommend(study, reductions, nothingLost, question);
    expect(found).toMatchObject({ independent: false, chosen: 'only' });
    expect(found.sets[0]?.loss).toBe(found.sets[0]?.chosenLoss);
  });

  it('counts a loss the right way round where smaller is better', () => {
    const { study, reductions } = studyOf(2, [
      { id: 'better', size: 10, f1: [0.95, 0.95] },
      { id: 'worse', size: 5, f1: [0.8, 0.8] },
    ]);
    const found = recommend(study, reductions, nothingLost, { ...question, metric: 'hammingLoss' });
    expect(found.chosen).toBe('better');
    expect(found.sets.find(({ name }) => name === 'better')?.loss).toBeCloseTo(-0.05, 12);
  });

  it('never recommends a set whose prototypes bear no label, and leaves out other noise and unfinished sets', () => {
    const { study, reductions } = studyOf(2, [
      { id: 'mute', size: 1, f1: [0.9, 0.9] },
      { id: 'noisy', size: 2, f1: [0.9, 0.9], noise: 20 },
      { id: 'unfinished', size: 3, f1: [0.9] },
      { id: 'fine', size: 4, f1: [0.9, 0.9] },
    ]);
    const found = recommend(study, reductions, (id) => (id === 'mute' ? ['a', 'b'] : ['a']), question);
    expect(found.sets.map(({ name }) => name)).toEqual(['mute', 'fine']);
    expect(found).toMatchObject({ chosen: 'fine', sets: [{ within: false }, { lostLabels: ['a'] }] });
  });

  it('recommends nothing where every set costs too much, and refuses what was not measured', () => {
    const { study, reductions } = studyOf(1, [{ id: 'poor', size: 5, f1: [0.1] }]);
    expect(recommend(study, reductions, nothingLost, question).chosen).toBeNull();
    expect(() => recommend(study, reductions, nothingLost, { ...question, k: 3 })).toThrow('k = 3');
  });
});
