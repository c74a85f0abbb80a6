import { answer } from '../answer.ts';
import type { Handlers } from '../api/contract.ts';
import { EngineError } from '../api/errors.ts';
import type { LearnedSpace, similarityMethods } from '../api/similarity.ts';
import type { SpaceInfo } from '../api/spaces.ts';
import type { EngineContext } from '../context.ts';
import { jobKind } from '../jobs/kind.ts';
import type { Library } from '../library/library.ts';
import { spaceOfPack } from '../library/pack-space.ts';
import { packOfSpace } from '../packs/of-space.ts';
import { learnedSpaceOf } from './card.ts';
import { readiness } from './gather.ts';
import { learnSimilarity, learnSpecSchema } from './learn.ts';
import { fillSpace, parentSpace, requireIdle, seeIn } from './spaces.ts';

/** Similarities that are learned from playlists. */
export function similarityHandlers(context: EngineContext): Pick<Handlers, keyof typeof similarityMethods> {
  const { libraries, jobs, packs } = context;
  jobs.register(
    jobKind({
      kind: 'learn-similarity',
      lane: 'compute',
      spec: learnSpecSchema,
      title: ({ title }) => `Learn “${title}”`,
      run: (spec, job) => learnSimilarity(context, spec, job),
    }),
  );
  const learnedIn = (library: Library): LearnedSpace[] => {
    const used = library.space().encoderSha256;
    return packs
      .list()
      .flatMap(({ id }) => {
        const pack = packs.get(id);
        return learnedSpaceOf(pack, library.id, pack.encoderSha256 === used) ?? [];
      })
      .sort((a, b) => (a.title < b.title ? -1 : a.title > b.title ? 1 : a.packId < b.packId ? -1 : 1));
  };
  const learnedPackOf = (library: Library, packId: string): LearnedSpace => {
    const found = learnedIn(library).find((space) => space.packId === packId);
    if (found) return found;
    throw new EngineError(
      'not-found',
      `This library has no learned space “${packId}”.`,
      'Learn one from playlists.',
    );
  };
  /** Space of a pack that is no projection, with its tracks; null where none is embedded by it. */
  const embeddedBy = (library: Library, packId: string): (SpaceInfo & { tracks: number }) | null => {
    const pack = packs.find(packId);
    if (!pack || pack.manifest.projectionOf) return null;
    const seen = (space: SpaceInfo & { tracks: number }): boolean =>
      space.packId === packId && space.windows === library.windows() && space.deformation === null;
    return library.spaces.list().find((space) => seen(space) && space.tracks > 0) ?? null;
  };
  return {
    'similarity.list': ({ libraryId }) => answer(() => learnedIn(libraries.get(libraryId))),
    'similarity.readiness': async ({ libraryId }) => {
      const library = libraries.get(libraryId);
      return readiness(library, parentSpace(context, library).space);
    },
    'similarity.learn': async (spec) => {
      // What is missing is said at once, not by a job.
      const library = libraries.get(spec.libraryId);
      const { problem } = await readiness(library, parentSpace(context, library).space);
      if (problem) throw new EngineError('too-few-labels', problem.message, problem.hint);
      return { jobId: jobs.start('learn-similarity', { libraryId: spec.libraryId, spec }) };
    },
    'similarity.use': async ({ libraryId, packId }, { signal }) => {
      const library = libraries.get(libraryId);
      requireIdle(context, library);
      const parent = parentSpace(context, library);
      if (packId === null) {
        seeIn(context, library, parent.space);
        return {
          packId: parent.pack.manifest.id,
          tracks: library.embeddings.tracks(parent.space).trackIds.length,
        };
      }
      const embedded = embeddedBy(library, packId);
      if (embedded) {
        packOfSpace(context, embedded, 'its tracks were embedded with');
        seeIn(context, library, embedded);
        return { packId, tracks: embedded.tracks };
      }
      learnedPackOf(library, packId);
      const pack = packs.get(packId);
      const space = spaceOfPack(library, pack);
      const tracks = await fillSpace(context, library, { pack, space }, parent.space, { signal });
      // A job may have begun meanwhile.
      requireIdle(context, library);
      seeIn(context, library, space);
      return { packId, tracks };
    },
    'similarity.remove': async ({ libraryId, packId }) => {
      const library = libraries.get(libraryId);
      const { inUse } = learnedPackOf(library, packId);
      if (inUse) {
        requireIdle(context, library);
        seeIn(context, library, parentSpace(context, library).space);
      }
      await packs.remove(packId);
      return null;
    },
  };
}
