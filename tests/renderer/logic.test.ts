import { describe, expect, it } from 'vitest';
import type { Explanation } from '../../engine/api/classify.ts';
import {
  bytes,
  clock,
  count,
  duration,
  fixed,
  length,
  percent,
  plural,
  scientific,
  signed,
  significant,
  timeLeft,
  when,
} from '../../renderer/src/ui/format.ts';
import { rowAt, rowTops, scrollToShow, visibleSlice } from '../../renderer/src/ui/virtual.ts';
import { nearestInDirection } from '../../renderer/src/map/nearest.ts';
import { lookOf, looksOf, unlabelledLook } from '../../renderer/src/ui/palette.ts';
import { joinPath, safeFolderName } from '../../renderer/src/ui/paths.ts';
import { peaksOf } from '../../renderer/src/player/sound.ts';
import { spectrogram } from '../../renderer/src/player/spectrogram.ts';
import {
  linePath,
  ticks,
  keptInWords,
  keptStep,
  needsLogarithm,
  scoreCurve,
} from '../../renderer/src/train/curve.ts';
import { fromHandles, toHandles } from '../../renderer/src/ui/split.ts';
import { waterfall } from '../../renderer/src/why/waterfall.ts';
import { classRows } from '../../renderer/src/prototypes/rows.ts';
import { badgesOf, fidelityOf, topWeights } from '../../renderer/src/prototypes/words.ts';
import { presetOf, presets } from '../../renderer/src/train/presets.ts';
import { trainDefaults } from '../../renderer/src/train/defaults.ts';
import { explained, glossary, meaningOf } from '../../renderer/src/ui/glossary.ts';
import { cellSizes, confusedPairs, fittingZoom, moveCell } from '../../renderer/src/train/confusion.ts';
import { experiment, prototype } from './fake.ts';

describe('numbers for people', () => {
  it('writes times', () => {
    expect(clock(65)).toBe('1:05');
    expect(clock(59.96, true)).toBe('1:00.0');
    expect(clock(3723)).toBe('1:02:03');
    expect(clock(null)).toBe('–');
    expect(duration(59.7)).toBe('1 min');
    expect(duration(7500)).toBe('2 h 5 min');
  });

  it('writes shares, sizes and signs', () => {
    expect(percent(0.8312)).toBe('83.1 %');
    expect(percent(null)).toBe('–');
    expect(percent(-0.0111)).toBe('−1.1 %');
    expect(bytes(31_400_000)).toBe('31.4 MB');
    expect(fixed(-1.5, 1)).toBe('−1.5');
    expect(fixed(-0.0001, 2)).toBe('0.00');
    expect([count(-1234), count(-0.2), significant(-0.12345), significant(440), scientific(-3.2e-6)]).toEqual(
      [...['−1,234', '0', '−0.123', '440', '−3.2e−6']],
    );
    expect(signed(0.25, 2)).toBe('+0.25');
    expect(plural(1, 'track')).toBe('1 track');
    expect(plural(1234, 'track')).toBe('1,234 tracks');
  });

  it('names near days', () => {
    const now = new Date(2026, 10, 21, 12);
    expect(when(new Date(2026, 10, 21, 9, 5).toISOString(), now)).toBe('today 09:05');
    expect(when(new Date(2026, 10, 20, 23).toISOString(), now)).toBe('yesterday 23:00');
    expect(when('nonsense', now)).toBe('–');
  });
});

describe('virtual list', () => {
  it('renders only what is in sight', () => {
    expect(visibleSlice(100_000, 28, 28_000, 280, 5)).toEqual({ first: 995, last: 1015 });
    expect(visibleSlice(3, 28, 0, 280, 5)).toEqual({ first: 0, last: 2 });
    const none = visibleSlice(0, 28, 0, 280, 5);
    expect(none.last).toBeLessThan(none.first);
  });

  it('scrolls as little as possible', () => {
    expect(scrollToShow(5, 28, 0, 280)).toBe(0);
    expect(scrollToShow(10, 28, 0, 280)).toBe(28);
    expect(scrollToShow(2, 28, 280, 280)).toBe(56);
  });
});

describe('walking the map', () => {
  const x = Float32Array.of(0, 1, 3, 0, -2);
  const y = Float32Array.of(0, 0.1, 0, 2, -1);

  it('goes to the nearest point that way', () => {
    expect(nearestInDirection(x, y, 0, 'right')).toBe(1);
    expect(nearestInDirection(x, y, 0, 'right', [1, 1], (point) => point !== 1)).toBe(2);
    expect(nearestInDirection(x, y, 1, 'right')).toBe(2);
    expect(nearestInDirection(x, y, 0, 'up')).toBe(3);
    expect(nearestInDirection(x, y, 0, 'left')).toBe(4);
  });

  it('stays where nothing lies that way', () => {
    expect(nearestInDirection(x, y, 2, 'right')).toBeNull();
  });
});

describe('looks of classes', () => {
  it('are distinct for 80 classes', () => {
    const looks = Array.from({ length: 80 }, (_, index) => lookOf(index));
    expect(new Set(looks.map((look) => `${look.variable} ${look.shape}`)).size).toBe(80);
  });

  it('leave unknown names grey', () => {
    const look = looksOf(['drum', 'bass']);
    expect(look('bass')).toEqual(lookOf(1));
    expect(look('piano')).toBe(unlabelledLook);
    expect(look(null)).toBe(unlabelledLook);
  });
});

describe('waterfall', () => {
  const explanation = (contributions: number[], logit: number): Explanation => ({
    trackId: 't',
    experimentId: 'e',
    class: 'drum',
    windowIndex: null,
    bias: 0.5,
    logit,
    probability: 0.9,
    contributions: contributions.map((contribution, prototype) => ({
      prototype,
      prototypeClass: 'drum',
      similarity: 1,
      weight: contribution,
      contribution,
    })),
    scores: [],
    views: null,
  });

  it('adds up to the logit, whatever is folded into “others”', () => {
    const chart = waterfall(explanation([0.1, -2, 0.3, 1, 0.05], -0.05), 2);
    expect(chart.steps.map((step) => step.key)).toEqual(['bias', 'p1', 'p3', 'rest']);
    expect(chart.steps.at(-1)?.count).toBe(3);
    expect(chart.sum).toBeCloseTo(-0.05, 12);
    expect(chart.deviation).toBeLessThan(1e-12);
    chart.steps.slice(1).forEach((step, index) => expect(step.from).toBe(chart.steps[index]?.to));
    expect(chart.low).toBeCloseTo(-1.5, 12);
  });

  it('does not take the engine’s word for it', () => {
    expect(waterfall(explanation([1, 1], 2.6), 8).deviation).toBeCloseTo(0.1, 9);
  });
});

describe('drawings of sound', () => {
  const rate = 8000;
  const tone = (hz: number) =>
    Float32Array.from({ length: rate }, (_, i) => Math.sin((2 * Math.PI * hz * i) / rate));

  it('finds minimum and maximum of every slice', () => {
    const peaks = peaksOf(Float32Array.of(0, 0.5, -0.25, 0, -1, 0.75), 6, 2);
    expect([...peaks]).toEqual([-0.25, 0.5, -1, 0.75]);
  });

  it('shows a tone at its frequency', () => {
    const height = 60;
    const levels = spectrogram(tone(1000), rate, 4, height);
    const column = Array.from({ length: height }, (_, row) => levels[row * 4 + 2] ?? 0);
    const loudest = column.indexOf(Math.max(...column));
    const hz = 40 * Math.exp((Math.log(rate / 2 / 40) * (height - 1 - loudest + 0.5)) / height);
    expect(hz).toBeGreaterThan(900);
    expect(hz).toBeLessThan(1100);
    expect(Math.max(...levels)).toBeCloseTo(1, 5);
    expect(Math.min(...levels)).toBeGreaterThanOrEqual(0);
  });
});

describe('charts', () => {
  it('ticks at round numbers', () => {
    expect(ticks(0, 1, 4)).toEqual([0, 0.5, 1]);
    expect(ticks(0, 1000, 5)).toEqual([0, 200, 400, 600, 800, 1000]);
    expect(ticks(2, 2, 4)).toEqual([2]);
  });

  it('leaves gaps where there is no value', () => {
    const same = (value: number) => value;
    const points = [
      { x: 0, y: 1 },
      { x: 1, y: NaN },
      { x: 2, y: 3 },
    ];
    expect(linePath(points, same, same)).toBe('M0.0 1.0M2.0 3.0');
  });
});

describe('split of tracks', () => {
  it('always sums to one and leaves something to test', () => {
    for (const handles of [
      [70, 80],
      [95, 100],
      [5, 5],
      [100, 100],
      [80, 70],
    ]) {
      const split = fromHandles(handles, true);
      expect(split.train + split.validation + split.test).toBeCloseTo(1, 9);
      expect(split.test).toBeGreaterThan(0);
      expect(split.train).toBeGreaterThan(0);
    }
  });

  it('goes both ways', () => {
    expect(toHandles(fromHandles([70, 80], true), true)).toEqual([70, 80]);
    expect(toHandles(fromHandles([60], false), false)).toEqual([60]);
  });
});

describe('paths', () => {
  it('uses the folder’s own separator', () => {
    expect(joinPath('/home/u/out', 'a')).toBe('/home/u/out/a');
    expect(joinPath('C:\\out\\', 'a')).toBe('C:\\out\\a');
  });

  it('makes names every file system takes', () => {
    expect(safeFolderName('a/b: c?')).toBe('a-b- c-');
    expect(safeFolderName(' .. ')).toBe('archetone-export');
  });
});

describe('rows of different heights', () => {
  it('are found by their place, at both ends too', () => {
    const tops = rowTops([10, 20, 30]);
    expect([...tops]).toEqual([0, 10, 30, 60]);
    expect([-5, 0, 9, 10, 29, 30, 59, 60, 999].map((y) => rowAt(tops, y))).toEqual([
      0, 0, 0, 1, 1, 2, 2, 2, 2,
    ]);
    expect(rowAt(rowTops([]), 0)).toBe(-1);
  });
});

describe('prototypes in words', () => {
  it('count by class, with the dead ones and F1', () => {
    const dead = { ...prototype(1, 'bass'), support: 0, purity: null };
    const [test] = experiment.metrics;
    const report = { class: 'bass', precision: 1, recall: 0.33, f1: 0.5, support: 3 };
    const metrics = test ? [{ ...test, split: 'test' as const, perClass: [report] }] : [];
    expect(classRows({ ...experiment, metrics }, [prototype(0, 'bass'), dead])).toEqual([
      { name: 'bass', count: 2, dead: 1, f1: 0.5 },
      { name: 'drum', count: 0, dead: 0, f1: null },
    ]);
  });

  it('say what is odd', () => {
    const texts = (of: Partial<ReturnType<typeof prototype>>): string[] =>
      badgesOf({ ...prototype(0, 'bass'), ...of }).map(({ text }) => text);
    expect(texts({})).toEqual([]);
    expect(texts({ support: 0 })).toEqual(['dead']);
    expect(texts({ support: 1 })).toEqual(['memorised']);
    // The nearest real window lies at 0.5.
    expect(texts({ twin: { index: 4, distance: 0.2 } })).toEqual(['twin of #5']);
    expect(texts({ twin: { index: 4, distance: 0.3 } })).toEqual([]);
  });

  it('grade the sound and name the largest weights', () => {
    expect([0.95, 0.8, 0.79, 0.5, 0.49, -1].map(fidelityOf)).toEqual([
      ...['good', 'good', 'fair', 'fair', 'poor', 'poor'],
    ]);
    const weights = [-2, 1.25, 0.1, 0.004].map((weight, i) => ({ class: [1, 3, 0, 2][i] ?? 0, weight }));
    expect(topWeights(['a', 'b', 'c', 'd'], weights, 2)).toBe('b −2.00, d 1.25');
    expect(topWeights(['a', 'b', 'c', 'd'], weights, 4)).toBe('b −2.00, d 1.25, a 0.10');
  });
});

describe('confusion', () => {
  const confusion = [
    [5, 2, 0],
    [0, 0, 0],
    [4, 1, 5],
  ];

  it('lists what is taken for what, most tracks first, without the diagonal', () => {
    expect(confusedPairs(confusion)).toEqual([
      { truth: 2, predicted: 0, count: 4, share: 0.4 },
      { truth: 0, predicted: 1, count: 2, share: 2 / 7 },
      { truth: 2, predicted: 1, count: 1, share: 0.1 },
    ]);
  });

  it('fits the window, and is walked within its edges', () => {
    expect(cellSizes[fittingZoom(200, 450)]).toBe(2);
    expect(cellSizes[fittingZoom(10, 450)]).toBe(28);
    // The names of classes take room, too.
    expect(cellSizes[fittingZoom(13, 450)]).toBe(20);
    expect(fittingZoom(5000, 450)).toBe(0);
    expect(moveCell([0, 0], 'ArrowUp', 3)).toEqual([0, 0]);
    expect(moveCell([1, 2], 'ArrowRight', 3)).toEqual([1, 2]);
    expect(moveCell([1, 2], 'ArrowDown', 3)).toEqual([2, 2]);
    expect(moveCell([1, 2], 'a', 3)).toBeUndefined();
    for (const key of ['ArrowUp', 'ArrowDown', 'ArrowLeft', 'ArrowRight', 'Home', 'End']) {
      expect(moveCell(null, key, 3)).toEqual([0, 0]);
    }
    expect(moveCell(null, 'a', 3)).toBeUndefined();
  });
});

describe('the curve of a training', () => {
  const at = (step: number, validationLoss: number | null) => ({
    ...{ step, validationLoss, kept: null as boolean | null },
    ...{ validationAccuracy: validationLoss === null ? null : 0.5, validationMicroF1: null },
  });

  it('marks the network that was kept: the first of the lowest validation loss, else the last', () => {
    expect(keptStep([at(10, 3), at(20, 1), at(30, null), at(40, 1), at(50, 2)])).toBe(20);
    expect(keptStep([at(10, null), at(20, null)])).toBe(20);
    expect(keptStep([])).toBeNull();
  });

  it('marks what was stored as kept, and says why in words', () => {
    const curve = [at(10, 3), at(20, 1), { ...at(30, 2), kept: true, validationAccuracy: 0.75 }, at(40, 4)];
    expect(keptStep(curve)).toBe(30);
    expect(keptInWords(curve)).toMatch(
      /step 30 of 40 was kept: it did best .*accuracy 75.0 %.*not of the one at the end/,
    );
    expect(keptInWords([at(10, 3), at(20, 1)])).toContain('its validation loss was the lowest');
    expect(keptInWords([at(10, null)])).toContain('no track was left to validate on');
    expect(keptInWords([])).toBeNull();
  });

  it('takes powers of ten where losses span too much for one scale', () => {
    expect(needsLogarithm([35, 4, 0.4])).toBe(true);
    expect(needsLogarithm([3, 2, 0.4, 0])).toBe(false);
    expect(needsLogarithm([])).toBe(false);
  });
});

describe('lengths and times left', () => {
  it('say what a one-shot lasts, and estimate in steps that do not swing', () => {
    expect([0.417, 4.24, 12.4, 75, null].map(length)).toEqual(['0.42 s', '4.2 s', '0:12', '1:15', '–']);
    expect([3, 17, 62, 130, 1000].map(timeLeft)).toEqual([
      'about 5 s',
      'about 20 s',
      'about 1 min 10 s',
      'about 3 min',
      'about 20 min',
    ]);
  });
});

describe('what is explained where it stands', () => {
  it('is in the glossary, in plain words', () => {
    for (const name of explained) expect(meaningOf(name).meaning.length).toBeGreaterThan(20);
    expect(glossary.length).toBeGreaterThan(15);
    expect(glossary.map(({ name, meaning }) => name + meaning).join('')).not.toMatch(/[*`|]/);
  });
});

describe('presets of training', () => {
  it('name what the form says, and nothing where it was set by hand', () => {
    expect(presetOf(trainDefaults)).toBe('standard');
    expect(presetOf({ ...trainDefaults, steps: 1501 })).toBeNull();
    for (const name of ['quick', 'standard', 'thorough'] as const) expect(presetOf(presets[name])).toBe(name);
  });
});

describe('the curve of an experiment', () => {
  const point = { step: 10, trainAccuracy: 0.9, validationAccuracy: 0.8 };

  it('is of the headline’s metric: accuracy of one class, micro F1 of several labels', () => {
    const single = scoreCurve([{ ...point, trainMicroF1: null, validationMicroF1: null }]);
    expect(single).toEqual({
      title: 'Accuracy',
      train: [{ x: 10, y: 0.9 }],
      validation: [{ x: 10, y: 0.8 }],
    });
    const multi = scoreCurve([
      { ...point, trainMicroF1: 0.5, validationMicroF1: 0.25 },
      { ...point, step: 20, trainMicroF1: 0.6, validationMicroF1: null },
    ]);
    expect(multi.title).toContain('Micro F1');
    expect(multi.train.map(({ y }) => y)).toEqual([0.5, 0.6]);
    expect(multi.validation).toEqual([{ x: 10, y: 0.25 }]);
  });
});
