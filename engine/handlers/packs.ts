import { z } from 'zod';
import type { Handlers } from '../api/contract.ts';
import type { EngineContext } from '../context.ts';
import { typed } from '../packs/failures.ts';
import { answer } from './answer.ts';

const specSchema = z.strictObject({ packId: z.string() });

/** The packs that are installed. */
export function packsHandlers(context: EngineContext): Pick<Handlers, 'packs.list' | 'packs.verify'> {
  context.jobs.register('verify-pack', (spec, job) =>
    typed(async () => {
      const { packId } = specSchema.parse(spec);
      return { kind: 'verify-pack', verification: await context.packs.verify(packId, job.signal) };
    }),
  );
  return {
    'packs.list': () => answer(() => context.packs.list()),
    'packs.verify': (spec) =>
      answer(() => {
        const { manifest } = context.packs.get(spec.packId);
        return {
          jobId: context.jobs.start('verify-pack', {
            title: `Verify ${manifest.title}`,
            libraryId: null,
            spec,
          }),
        };
      }),
  };
}
