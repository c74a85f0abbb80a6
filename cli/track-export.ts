import type { Input } from '../engine/api/contract.ts';
import { EngineError } from '../engine/api/errors.ts';
import { parseSearch } from '../engine/api/search-query.ts';
import { counted } from '../engine/counted.ts';
import { foundTracks, scopeOf } from './found-tracks.ts';
import { list, wholeNumber } from './options.ts';
import type { Session } from './session.ts';
import type { Command } from 'commander';

export type TrackSubject = Extract<Input<'exports.start'>['subject'], { kind: 'tracks' }>;

/** Options of `archetone export` that are about tracks. */
export interface TrackExportOptions {
  tracks?: boolean;
  windows?: boolean;
  search?: string;
  taxonomy?: string;
  experiment?: string;
  spaces?: string[];
  map?: 'pca' | 'umap' | 'none';
  neighbours?: number;
  copyFiles?: boolean;
}

const NEIGHBOURS = 10;

export function addTrackOptions(command: Command): Command {
  return command
    .option('--tracks', 'all tracks with what is known of them, in place of an experiment')
    .option('--windows', 'the same, with a row for each window')
    .option('--search <text>', 'only tracks that this search finds (see: archetone tracks --help)')
    .option(
      '--taxonomy <id>',
      "whose labels: id or name; by default the experiment's, or the library's first",
    )
    .option(
      '--spaces <list>',
      'embedding spaces by pack or key, or all, or none; by default the one in use',
      list,
    )
    .addOption(
      command
        .createOption('--map <method>', 'coordinates on a map of the first space')
        .choices(['umap', 'pca', 'none']),
    )
    .option('--neighbours <n>', 'nearest rows of each row in the first space', wholeNumber(0, 100))
    .option('--copy-files', "also copy the tracks' files");
}

/**
 * What is to be exported of tracks. With embeddings also a map and neighbours, unless they are told otherwise.
 * @throws EngineError `not-found`, `bad-input`
 */
export async function trackSubject(
  session: Session,
  libraryId: string,
  options: TrackExportOptions,
): Promise<TrackSubject> {
  const scope = await scopeOf(session, libraryId, options);
  const spaces = await spacesOf(session, libraryId, options.spaces);
  const { search } = options;
  if (search !== undefined) parseSearch(search);
  const found = search === undefined ? null : await foundTracks(session, { libraryId, ...scope, search });
  if (found?.tracks.length === 0)
    throw new EngineError('not-found', `No track is found by “${search ?? ''}”.`, 'Try another search.');
  const map = options.map ?? (spaces.length > 0 ? 'umap' : 'none');
  return {
    kind: 'tracks',
    trackIds: found?.tracks.map(({ id }) => id) ?? null,
    level: options.windows === true ? 'window' : 'track',
    ...scope,
    spaces,
    map: map === 'none' ? null : map,
    neighbours: options.neighbours ?? (spaces.length > 0 ? NEIGHBOURS : 0),
    copyFiles: options.copyFiles ?? false,
  };
}

/** Keys of the spaces that were named. @throws EngineError `not-found` */
async function spacesOf(session: Session, libraryId: string, named: string[] | undefined): Promise<string[]> {
  const known = await session.client.call('libraries.spaces', { libraryId });
  const { space } = await session.client.call('libraries.get', { libraryId });
  if (named === undefined) return known.filter(({ key }) => key === space?.key).map(({ key }) => key);
  if (named.length === 1 && named[0] === 'none') return [];
  if (named.length === 1 && named[0] === 'all') return known.map(({ key }) => key);
  return named.map((name) => {
    const fit = known.filter(({ key, packId }) => key === name || packId === name);
    const [one] = fit;
    const all = known
      .map(
        ({ key, packId, windows }) =>
          `${packId} (${windows === 'all' ? 'all windows' : counted(windows, 'window')}: ${key})`,
      )
      .join(', ');
    if (!one)
      throw new EngineError(
        'not-found',
        `No track is embedded in a space “${name}”.`,
        `There are ${all || 'none'}.`,
      );
    if (fit.length > 1)
      throw new EngineError(
        'bad-input',
        `There are ${counted(fit.length, 'space')} of “${name}”.`,
        `Name one by its key: ${all}.`,
      );
    return one.key;
  });
}
