import { resolve } from 'node:path';
import {
  modalityTitles,
  trialTitle,
  trialVerdict,
  type FindBy,
  type FoundTrack,
  type SharedClasses,
  type SharedSpace,
  type SharedTrialFigures,
} from '../../engine/api/modalities.ts';
import { EngineError } from '../../engine/api/errors.ts';
import { counted } from '../../engine/counted.ts';
import { seedNumber, wholeNumber } from '../options.ts';
import type { Session } from '../session.ts';
import { pairs, table } from '../text.ts';
import type { AddVerb } from '../verb.ts';

const LIBRARY = ['<library>', "folder with the library's data"] as const;
const SPACE = ['--space <id>', 'a space of covers and words; default: the newest'] as const;

interface LearnOptions {
  classes: string;
  title: string;
  imageNetwork?: string;
  dim: number;
  steps?: number;
  seed: number;
}

interface FindOptions {
  cover?: string;
  words?: string;
  space?: string;
  k: number;
}

/** Adds `archetone modalities`. */
export const modalitiesVerb: AddVerb = (program, cli) => {
  const modalities = program
    .command('modalities')
    .description('Sound, covers and words of a library in one space, with class vectors in common.');

  modalities
    .command('learn')
    .description('Learn the common space from tracks, covers, tags and lyrics, and measure what it tells.')
    .argument(...LIBRARY)
    .option('--classes <kind>', 'artist, album, or the name or id of a taxonomy', 'artist')
    .option('--title <text>', 'what the space is called', 'Covers and words')
    .option(
      '--image-network <file>',
      'an ONNX network that looks at covers, with a JSON beside it; default: hand-made features',
    )
    .option('--dim <n>', 'numbers per vector of the common space', wholeNumber(2, 256), 32)
    .option(
      '--steps <n>',
      'steps of learning; default: as many as help artists that are left out of it',
      wholeNumber(1, 20_000),
    )
    .option('--seed <n>', 'seed of split, batches and weights', seedNumber, 1)
    .addHelpText(
      'after',
      `
Covers are the pictures of tags or cover.jpg beside the tracks; words are title, artist, album, genre, comment and lyrics (.lrc or .txt of the
track's name), without the names of the classes.

Examples:
  archetone modalities learn ~/archetone-music
  archetone modalities learn ~/archetone-music --classes Genres --seed 2 --json
  archetone modalities learn ~/archetone-music --image-network ~/networks/pictures.onnx`,
    )
    .action((folder: string, { classes, title, imageNetwork, steps, ...more }: LearnOptions) =>
      cli.answer(() =>
        cli.withLibrary(folder, async (session) => {
          const { id: libraryId } = await session.library();
          const from = await classesOf(session, libraryId, classes);
          const { sharedId } = await session.run('learn-modalities', (client) =>
            client.call('modalities.learn', {
              ...{ libraryId, classes: from, settings: { ...more, steps: steps ?? null }, title },
              imageNetwork: imageNetwork === undefined ? null : resolve(imageNetwork),
            }),
          );
          const space = await spaceOf(session, libraryId, sharedId);
          return { json: space, text: described(space) };
        }),
      ),
    );

  modalities
    .command('list')
    .description('List the spaces of covers and words with what they tell.')
    .argument(...LIBRARY)
    .addHelpText('after', '\nExample:\n  archetone modalities list ~/archetone-music')
    .action((folder: string) =>
      cli.answer(() =>
        cli.withLibrary(folder, async (session) => {
          const { id: libraryId } = await session.library();
          const spaces = await session.client.call('modalities.list', { libraryId });
          const text = spaces.map(described).join('\n\n');
          return { json: spaces, text: text || 'There is none yet: archetone modalities learn <library>' };
        }),
      ),
    );

  modalities
    .command('find')
    .description('Find the recordings that are nearest to a picture, or to words.')
    .argument(...LIBRARY)
    .option('--cover <file>', 'a JPEG or PNG')
    .option('--words <text>', 'any words')
    .option(...SPACE)
    .option('-k <n>', 'how many', wholeNumber(1, 1000), 10)
    .addHelpText(
      'after',
      `
Examples:
  archetone modalities find ~/archetone-music --words "rain on a harbour"
  archetone modalities find ~/archetone-music --cover ~/Pictures/sleeve.jpg -k 20`,
    )
    .action((folder: string, { cover, words, space: wanted, k }: FindOptions) =>
      cli.answer(() =>
        cli.withLibrary(folder, async (session) => {
          const { id: libraryId } = await session.library();
          const { id: sharedId } = await spaceOf(session, libraryId, wanted);
          const by = queryOf(cover, words);
          const found = await session.client.call('modalities.find', { libraryId, sharedId, by, k });
          const near = found.classes.map(({ name, cosine }) => `${name} ${cosine.toFixed(2)}`);
          return {
            json: found,
            text: `${trackTable(found.tracks)}\n\nNearest classes: ${near.slice(0, 5).join(', ')}`,
          };
        }),
      ),
    );

  modalities
    .command('covers')
    .description('List covers by how little they fit their own recordings: those that look wrong come first.')
    .argument(...LIBRARY)
    .option(...SPACE)
    .option('-k <n>', 'how many', wholeNumber(1, 1000), 20)
    .addHelpText('after', '\nExample:\n  archetone modalities covers ~/archetone-music -k 5')
    .action((folder: string, { space: wanted, k: limit }: Pick<FindOptions, 'space' | 'k'>) =>
      cli.answer(() =>
        cli.withLibrary(folder, async (session) => {
          const { id: libraryId } = await session.library();
          const { id: sharedId } = await spaceOf(session, libraryId, wanted);
          const fits = await session.client.call('modalities.covers', { libraryId, sharedId, limit });
          const text = table(
            [
              { title: 'z', value: ({ z }) => z.toFixed(2), align: 'right' },
              { title: 'album', value: ({ track }) => track.album ?? '' },
              { title: 'track', value: ({ track }) => track.path },
              { title: 'cover that fits better', value: ({ better }) => better?.path ?? '' },
            ],
            fits,
          );
          return { json: fits, text };
        }),
      ),
    );

  modalities
    .command('classes')
    .description('List the class vectors, each with the covers and recordings nearest to it.')
    .argument(...LIBRARY)
    .option(...SPACE)
    .addHelpText('after', '\nExample:\n  archetone modalities classes ~/archetone-music')
    .action((folder: string, { space: wanted }: Pick<FindOptions, 'space'>) =>
      cli.answer(() =>
        cli.withLibrary(folder, async (session) => {
          const { id: libraryId } = await session.library();
          const { id: sharedId } = await spaceOf(session, libraryId, wanted);
          const classes = await session.client.call('modalities.classes', { libraryId, sharedId });
          const text = table(
            [
              { title: 'class', value: ({ name }) => name },
              { title: 'tracks', value: ({ tracks }) => String(tracks), align: 'right' },
              { title: 'nearest cover', value: ({ covers }) => covers[0]?.path ?? '' },
              { title: 'its own', value: ({ covers }) => (covers[0]?.own ? 'yes' : 'no') },
              { title: 'nearest recording', value: ({ nearest }) => nearest[0]?.path ?? '' },
            ],
            classes,
          );
          return { json: classes, text };
        }),
      ),
    );

  modalities
    .command('remove')
    .description('Forget a space of covers and words.')
    .argument(...LIBRARY)
    .argument('<space>', 'id of the space')
    .addHelpText('after', '\nExample:\n  archetone modalities remove ~/archetone-music 0123456789ab')
    .action((folder: string, sharedId: string) =>
      cli.answer(() =>
        cli.withLibrary(folder, async (session) => {
          const { id: libraryId } = await session.library();
          await session.client.call('modalities.remove', { libraryId, sharedId });
          return { json: { removed: sharedId }, text: `Forgot ${sharedId}.` };
        }),
      ),
    );
};

async function classesOf(session: Session, libraryId: string, kind: string): Promise<SharedClasses> {
  if (kind === 'artist' || kind === 'album') return { kind };
  const taxonomies = await session.client.call('taxonomies.list', { libraryId });
  const found = taxonomies.find(({ id, name }) => id === kind || name === kind);
  if (found) return { kind: 'taxonomy', taxonomyId: found.id };
  throw new EngineError(
    'not-found',
    `This library has no taxonomy “${kind}”.`,
    `Choose artist, album, or one of: ${taxonomies.map(({ name }) => name).join(', ') || '(none)'}.`,
  );
}

async function spaceOf(
  session: Session,
  libraryId: string,
  wanted: string | undefined,
): Promise<SharedSpace> {
  const spaces = await session.client.call('modalities.list', { libraryId });
  const found = wanted === undefined ? spaces[0] : spaces.find(({ id }) => id === wanted);
  if (found) return found;
  throw new EngineError(
    'not-found',
    wanted === undefined ? 'No space of covers and words was learned yet.' : `There is no space “${wanted}”.`,
    'Run: archetone modalities learn <library>',
  );
}

function queryOf(cover: string | undefined, words: string | undefined): FindBy {
  if (cover !== undefined && words === undefined) return { kind: 'cover', path: resolve(cover) };
  if (words !== undefined && cover === undefined) return { kind: 'words', text: words };
  throw new EngineError(
    'bad-input',
    'Recordings are looked for by a cover or by words.',
    'Give --cover or --words.',
  );
}

function described(space: SharedSpace): string {
  const { id, title, classesTitle, classes, tracks, groups, covers, modalities } = space;
  const { withoutCover, unreadCovers, wordsLeftOut, lyrics, steps, imageNetwork } = space;
  return [
    pairs([
      ['space', `${title} (${id})`],
      [
        'learned from',
        `${counted(tracks, 'track')} of ${classes} ${classesTitle}, in ${counted(groups, 'group')}`,
      ],
      ['steps', steps === null ? 'not known' : String(steps)],
      ['covers looked at by', imageNetwork?.name ?? 'hand-made features'],
      ['modalities', modalities.map((of) => modalityTitles[of].toLowerCase()).join(', ')],
      [
        'covers',
        `${covers} different; ${counted(withoutCover, 'track')} without, ${unreadCovers.length} left out or not read`,
      ],
      [
        'words',
        `lyrics of ${counted(lyrics, 'track')}; names of classes left out ${counted(wordsLeftOut, 'time')}`,
      ],
    ]),
    trialTable(space.trials),
    ...unreadCovers.slice(0, 10).map(({ path, reason }) => `${path}: ${reason}`),
  ].join('\n');
}

function trialTable(trials: readonly SharedTrialFigures[]): string {
  const interval = ({ value, low, high }: SharedTrialFigures['eer']): string =>
    `${value.toFixed(3)} (${low.toFixed(3)}–${high.toFixed(3)})`;
  return table(
    [
      { title: 'pairs', value: trialTitle },
      { title: 'EER', value: ({ eer }) => interval(eer), align: 'right' },
      { title: 'control', value: ({ control }) => interval(control), align: 'right' },
      { title: 'AUC', value: ({ auc }) => auc.toFixed(3), align: 'right' },
      { title: 'of one class', value: ({ targets }) => String(targets), align: 'right' },
      { title: 'others', value: ({ others }) => String(others), align: 'right' },
      { title: 'verdict', value: trialVerdict },
    ],
    trials,
  );
}

function trackTable(tracks: readonly FoundTrack[]): string {
  return table(
    [
      { title: 'cosine', value: ({ cosine }) => cosine.toFixed(3), align: 'right' },
      { title: 'artist', value: ({ artist }) => artist ?? '' },
      { title: 'title', value: ({ title }) => title },
      { title: 'path', value: ({ path }) => path },
    ],
    tracks,
  );
}
