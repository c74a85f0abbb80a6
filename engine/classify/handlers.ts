import { basename, join, resolve } from 'node:path';
import type * as z from 'zod';
import { classifyMethods } from '../api/classify.ts';
import { tagsMethods } from '../api/tags.ts';
import type { Handlers } from '../api/contract.ts';
import { isAudioName } from '../files/scan.ts';
import { embedFiles } from './embed-files.ts';
import { classifyFiles } from './files.ts';
import { classifyLibrary } from './library.ts';
import { tagFiles } from './tag-files.ts';
import { tagLibrary, tagTrack } from './tag-library.ts';
import { classifyWindows } from './explain.ts';
import type { EngineContext } from '../context.ts';
import { COPIES_FOLDER, type Playback } from '../library/playback.ts';
import { jobKind } from '../jobs/kind.ts';
import { taggerKey, taggerOf } from '../packs/tagger.ts';
import { answer } from '../answer.ts';

type Part = Pick<
  Handlers,
  | 'classify.library'
  | 'classify.files'
  | 'classify.audioUrl'
  | 'classify.windows'
  | 'embed.files'
  | 'tags.files'
  | 'tags.track'
  | 'tags.library'
  | 'tags.kept'
>;

/** Without paths: the library. */
const specSchema = classifyMethods['classify.files'].input.partial({ paths: true });

/** Classification of the library, of files outside it, and of the windows of a track. */
export function classifyHandlers(context: EngineContext, playback: Playback): Part {
  context.jobs.register(
    jobKind({
      kind: 'classify',
      // Somebody waits for the file that was dropped; a folder of them, or the library, is work.
      lane: ({ paths = [] }) =>
        paths.length === 1 && isAudioName(basename(paths[0] ?? '')) ? 'listen' : 'compute',
      spec: specSchema,
      title: ({ libraryId, experimentId, paths }) => {
        const experiment = context.libraries.get(libraryId).experiments.get(experimentId);
        return `Classify ${describePaths(paths)} by ${experiment.name}`;
      },
      run: async ({ libraryId, experimentId, paths }, job) => {
        const library = context.libraries.get(libraryId);
        if (paths) {
          const files = await classifyFiles(context, library, { experimentId, paths }, job);
          return { kind: 'classify', experimentId, tracks: files.length, files };
        }
        const predictions = await classifyLibrary(library, experimentId, {
          signal: job.signal,
          onTrack: (done, total) => job.report({ done, total, unit: 'tracks' }),
        });
        return { kind: 'classify', experimentId, tracks: predictions.size, files: [] };
      },
    }),
  );
  context.jobs.register(
    jobKind({
      kind: 'tag-library',
      lane: 'compute',
      spec: tagsMethods['tags.library'].input,
      title: ({ packId, headId }) =>
        `Tag the library by ${headId ?? context.packs.get(packId).manifest.title}`,
      run: async (spec, job) => ({
        kind: 'tag-library',
        ...(await tagLibrary(context, context.libraries.get(spec.libraryId), spec, job)),
      }),
    }),
  );
  const start = (spec: z.output<typeof specSchema>): Promise<{ jobId: string }> =>
    answer(() => ({ jobId: context.jobs.start('classify', { libraryId: spec.libraryId, spec }) }));
  return {
    'classify.library': start,
    'classify.files': start,
    'classify.audioUrl': async ({ libraryId, path }) => ({
      // Copies lie with those of the library's tracks, and are limited with them.
      url: await playback.urlOfFile(
        resolve(path),
        join(context.libraries.get(libraryId).cacheFolder, COPIES_FOLDER),
      ),
    }),
    'embed.files': (request, { signal }) => embedFiles(context, request, signal),
    'tags.files': (request, { signal }) => tagFiles(context, request, signal),
    'tags.library': async (spec) => {
      // Said at once rather than by a job that fails.
      await taggerOf(context, spec);
      return { jobId: context.jobs.start('tag-library', { libraryId: spec.libraryId, spec }) };
    },
    'tags.track': async ({ libraryId, trackId, packId, headId }, { signal }) => {
      const library = context.libraries.get(libraryId);
      const tagger = await taggerOf(context, { packId, headId }, 'listen');
      return tagTrack(context, library, tagger, trackId, signal);
    },
    'tags.kept': ({ libraryId }) =>
      answer(() => {
        const { tags } = context.libraries.get(libraryId);
        // A pack or a head that took the place of another says something else.
        for (const kept of tags.list()) {
          const key = taggerKey(context, kept);
          if (key !== null) tags.forgetOthers({ ...kept, key });
        }
        return tags.list();
      }),
    'classify.windows': ({ libraryId, experimentId, trackId }) =>
      answer(() => classifyWindows(context.libraries.get(libraryId), experimentId, trackId)),
  };
}

function describePaths(paths: readonly string[] | undefined): string {
  if (paths === undefined) return 'the library';
  return paths.length === 1 ? basename(paths[0] ?? '') : `${paths.length} files`;
}
