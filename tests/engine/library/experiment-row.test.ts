import { describe, expect, it } from 'vitest';
import { experimentOf, type ExperimentRow } from '../../../engine/library/experiment-row.ts';
import type { SpaceInfo } from '../../../engine/api/spaces.ts';

const space: SpaceInfo = {
  ...{ key: 'k', packId: 'a-pack', packSha256: '', encoderSha256: '', windows: 'all', deformation: null },
};
const row = (more: Partial<ExperimentRow>): ExperimentRow => ({
  ...{ id: 'e', name: 'An experiment', taxonomy_id: 't', taxonomy_name: 'Labels', space: 'k' },
  ...{ parameters: '{"task":"single"}', classes: '["drum","flute"]', dropped_classes: '[]', counts: '{}' },
  ...{
    curve: '[{"step":1,"loss":0.5}]',
    views: null,
    revision: 1,
    notes: '',
    pinned: 0,
    created_at: '',
    seconds: 1,
  },
  ...{ metrics: '[{"split":"test","accuracy":0.5,"confusion":[[1,1],[0,2]]}]', thresholds: null },
  ...more,
});

describe('an experiment as it is stored', () => {
  it('has its scores and its curve read when they are asked for, once', () => {
    // Text that cannot be read shows when it is read.
    const unread = experimentOf(row({ metrics: '[', curve: '[' }), space, null);
    expect([unread.classes, unread.space.key, unread.revision]).toEqual([['drum', 'flute'], 'k', 1]);
    expect(() => unread.metrics).toThrow(SyntaxError);
    expect(() => unread.curve).toThrow(SyntaxError);
    const experiment = experimentOf(row({}), space, null);
    expect(experiment.metrics).toBe(experiment.metrics);
  });

  it('is whole where it is sent to another process, or a part of it is changed', () => {
    const experiment = experimentOf(row({}), space, null);
    for (const whole of [structuredClone(experiment), { ...experiment }]) {
      expect(whole.metrics).toEqual([
        {
          split: 'test',
          accuracy: 0.5,
          confusion: [
            [1, 1],
            [0, 2],
          ],
          microF1: null,
          samplesF1: null,
        },
      ]);
      expect(whole.curve[0]).toMatchObject({ step: 1, kept: null });
    }
    expect(JSON.parse(JSON.stringify(experiment))).toHaveProperty('metrics.0.accuracy', 0.5);
  });
});
