import {
  pairModes,
  retrievalMetrics,
  retrievalTitles,
  similarityMethodNames,
  similarityTitles,
  verdictOf,
  verdictTexts,
  type Figure,
  type LearnedSpace,
  type PairMode,
  type SimilarityAssessment,
  type SimilarityFigures,
} from '../../engine/api/similarity.ts';
import { EngineError } from '../../engine/api/errors.ts';
import { counted } from '../../engine/counted.ts';
import { seedNumber, wholeNumber } from '../options.ts';
import { pairs, table } from '../text.ts';
import type { AddVerb } from '../verb.ts';

interface LearnOptions {
  title: string;
  pairs: PairMode;
  dim: number;
  hidden: number;
  epochs: number;
  steps: number;
  masks: boolean;
  seed: number;
  use: boolean;
}

const LIBRARY = ['<library>', "folder with the library's data"] as const;

/** Adds `archetone similarity`. */
export const similarityVerb: AddVerb = (program, cli) => {
  const similarity = program
    .command('similarity')
    .description('A similarity of your own: a projection of embeddings that is learned from your playlists.');

  similarity
    .command('learn')
    .description('Learn from the playlists of a library, measure it, and see the library in it.')
    .argument(...LIBRARY)
    .option('--title <text>', 'what the learned space is called', 'My similarity')
    .addOption(
      similarity
        .createOption('--pairs <kind>', 'which tracks are held to be alike')
        .choices(pairModes)
        .default('random'),
    )
    .option('--dim <n>', 'numbers per vector of the learned space', wholeNumber(2, 512), 64)
    .option('--hidden <n>', 'units of a hidden layer; 0: a linear projection', wholeNumber(0, 1024), 0)
    .option('--epochs <n>', 'passes over the playlists', wholeNumber(1, 1000), 40)
    .option(
      '--steps <n>',
      'steps at least: few pairs are gone through more often',
      wholeNumber(1, 100_000),
      300,
    )
    .option('--no-masks', 'hold other tracks of a playlist to be different')
    .option('--seed <n>', 'seed of split, pairs and weights', seedNumber, 1)
    .option('--no-use', 'leave the library in the space it is seen in')
    .addHelpText(
      'after',
      `
Pairs: random (any two of a playlist), pmi (two that meet in several playlists more often than by chance), svd (neighbours in
what the playlists alone tell), artist (two of one artist).

Examples:
  archetone playlists add ~/archetone-music ~/Playlists
  archetone similarity learn ~/archetone-music
  archetone similarity learn ~/archetone-music --pairs pmi --title "by co-occurrence" --no-use --json`,
    )
    .action((folder: string, options: LearnOptions) =>
      cli.answer(() =>
        cli.withLibrary(folder, async (session) => {
          const { id: libraryId } = await session.library();
          const {
            title,
            use,
            pairs: kind,
            dim,
            hidden,
            epochs,
            steps: leastSteps,
            masks: maskAlike,
            seed,
          } = options;
          const settings = { pairs: kind, dim, hidden, epochs, leastSteps, maskAlike, seed };
          const { packId, tracks, used } = await session.run('learn-similarity', (client) =>
            client.call('similarity.learn', { libraryId, settings, title, use }),
          );
          const spaces = await session.client.call('similarity.list', { libraryId });
          const learned = spaces.find((space) => space.packId === packId);
          if (!learned)
            throw new EngineError('not-found', 'The learned space was removed meanwhile.', 'Learn it again.');
          const text = [
            described(learned),
            used
              ? `The library is seen in it: ${counted(tracks, 'track')}. Back: archetone similarity use <library>`
              : `In it: ${counted(tracks, 'track')}. See the library in it: archetone similarity use <library> ${packId}`,
          ];
          return { json: { ...learned, embedded: tracks, used }, text: text.join('\n\n') };
        }),
      ),
    );

  similarity
    .command('list')
    .description('List learned spaces with how well they do.')
    .argument(...LIBRARY)
    .addHelpText('after', '\nExample:\n  archetone similarity list ~/archetone-music')
    .action((folder: string) =>
      cli.answer(() =>
        cli.withLibrary(folder, async (session) => {
          const { id: libraryId } = await session.library();
          const spaces = await session.client.call('similarity.list', { libraryId });
          const readiness = await session.client.call('similarity.readiness', { libraryId });
          const { problem, playlists, tracks } = readiness;
          const ready = problem
            ? `${problem.message} ${problem.hint}`
            : `To learn from: ${counted(playlists, 'playlist')} with ${counted(tracks, 'different track')}.`;
          return { json: { spaces, readiness }, text: [...spaces.map(described), ready].join('\n\n') };
        }),
      ),
    );

  similarity
    .command('use')
    .description('See a library in a learned space, or without one in that of the pack it was learned on.')
    .argument(...LIBRARY)
    .argument('[pack]', 'id of a learned space')
    .addHelpText('after', '\nExample:\n  archetone similarity use ~/archetone-music learned-0123456789ab')
    .action((folder: string, packId: string | undefined) =>
      cli.answer(() =>
        cli.withLibrary(folder, async (session) => {
          const { id: libraryId } = await session.library();
          const used = await session.client.call('similarity.use', { libraryId, packId: packId ?? null });
          return { json: used, text: `Seen in ${used.packId}: ${counted(used.tracks, 'track')}.` };
        }),
      ),
    );

  similarity
    .command('remove')
    .description('Forget a learned space; a library seen in it goes back to the pack it was learned on.')
    .argument(...LIBRARY)
    .argument('<pack>', 'id of a learned space')
    .addHelpText('after', '\nExample:\n  archetone similarity remove ~/archetone-music learned-0123456789ab')
    .action((folder: string, packId: string) =>
      cli.answer(() =>
        cli.withLibrary(folder, async (session) => {
          const { id: libraryId } = await session.library();
          await session.client.call('similarity.remove', { libraryId, packId });
          return { json: { removed: packId }, text: `Forgot ${packId}.` };
        }),
      ),
    );
};

function described(space: LearnedSpace): string {
  const { packId, title, parent, settings, playlists, tracks, assessment, inUse } = space;
  return [
    pairs([
      ['space', `${title} (${packId})${inUse ? ', in use' : ''}`],
      ['learned on', parent.title],
      [
        'from',
        `${counted(playlists, 'playlist')} with ${counted(tracks, 'different track')}, pairs: ${settings.pairs}`,
      ],
    ]),
    figures(assessment),
  ].join('\n');
}

function figures({ all, otherArtists }: SimilarityAssessment): string {
  const without = otherArtists
    ? [
        `without pairs of one artist, ${asked(otherArtists)}:`,
        figureTable(otherArtists),
        verdictTexts[verdictOf(otherArtists)],
      ]
    : ['No figures without pairs of one artist: too few artists are known.'];
  return [`${asked(all)}:`, figureTable(all), verdictTexts[verdictOf(all)], ...without].join('\n');
}

const asked = ({ lists, queries }: SimilarityFigures): string =>
  `${counted(queries, 'track')} asked for the rest of ${counted(lists, 'playlist')}, none of them learned from`;

function figureTable({ methods, chance }: SimilarityFigures): string {
  const rows = [...similarityMethodNames, 'chance' as const];
  return table<(typeof rows)[number]>(
    [
      { title: 'space', value: (row) => (row === 'chance' ? 'A random order' : similarityTitles[row]) },
      ...retrievalMetrics.map((metric) => ({
        title: retrievalTitles[metric],
        value: (row: (typeof rows)[number]) =>
          row === 'chance' ? chance[metric].toFixed(3) : interval(methods[row][metric]),
        align: 'right' as const,
      })),
    ],
    rows,
  );
}

const interval = ({ value, low, high }: Figure): string =>
  `${value.toFixed(3)} (${low.toFixed(3)}–${high.toFixed(3)})`;
