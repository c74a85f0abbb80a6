import { expect, it } from 'vitest';
import type { EvaluationRow } from '../../engine/api/evaluations.ts';
import { gridOf, taskOf } from '../../renderer/src/evaluate/grid.ts';

const row = (space: string, metric: string, mean: number): EvaluationRow => ({
  ...{ dataset: 'tones', probe: 'ridge', deformation: 'clean', space, metric, mean },
  ...{ interval: null, runs: 1, tested: 9 },
});
const rows = [
  row('far', 'R²', 0.2),
  row('near', 'R²', 0.9),
  row('far', 'mean absolute error', 8),
  row('near', 'mean absolute error', 2),
];

it.each(['R²', 'mean absolute error'])('shades the best cell most: %s', (metric) => {
  const { spaces, cell, shade } = gridOf(rows, 'clean', metric);
  const shades = spaces.map((space) => {
    const found = cell(space, { dataset: 'tones', probe: 'ridge' });
    return [space, found && shade(found)];
  });
  expect(Object.fromEntries(shades)).toEqual({ far: 0, near: 1 });
});

it('leaves differences between the others where one is far worse than the mean', () => {
  const { shade } = gridOf([row('lost', 'R²', -42), ...rows], 'clean', 'R²');
  expect([-42, 0.2, 0.9].map((mean) => shade(row('', 'R²', mean)))).toEqual([
    0,
    expect.closeTo(0.2 / 0.9),
    1,
  ]);
});

it.each([
  [['accuracy', 'balancedAccuracy', 'macroF1'], 'single'],
  [['averagePrecision', 'rocAuc'], 'multi'],
  [['weightedScore', 'accuracy'], 'key'],
  [['R²', 'mean absolute error'], 'regression'],
  [['R²', 'R² of chroma'], 'mir'],
  [[], null],
] as const)('knows by the metrics %j what was learned: %s', (metrics, task) => {
  const scored = metrics.map((metric) => row('a', metric, 0.5));
  expect(taskOf(scored, { dataset: 'tones', probe: 'ridge' })).toBe(task);
});
