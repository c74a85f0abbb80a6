import { expect, it } from 'vitest';
import type { AccuracyTable, QualityCard } from '../../../engine/api/quality.ts';
import { withKeptFigures } from '../../../engine/scoring/kept-figures.ts';

const row = (mean: number): AccuracyTable[string] => {
  const spread = { mean, sd: 1 };
  return { embedding: spread, randomTwin: spread, logMel: spread, mfcc: spread };
};
const collection = (sha256: string) => ({ sounds: 4, windows: 5, classes: 2, sha256 });
const before: QualityCard = {
  schema: 'archetone.quality/2',
  data: { instruments: collection('a'), rendered: collection('b'), styles: collection('c') },
  seeds: [1, 2],
  accuracy: {
    instruments: { knn5: row(70), pecmae5: row(80) },
    rendered: { knn5: row(60), pecmae5: row(61) },
    renderedToInstruments: { knn5: row(50), pecmae5: row(51) },
    sharedClasses: ['banjo', 'flute'],
    styles: { knn5: row(40) },
  },
  cycle: {
    ...{ vectors: 32, cycleCosine: 0.5, cosineToOthers: 0.1, rmsDbfs: [-40, -30, -20], sound: 1 },
    secondsEach: 9,
  },
  speed: { windowsPerSecond: 1, secondsPerSonification: 9, packMegabytes: 30 },
};
const quick: QualityCard = {
  schema: 'archetone.quality/2',
  data: { instruments: collection('a') },
  seeds: [1, 2],
  accuracy: { instruments: { knn5: row(71) } },
  speed: { windowsPerSecond: 2, secondsPerSonification: null, packMegabytes: 30 },
};

it('keeps what a run left out, of the same sounds, and nothing that was measured anew', () => {
  const card = withKeptFigures(quick, JSON.parse(JSON.stringify(before)));
  expect(card.accuracy.instruments).toEqual({ knn5: row(71), pecmae5: row(80) });
  expect(card.accuracy.renderedToInstruments).toEqual(before.accuracy.renderedToInstruments);
  expect(card.accuracy.sharedClasses).toEqual(['banjo', 'flute']);
  expect(card.accuracy.styles).toEqual(before.accuracy.styles);
  expect(card.data).toEqual(before.data);
  expect(card.speed).toEqual(quick.speed);
  expect(card.cycle).toBeUndefined();
});

it('keeps nothing of other sounds: tables of them are those of this run', () => {
  const card = withKeptFigures({ ...quick, data: { instruments: collection('other') } }, before);
  expect(card.accuracy).toEqual({
    ...quick.accuracy,
    rendered: before.accuracy.rendered,
    styles: before.accuracy.styles,
  });
  expect(card.data['instruments']?.sha256).toBe('other');
});

it('keeps nothing of other seeds, of no card, or of what is none', () => {
  expect(withKeptFigures({ ...quick, seeds: [3] }, before)).toEqual({ ...quick, seeds: [3] });
  for (const none of [{}, null, 'card', { data: 4 }]) expect(withKeptFigures(quick, none)).toEqual(quick);
});
