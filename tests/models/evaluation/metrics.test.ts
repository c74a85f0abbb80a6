import { describe, expect, it } from 'vitest';
import { classificationReport } from '../../../models/evaluation/metrics/single-label.ts';
import { scoreTracks } from '../../../models/evaluation/metrics/track-scores.ts';

describe('classificationReport', () => {
  it('agrees with figures worked out by hand', () => {
    const report = classificationReport(
      [0, 0, 0, 0, 1, 1, 2],
      [0, 0, 1, 2, 1, 0, 2],
      ['a', 'b', 'c', 'never'],
    );
    expect(report.confusion).toEqual([
      [2, 1, 1, 0],
      [1, 1, 0, 0],
      [0, 0, 1, 0],
      [0, 0, 0, 0],
    ]);
    expect(report.accuracy).toBeCloseTo(4 / 7, 12);
    expect(report.balancedAccuracy).toBeCloseTo((1 / 2 + 1 / 2 + 1) / 3, 12);
    // F1: a 2·2/(4+3), b 2·1/(2+2), c 2·1/(1+2); "never" neither occurs nor is answered.
    expect(report.macroF1).toBeCloseTo((4 / 7 + 1 / 2 + 2 / 3) / 3, 12);
    expect(report.majorityBaseline).toBeCloseTo(4 / 7, 12);
    expect(report.perClass[0]).toEqual({ class: 'a', precision: 2 / 3, recall: 0.5, f1: 4 / 7, support: 4 });
    expect(report.perClass[3]).toEqual({ class: 'never', precision: 0, recall: 0, f1: 0, support: 0 });
  });

  it('counts a class that is answered but absent in macro F1 only', () => {
    const report = classificationReport([0, 0], [0, 1], ['a', 'b']);
    expect(report.balancedAccuracy).toBe(0.5);
    expect(report.macroF1).toBeCloseTo((2 / 3 + 0) / 2, 12);
  });

  it('refuses what it cannot score', () => {
    expect(() => classificationReport([], [], ['a'])).toThrow(/no items/);
    expect(() => classificationReport([0], [], ['a'])).toThrow(RangeError);
    expect(() => classificationReport([0], [1], ['a'])).toThrow(/item 0/);
  });
});

describe('scoreTracks', () => {
  it('decides by the mean of the windows, not by their votes', () => {
    // Track 5: two weak windows for class 0, one strong for class 1.
    const logits = Float32Array.of(1, 0, 1, 0, 0, 9, 3, 0);
    const labels = [0, 1, 0, 1, 0, 1, 1, 0];
    const scores = scoreTracks(logits, labels, Int32Array.of(5, 5, 5, 8), 2, 'single');
    expect(scores).toEqual({ accuracy: 1, balancedAccuracy: 1, f1Micro: null });
  });

  it('scores label decisions of a multilabel task', () => {
    const logits = Float32Array.of(1, -1, 1, 1, -1, -1);
    const labels = [1, 1, 0, 1, 0, 0];
    const scores = scoreTracks(logits, labels, Int32Array.of(0, 1, 2), 2, 'multi');
    expect(scores.accuracy).toBeCloseTo(4 / 6, 12);
    // Label 0: sensitivity 1, specificity 1/2; label 1: 1/2 and 1.
    expect(scores.balancedAccuracy).toBeCloseTo(0.75, 12);
    // Two of three labels found, one predicted that is not borne.
    expect(scores.f1Micro).toBeCloseTo(4 / 6, 12);
  });
});
