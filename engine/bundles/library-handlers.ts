import type { Handlers } from '../api/contract.ts';
import { librariesMethods } from '../api/libraries.ts';
import { answer } from '../answer.ts';
import type { EngineContext } from '../context.ts';
import { jobKind } from '../jobs/kind.ts';
import { sweepPartial } from './bundle.ts';
import { manifestOf, readLibrary, writeLibrary } from './library.ts';

/** Libraries on their way to another computer. */
export function libraryBundleHandlers({
  libraries,
  backups,
  events,
  jobs,
}: EngineContext): Pick<Handlers, 'libraries.bundle' | 'libraries.takeIn'> {
  jobs.register(
    jobKind({
      kind: 'bundle-library',
      lane: 'network',
      spec: librariesMethods['libraries.bundle'].input,
      title: ({ libraryId, folder }) => `Copy “${libraries.get(libraryId).summary().name}” to ${folder}`,
      run: async ({ libraryId, folder }, job) => {
        await backups.idle(libraryId);
        return { kind: 'bundle-library', bundle: await writeLibrary(libraries.get(libraryId), folder, job) };
      },
      abandoned: ({ folder }, jobId) => sweepPartial(folder, jobId),
    }),
  );
  jobs.register(
    jobKind({
      kind: 'take-in-library',
      lane: 'network',
      spec: librariesMethods['libraries.takeIn'].input,
      // A folder that is none is told at once.
      title: ({ bundle }) => `Take in “${manifestOf(bundle).name}”`,
      run: async ({ bundle, folder }, job) => {
        const { id } = await libraries.adopt(folder, (libraryFolder) =>
          readLibrary(bundle, libraryFolder, job),
        );
        events.emit({ type: 'libraries-changed' });
        return { kind: 'take-in-library', libraryId: id };
      },
    }),
  );
  return {
    'libraries.bundle': (spec) =>
      answer(() => ({ jobId: jobs.start('bundle-library', { libraryId: spec.libraryId, spec }) })),
    'libraries.takeIn': (spec) =>
      answer(() => ({ jobId: jobs.start('take-in-library', { libraryId: null, spec }) })),
  };
}
