import type { AccuracyTable, QualityCard, Spread } from '../engine/api/quality.ts';
import { counted } from '../engine/counted.ts';
import { madeAndReal, pairs, table } from './text.ts';

const TITLES: readonly [keyof QualityCard['accuracy'], string][] = [
  ['instruments', 'within instruments'],
  ['rendered', 'within rendered instruments'],
  ['renderedToInstruments', 'rendered → instruments'],
  ['instrumentsToRendered', 'instruments → rendered'],
  ['styles', 'styles, one album left out at a time'],
];

/** A quality card for people. */
export function describeCard(card: QualityCard): string {
  const parts: string[] = [];
  for (const [key, title] of TITLES) {
    const accuracies = card.accuracy[key];
    if (accuracies && !Array.isArray(accuracies))
      parts.push(`Accuracy ${title}, %\n${describeTable(accuracies)}`);
  }
  const { precisionAt10, roundTrip, cycle, speed } = card;
  const rows: (readonly [string, string])[] = [
    ['pack', `${speed.packMegabytes} MB`],
    ['windows/s', speed.windowsPerSecond.toFixed(1)],
  ];
  if (precisionAt10) rows.push(['precision@10', `${precisionAt10.mean} %`]);
  if (roundTrip) {
    const { pack, griffinLim } = roundTrip;
    rows.push(
      ['round trip: log-spectral', `${pack.logSpectralDb} dB (Griffin-Lim ${griffinLim.logSpectralDb})`],
      ['round trip: multi-resolution', `${pack.multiResolution} (Griffin-Lim ${griffinLim.multiResolution})`],
    );
  }
  if (cycle)
    rows.push(
      ['cycle cosine', `${cycle.cycleCosine} (to others ${cycle.cosineToOthers})`],
      ['sonification: seconds each', String(cycle.secondsEach)],
      ['sonification: level 5/50/95 %', `${cycle.rmsDbfs.join(' / ')} dBFS`],
    );
  parts.push(`Measured here\n${pairs(rows)}`);
  if (card.robustness)
    parts.push(
      table(
        [
          { title: 'deformation', value: (row) => row.deformation },
          { title: 'cosine', value: (row) => row.cosine.toFixed(3), align: 'right' },
          { title: 'accuracy', value: (row) => `${row.accuracy} %`, align: 'right' },
          { title: 'drop', value: (row) => row.accuracyDrop.toFixed(1), align: 'right' },
        ],
        card.robustness,
      ),
    );
  if (card.fidelity)
    parts.push(
      table(
        [
          { title: 'prototypes', value: (row) => row.name },
          { title: 'distance', value: (row) => row.distance.toFixed(2), align: 'right' },
          {
            title: 'own class',
            value: (row) => `${(100 * row.classRetention).toFixed(1)} %`,
            align: 'right',
          },
          {
            title: 'by MFCC+Δ',
            value: (row) => `${(100 * row.mfccRetention).toFixed(1)} %`,
            align: 'right',
          },
          { title: 'cycle cosine', value: (row) => row.cycleCosine.toFixed(3), align: 'right' },
          { title: 'level', value: (row) => `${row.rmsDbfs} dBFS`, align: 'right' },
          { title: 'flatness', value: (row) => row.flatness.toFixed(3), align: 'right' },
        ],
        card.fidelity,
      ),
    );
  const witnessed = (card.fidelity ?? []).flatMap(({ name, witnesses }) =>
    witnesses ? [{ name, witnesses }] : [],
  );
  if (witnessed.length > 0)
    parts.push(
      `Heard without any encoder (real sounds of the same classes)\n${table(
        [
          { title: 'prototypes', value: ({ name }) => name },
          {
            title: 'pitch clarity',
            value: ({ witnesses }) => madeAndReal(witnesses.clarity),
            align: 'right',
          },
          {
            title: 'harmonics, dB',
            value: ({ witnesses }) => madeAndReal(witnesses.harmonicsDb),
            align: 'right',
          },
          {
            title: 'attack off, octaves',
            value: ({ witnesses }) => madeAndReal(witnesses.attackOctaves),
            align: 'right',
          },
          {
            title: 'level off, dB',
            value: ({ witnesses }) => madeAndReal(witnesses.levelDb),
            align: 'right',
          },
        ],
        witnessed,
      )}`,
    );
  for (const [number, { trained, judge, prototypes, rows }] of (card.origins ?? []).entries())
    parts.push(
      `Half ${number + 1}: ${counted(prototypes, 'prototype')} of ${counted(trained, 'sound')}, judged by ${counted(judge, 'other')}\n${table(
        [
          { title: 'sounds from', value: (row) => row.name },
          { title: 'cycle cosine', value: (row) => row.cycleCosine.toFixed(3), align: 'right' },
          {
            title: 'own class',
            value: (row) => `${(100 * row.classRetention).toFixed(1)} %`,
            align: 'right',
          },
          { title: 'by MFCC+Δ', value: (row) => `${(100 * row.mfccRetention).toFixed(1)} %`, align: 'right' },
          { title: 'pitch clarity', value: (row) => row.pitchClarity?.toFixed(3) ?? '–', align: 'right' },
          { title: 'seconds each', value: (row) => row.secondsEach.toFixed(2), align: 'right' },
        ],
        rows,
      )}`,
    );
  return parts.join('\n\n');
}

function describeTable(accuracies: AccuracyTable): string {
  const value = ({ mean, sd }: Spread): string => `${mean.toFixed(1)} ± ${sd.toFixed(1)}`;
  return table(
    [
      { title: 'classifier', value: ([name]) => name },
      { title: 'embedding', value: ([, row]) => value(row.embedding), align: 'right' },
      { title: 'random twin', value: ([, row]) => value(row.randomTwin), align: 'right' },
      { title: 'log-mel', value: ([, row]) => value(row.logMel), align: 'right' },
      { title: 'MFCC+Δ', value: ([, row]) => value(row.mfcc), align: 'right' },
    ],
    Object.entries(accuracies),
  );
}
