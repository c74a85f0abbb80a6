import { isDeepStrictEqual } from 'node:util';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { EngineError } from '../api/errors.ts';
import type { sonifyMethods } from '../api/sonify.ts';
import { writeNew } from '../bundles/write-new.ts';
import { answer } from '../answer.ts';
import type { Handlers } from '../api/contract.ts';
import type { EngineContext } from '../context.ts';
import { jobKind } from '../jobs/kind.ts';
import { nameOfVectors } from '../neighbours/vector-ref.ts';
import { backgroundSpecSchema, settled, soundsAreMissing, soundsInBackground } from './background.ts';
import { pictureOf } from './picture.ts';
import { sonifySpecSchema, sonifyTargets } from './sonify.ts';

/** Vectors made audible. */
export function sonifyHandlers(context: EngineContext): Pick<Handlers, keyof typeof sonifyMethods> {
  const { jobs } = context;
  jobs.register(
    jobKind({
      kind: 'sonify',
      // One sound is listened to; all of an experiment are work.
      lane: ({ targets }) => (targets.length === 1 ? 'listen' : 'compute'),
      spec: sonifySpecSchema,
      title: ({ libraryId, targets }) => `Sonify ${nameOfVectors(context.libraries.get(libraryId), targets)}`,
      run: async ({ libraryId, ...request }, job) => {
        const library = context.libraries.get(libraryId);
        return { kind: 'sonify', sonifications: await sonifyTargets(context, library, request, job) };
      },
    }),
  );
  jobs.register(
    jobKind({
      kind: 'background-sounds',
      lane: 'background',
      resumable: true,
      spec: backgroundSpecSchema,
      title: ({ libraryId, experimentId }) =>
        `Sounds of ${context.libraries.get(libraryId).experiments.get(experimentId).name}, in the background`,
      run: async (request, job) => ({
        kind: 'background-sounds',
        ...(await soundsInBackground(context, request, job)),
      }),
    }),
  );
  return {
    'sonify.start': (spec) =>
      answer(() => ({ jobId: jobs.start('sonify', { libraryId: spec.libraryId, spec }) })),
    'sonify.save': async ({ libraryId, soundId, file }) => {
      const { sonifications } = context.libraries.get(libraryId);
      if (!sonifications.find(context.media, soundId))
        throw new EngineError(
          'not-found',
          'There is no such sound.',
          'It may have been made again: try again.',
        );
      const bytes = await readFile(sonifications.path(soundId)).catch((thrown: unknown) => {
        throw new EngineError(
          'not-found',
          'The sound is not there any more.',
          'Play it: then it is made again.',
          {
            cause: thrown,
          },
        );
      });
      await writeNew(resolve(file), bytes);
      return { bytes: bytes.length };
    },
    'sonify.picture': ({ libraryId, of }, { signal }) =>
      pictureOf(context, context.libraries.get(libraryId), of, signal),
    'sonify.background': async (request) => {
      const spec = settled(context, request);
      const missing = await soundsAreMissing(context, spec);
      const { libraryId } = spec;
      // From here on nothing is waited for: two that ask at once get one job.
      let known: string | null = null;
      for (const { id, spec: told } of jobs.unfinished('background-sounds', libraryId)) {
        if (missing && known === null && isDeepStrictEqual(told, JSON.parse(JSON.stringify(spec))))
          known = id;
        else jobs.cancel(id);
      }
      if (!missing) return { jobId: null };
      return { jobId: known ?? jobs.start('background-sounds', { libraryId, spec }) };
    },
  };
}
