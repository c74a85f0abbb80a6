import type { ComparedTrack, ExperimentComparison, RepeatedComparison } from '../../engine/api/compare.ts';
import { counted } from '../../engine/counted.ts';
import { seedNumber, wholeNumber } from '../options.ts';
import { percent, table } from '../text.ts';
import type { AddVerb } from '../verb.ts';

interface Options {
  library: string;
  splits?: number;
  seed: number;
}

/** Adds `archetone compare`. */
export const compareVerb: AddVerb = (program, cli) => {
  program
    .command('compare')
    .description('Compare two experiments on the tracks that both were tested on.')
    .requiredOption('--library <dir>', "folder with the library's data")
    .argument('<first>', 'experiment, or latest')
    .argument('<second>', 'another one')
    .option('--splits <n>', 'train the settings of both again on so many splits', wholeNumber(2, 50))
    .option('--seed <n>', 'of the first of these splits', seedNumber, 1)
    .addHelpText(
      'after',
      `
Examples:
  archetone compare --library ~/archetone-music 3f2a latest
  archetone compare --library ~/archetone-music 3f2a 9c1d --json
  archetone compare --library ~/archetone-music 3f2a 9c1d --splits 10`,
    )
    .action((first: string, second: string, options: Options) =>
      cli.answer(() =>
        cli.withLibrary(options.library, async (session) => {
          const { id: libraryId } = await session.library();
          const a = await session.experiment(libraryId, first);
          const b = await session.experiment(libraryId, second);
          const result = await session.client.call(
            'experiments.compare',
            { libraryId, first: a.id, second: b.id },
            { signal: session.signal },
          );
          const { splits, seed } = options;
          const pair = { libraryId, first: a.id, second: b.id };
          if (splits !== undefined)
            await session.run('compare-repeated', (client) =>
              client.call('experiments.compareRepeated', { ...pair, splits, seed }),
            );
          const found = splits === undefined ? null : await session.client.call('experiments.repeated', pair);
          const parts = [describe(result, a.name, b.name), found ? describeRepeated(found) : ''];
          return {
            json: { ...result, ...(found ? { repeated: found } : {}) },
            text: parts.filter((part) => part !== '').join('\n\n'),
          };
        }),
      ),
    );
};

const signed = (share: number): string => `${share < 0 ? '−' : '+'}${Math.abs(100 * share).toFixed(1)}`;

function describeRepeated({ splits, metrics, seed }: RepeatedComparison): string {
  type Row = (typeof metrics)[number];
  const span = ({ mean, low, high }: Row['first']): string =>
    `${percent(mean)} (${percent(low)} … ${percent(high)})`;
  return [
    `Both trained again on ${splits.length} splits, seeds from ${seed} (95 %, corrected resampled t-test)`,
    table<Row>(
      [
        { title: '', value: ({ id }) => (id === 'accuracy' ? 'accuracy' : 'macro F1') },
        { title: 'A', value: (row) => span(row.first) },
        { title: 'B', value: (row) => span(row.second) },
        {
          title: 'B − A',
          value: ({ difference: d }) => `${signed(d.mean)} (${signed(d.low)} … ${signed(d.high)})`,
        },
        { title: 'p', value: ({ difference }) => difference.pValue.toPrecision(3) },
      ],
      metrics,
    ),
  ].join('\n');
}

function describe(result: ExperimentComparison, first: string, second: string): string {
  const { metrics, perClass, mcnemar, flips, won, lost, parameters } = result;
  return [
    `A: ${first}`,
    `B: ${second}`,
    `${counted(result.tracks, 'test track')} of both, ${counted(result.classes.length, 'class', 'classes')}`,
    '',
    table<(typeof metrics)[number]>(
      [
        { title: '', value: ({ id }) => (id === 'accuracy' ? 'accuracy' : 'macro F1') },
        { title: 'A', value: (row) => percent(row.first.value), align: 'right' },
        { title: 'B', value: (row) => percent(row.second.value), align: 'right' },
        {
          title: 'B − A (95 % over tracks)',
          value: ({ difference: d }) => `${signed(d.value)} (${signed(d.low)} … ${signed(d.high)})`,
        },
      ],
      metrics,
    ),
    '',
    `McNemar: ${mcnemar.onlyFirst} right in A only, ${mcnemar.onlySecond} in B only, p = ${mcnemar.pValue.toPrecision(3)}`,
    '',
    table<(typeof perClass)[number]>(
      [
        { title: 'class', value: (row) => row.class },
        { title: 'tracks', value: (row) => String(row.support), align: 'right' },
        { title: 'F1 A', value: (row) => row.first.toFixed(3), align: 'right' },
        { title: 'F1 B', value: (row) => row.second.toFixed(3), align: 'right' },
        { title: '', value: (row) => (row.first === row.second ? '' : row.second > row.first ? '▲' : '▼') },
      ],
      perClass,
    ),
    '',
    table<ComparedTrack>(
      [
        { title: `${won} won, ${lost} lost`, value: ({ path }) => path },
        { title: 'is', value: ({ labels }) => labels.join(' + ') },
        { title: 'A says', value: (row) => row.first.join(' + ') },
        { title: 'B says', value: (row) => row.second.join(' + ') },
      ],
      flips,
    ),
    '',
    parameters.length === 0
      ? 'Nothing that was chosen differs.'
      : table<(typeof parameters)[number]>(
          [
            { title: 'differs', value: ({ name }) => name },
            { title: 'A', value: (row) => row.first },
            { title: 'B', value: (row) => row.second },
          ],
          parameters,
        ),
  ].join('\n');
}
