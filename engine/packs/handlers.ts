import type { Handlers } from '../api/contract.ts';
import { packAdditionSchema, packsMethods } from '../api/packs.ts';
import type { EngineContext } from '../context.ts';
import { addHead, proposeHead } from './add/add-head.ts';
import { addPack, proposePack } from './add/add.ts';
import { addressesFrom, hubModels } from './add/hub.ts';
import { jobKind } from '../jobs/kind.ts';
import { answer } from '../answer.ts';
import { trainingDataOf } from './training-data.ts';

const specSchema = packsMethods['packs.verify'].input;
type PackMethods = Pick<
  Handlers,
  | 'packs.list'
  | 'packs.problems'
  | 'packs.trainingData'
  | 'packs.verify'
  | 'packs.hub'
  | 'packs.inspect'
  | 'packs.add'
  | 'packs.remove'
  | 'packs.removeHead'
>;

/** The packs that are installed, and how others come and go. */
export function packsHandlers(context: EngineContext): PackMethods {
  const { packs, jobs } = context;
  const addresses = addressesFrom(process.env);
  jobs.register(
    jobKind({
      kind: 'verify-pack',
      lane: 'compute',
      spec: specSchema,
      title: ({ packId }) => `Verify ${packs.get(packId).manifest.title}`,
      run: async ({ packId }, job) => ({
        kind: 'verify-pack',
        verification: await packs.verify(packId, job.signal),
      }),
    }),
  );
  jobs.register(
    jobKind({
      kind: 'add-pack',
      lane: 'network',
      resumable: true,
      spec: packAdditionSchema,
      // Where there is no folder for it that is said at once rather than by a job that fails.
      title: ({ origin }) =>
        `Add ${origin.kind === 'hub' ? origin.id : baseNames(origin.paths)} to ${packs.addFolder}`,
      run: async ({ origin, choices, accepted }, job) => {
        const { signal } = job;
        const head =
          origin.kind === 'files'
            ? await addHead(packs, { paths: origin.paths, choices, accepted, signal })
            : null;
        if (head !== null) return { kind: 'add-pack', ...head };
        const added = await addPack({
          ...{ origin, choices, accepted, addresses, signal },
          packsFolder: packs.addFolder,
          trial: packs.trial(),
          report: (progress) => job.report(progress),
        });
        await packs.refresh();
        return { kind: 'add-pack', headId: null, ...added };
      },
    }),
  );
  return {
    'packs.list': () => answer(() => packs.list()),
    'packs.trainingData': ({ packId }) => trainingDataOf(packs.get(packId)),
    'packs.problems': () => answer(() => [...packs.problems()]),
    'packs.verify': (spec) => answer(() => ({ jobId: jobs.start('verify-pack', { libraryId: null, spec }) })),
    'packs.hub': () => answer(hubModels),
    'packs.inspect': async ({ origin, choices }) =>
      (origin.kind === 'files' ? await proposeHead(packs, origin.paths, choices) : null) ??
      proposePack(origin, choices, addresses),
    'packs.add': (spec) => answer(() => ({ jobId: jobs.start('add-pack', { libraryId: null, spec }) })),
    'packs.remove': async ({ packId }) => {
      await packs.remove(packId);
      return null;
    },
    'packs.removeHead': async ({ packId, headId }) => {
      await packs.heads.remove(packId, headId);
      await packs.refresh();
      return null;
    },
  };
}

function baseNames(paths: readonly string[]): string {
  return paths.map((path) => path.split(/[/\\]/).at(-1) ?? path).join(', ');
}
