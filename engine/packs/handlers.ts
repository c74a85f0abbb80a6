import { z } from 'zod';
import { packAdditionSchema, type Handlers } from '../api/contract.ts';
import type { EngineContext } from '../context.ts';
import { addPack, proposePack } from './add/add.ts';
import { addressesFrom, knownModels } from './add/hub.ts';
import { typed } from './failures.ts';
import { answer } from '../answer.ts';

const specSchema = z.strictObject({ packId: z.string() });
type PackMethods = Pick<
  Handlers,
  'packs.list' | 'packs.verify' | 'packs.hub' | 'packs.inspect' | 'packs.add' | 'packs.remove'
>;

/** The packs that are installed, and how others come and go. */
export function packsHandlers(context: EngineContext): PackMethods {
  const { packs, jobs } = context;
  const addresses = addressesFrom(process.env);
  jobs.register('verify-pack', (spec, job) =>
    typed(async () => {
      const { packId } = specSchema.parse(spec);
      return { kind: 'verify-pack', verification: await packs.verify(packId, job.signal) };
    }),
  );
  jobs.register(
    'add-pack',
    (spec, job) =>
      typed(async () => {
        const { origin, choices, accepted } = packAdditionSchema.parse(spec);
        const added = await addPack({
          origin,
          choices,
          accepted,
          packsFolder: packs.addFolder,
          addresses,
          signal: job.signal,
          report: (progress) => job.report(progress),
        });
        await packs.refresh();
        return { kind: 'add-pack', ...added };
      }),
    { resumable: true },
  );
  return {
    'packs.list': () => answer(() => packs.list()),
    'packs.verify': (spec) =>
      answer(() => {
        const { manifest } = packs.get(spec.packId);
        return {
          jobId: jobs.start('verify-pack', { title: `Verify ${manifest.title}`, libraryId: null, spec }),
        };
      }),
    'packs.hub': () => answer(() => knownModels.map(({ id, title }) => ({ id, title }))),
    'packs.inspect': ({ origin, choices }) => typed(() => proposePack(origin, choices, addresses)),
    'packs.add': (spec) =>
      answer(() => {
        // Said at once rather than by a job that fails.
        const folder = packs.addFolder;
        const what = spec.origin.kind === 'hub' ? spec.origin.id : baseNames(spec.origin.paths);
        return {
          jobId: jobs.start('add-pack', { title: `Add ${what} to ${folder}`, libraryId: null, spec }),
        };
      }),
    'packs.remove': ({ packId }) =>
      typed(async () => {
        await packs.remove(packId);
        return null;
      }),
  };
}

function baseNames(paths: readonly string[]): string {
  return paths.map((path) => path.split(/[/\\]/).at(-1) ?? path).join(', ');
}
