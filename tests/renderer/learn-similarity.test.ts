// @vitest-environment happy-dom
import { cleanup, render, screen } from '@testing-library/svelte';
import { afterEach, describe, expect, it } from 'vitest';
import type { SimilarityFigures, Verdict } from '../../engine/api/similarity.ts';
import SpaceFigures from '../../renderer/src/similar/SpaceFigures.svelte';
import { SimilarityLearning } from '../../renderer/src/similar/learning.svelte.ts';
import { EngineError } from '../../engine/api/errors.ts';
import { FakeEngine, fullAnswers } from './fake.ts';

afterEach(cleanup);

const figure = { value: 0.5, low: 0.4, high: 0.6 };
const all = { hit: figure, rPrecision: figure, ndcg: figure };

function figuresOf(shuffled: Verdict, whitened: Verdict, plain: Verdict, lists = 12): SimilarityFigures {
  const gain = (verdict: Verdict) => ({
    hit: { ...figure, verdict },
    rPrecision: { ...figure, verdict },
    ndcg: { ...figure, verdict },
  });
  return {
    lists,
    queries: 60,
    methods: { learned: all, shuffled: all, whitened: all, plain: all },
    chance: { hit: 0.1, rPrecision: 0.05, ndcg: 0.06 },
    gains: { shuffled: gain(shuffled), whitened: gain(whitened), plain: gain(plain) },
  };
}

describe('the figures of a learned space', () => {
  it.each([
    ['better', 'better', 'better', /better than the controls and the space as it was/],
    ['better', 'cannot-tell', 'better', /Cannot tell/],
    ['better', 'better', 'cannot-tell', /Cannot tell/],
    ['worse', 'better', 'better', /worse than a control/],
    ['better', 'better', 'worse', /than the space as it was: do not use it/],
  ] as const)(
    '%s than shuffled, %s than whitened, %s than plain are said',
    (shuffled, whitened, plain, text) => {
      render(SpaceFigures, { figures: figuresOf(shuffled, whitened, plain), caption: 'All pairs' });
      expect(screen.getByTestId('space-verdict').textContent).toMatch(text);
      expect(screen.getByTestId('space-figures').textContent).toContain('0.500 (0.400–0.600)');
      expect(screen.getByTestId('space-figures').textContent).toContain('0.060');
    },
  );
});

describe('learning', () => {
  it('shows what there is after it failed, and passes the reason on', async () => {
    let reads = 0;
    const engine = new FakeEngine({
      ...fullAnswers,
      'similarity.list': () => {
        reads += 1;
        return [];
      },
      'similarity.learn': () => ({ jobId: 'J' }),
    });
    const learning = new SimilarityLearning('L', engine, () =>
      Promise.reject(new EngineError('too-few-labels', 'Too few.')),
    );
    await expect(learning.learn('Mine', { pairs: 'pmi', dim: 64, seed: 1 })).rejects.toThrow('Too few.');
    expect(reads).toBe(1);
  });
});
