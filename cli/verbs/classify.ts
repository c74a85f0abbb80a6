import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { FileClassification } from '../../engine/api/classify.ts';
import { EngineError } from '../../engine/api/errors.ts';
import { exitCodes } from '../exit-codes.ts';
import { damage, percent, table } from '../text.ts';
import type { AddVerb } from '../verb.ts';

const CONTRIBUTIONS = 5;

export const classifyVerb: AddVerb = (program, cli) => {
  program
    .command('classify')
    .description(
      'Classify a file, or the audio files in a folder: scores, contributions, classes of the windows.',
    )
    .argument('<file|folder>', 'what to classify; it need not be in the library')
    .requiredOption('--library <dir>', "folder with the library's data")
    .requiredOption('--experiment <id>', 'experiment to classify with, or latest')
    .addHelpText(
      'after',
      `
Examples:
  archetone classify song.mp3 --library ~/archetone-music --experiment latest
  archetone classify ~/New --library ~/archetone-music --experiment latest --json > scores.json`,
    )
    .action((path: string, options: { library: string; experiment: string }) =>
      cli.answer(async () => {
        const absolute = requireExisting(path);
        return cli.withLibrary(options.library, async (session) => {
          const { id: libraryId } = await session.library();
          const experiment = await session.experiment(libraryId, options.experiment);
          const { files } = await session.run('classify', (client) =>
            client.call('classify.files', { libraryId, experimentId: experiment.id, paths: [absolute] }),
          );
          if (files.length === 0)
            throw new EngineError(
              'empty-folder',
              `There are no audio files in ${absolute}.`,
              'Choose another folder.',
            );
          const allFailed = files.every((file) => file.problem !== null);
          return {
            json: { experimentId: experiment.id, classes: experiment.classes, files },
            text: describeFiles(files),
            exitCode: allFailed ? exitCodes.audio : exitCodes.ok,
          };
        });
      }),
    );
};

/** @throws EngineError `not-found` */
export function requireExisting(path: string): string {
  const absolute = resolve(path);
  if (!existsSync(absolute))
    throw new EngineError('not-found', `There is no file or folder ${absolute}.`, 'Check the path.');
  return absolute;
}

function answerOf({ prediction, labels }: FileClassification): string {
  if (labels === null) return prediction ?? '–';
  return labels.length === 0
    ? 'none'
    : labels.map(({ label, probability }) => `${label} ${percent(probability)}`).join(', ');
}

function describeFiles(files: readonly FileClassification[]): string {
  const overview = table(
    [
      { title: 'file', value: (file: FileClassification) => file.path },
      {
        title: files.some(({ labels }) => labels !== null) ? 'labels' : 'class',
        value: (file) => answerOf(file),
      },
      {
        title: 'probability',
        value: (file) => (file.scores[0] ? percent(file.scores[0].probability) : ''),
        align: 'right',
      },
      { title: 'windows', value: (file) => String(file.windows.length), align: 'right' },
      { title: 'problem', value: (file) => file.problem?.message ?? damage(file.note) },
    ],
    files,
  );
  const [only] = files;
  if (files.length !== 1 || !only || only.problem) return overview;
  const scores = table(
    [
      { title: 'class', value: (score: FileClassification['scores'][number]) => score.class },
      { title: 'logit', value: (score) => score.logit.toFixed(4), align: 'right' },
      { title: 'probability', value: (score) => percent(score.probability), align: 'right' },
    ],
    only.scores,
  );
  const contributions = table(
    [
      {
        title: 'prototype',
        value: (row: FileClassification['contributions'][number]) => String(row.prototype),
        align: 'right',
      },
      { title: 'of class', value: (row) => row.prototypeClass },
      { title: 'similarity', value: (row) => row.similarity.toFixed(4), align: 'right' },
      { title: 'weight', value: (row) => row.weight.toFixed(4), align: 'right' },
      { title: 'contribution', value: (row) => row.contribution.toFixed(4), align: 'right' },
    ],
    only.contributions.slice(0, CONTRIBUTIONS),
  );
  const windows = table(
    [
      {
        title: 'from',
        value: (row: FileClassification['windows'][number]) => `${row.startSeconds.toFixed(1)} s`,
        align: 'right',
      },
      { title: 'class', value: (row) => row.class },
      { title: 'probability', value: (row) => percent(row.probability), align: 'right' },
    ],
    only.windows,
  );
  return [
    overview,
    scores,
    `Largest contributions to “${only.prediction ?? ''}”:\n${contributions}`,
    windows,
  ].join('\n\n');
}
