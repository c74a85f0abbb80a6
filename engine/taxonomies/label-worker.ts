/**
 * Worker entry: reads one label file and finds the tracks it names, or reads files of playlists, covers or lyrics. Files of millions of rows
 * keep a processor busy for seconds, and one may hold anything; a thread can be limited and ended, the engine cannot.
 */
import { coverFeatures } from '../../models/modalities/cover-features.ts';
import { openImageNetwork, type ImageNetwork } from '../../models/modalities/image-network.ts';
import { PictureError, readPicture } from '../../models/modalities/picture.ts';
import { lyricsBeside } from '../../models/modalities/words.ts';
import { PlaylistError } from '../../models/playlists/playlist.ts';
import { readPlaylists } from '../../models/playlists/read.ts';
import { EngineError } from '../wire/errors.ts';
import { serve } from '../wire/serve.ts';
import { insideWorker } from '../wire/transports/worker.ts';
import { asEngineError } from '../packs/failures.ts';
import { labelContract, type CoverAnswer, type PlaylistAnswer } from './label-protocol.ts';
import { readLabelRows } from './label-rows.ts';
import { LabelTableBuilder } from './label-table.ts';

serve(insideWorker(), labelContract, {
  read: async ({ path, paths, folder }, { alive }) => {
    alive();
    const table = new LabelTableBuilder(paths, folder);
    for await (const rows of readLabelRows(path)) {
      for (const row of rows) table.add(row);
      alive();
    }
    return table.finish();
  },
  playlists: ({ paths }, { alive }) =>
    each(paths, alive, (path): Promise<PlaylistAnswer> =>
      readPlaylists(path).then(
        (lists) => ({ lists }),
        (thrown: unknown) => ({ problem: playlistError(thrown).toData() }),
      ),
    ),
  covers: async ({ paths, network }, { alive }) => {
    alive();
    const described = network ? await opened(network.path, network.sha256) : null;
    try {
      return await each(paths, alive, (path): Promise<CoverAnswer> =>
        readPicture(path)
          .then((pixels) => (described ? described.describe(pixels) : coverFeatures(pixels)))
          .then(
            (features) => ({ features }),
            (thrown: unknown) => ({ problem: pictureError(thrown).toData() }),
          ),
      );
    } finally {
      await described?.close();
    }
  },
  imageNetwork: async ({ path }, { alive }) => {
    alive();
    const network = await opened(path, null);
    const { card, sha256, dim } = network;
    await network.close();
    return { name: card.name, licence: card.licence ?? null, sha256, dim };
  },
  lyrics: ({ paths }, { alive }) => each(paths, alive, lyricsBeside),
});

/** @throws EngineError `pack` for a network that cannot be used, or is another one than `sha256` */
async function opened(path: string, sha256: string | null): Promise<ImageNetwork> {
  const network = await openImageNetwork(path).catch((thrown: unknown) => {
    throw asEngineError(thrown);
  });
  if (sha256 === null || network.sha256 === sha256) return network;
  await network.close();
  throw new EngineError(
    'pack',
    `${path} is another network than the one this was learned with.`,
    'Put that one back, or learn again with this one.',
  );
}

/** An answer for each file, with a sign of life before it. */
async function each<T>(
  paths: readonly string[],
  alive: () => void,
  read: (path: string) => Promise<T>,
): Promise<T[]> {
  const answers: T[] = [];
  for (const path of paths) {
    alive();
    answers.push(await read(path));
  }
  return answers;
}

function pictureError(thrown: unknown): EngineError {
  if (!(thrown instanceof PictureError)) return EngineError.from(asEngineError(thrown));
  const { code, message, hint } = thrown;
  const codes = { missing: 'not-found', unreadable: 'unreadable' } as const;
  const known = code === 'missing' || code === 'unreadable' ? codes[code] : 'bad-input';
  return new EngineError(known, message, hint, { detail: { code } });
}

function playlistError(thrown: unknown): EngineError {
  if (!(thrown instanceof PlaylistError)) return EngineError.from(thrown);
  const { code, message, hint } = thrown;
  const codes = { missing: 'not-found', unreadable: 'unreadable' } as const;
  const known = code === 'missing' || code === 'unreadable' ? codes[code] : 'bad-input';
  return new EngineError(known, message, hint, { detail: { code } });
}
