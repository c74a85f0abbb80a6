import { z } from 'zod';
import type { Handlers } from '../api/contract.ts';
import type { EngineContext } from '../context.ts';
import { typed } from './failures.ts';
import { answer } from '../answer.ts';

const specSchema = z.strictObject({ packId: z.string() });

/** Where computing happens: execution providers of ONNX Runtime, checked against the CPU. */
export function providersHandlers(
  context: EngineContext,
): Pick<Handlers, 'providers.check' | 'providers.list'> {
  context.jobs.register('check-providers', (spec, job) =>
    typed(async () => {
      const { packId } = specSchema.parse(spec);
      const providers = await context.packs.check(packId, { signal: job.signal });
      return { kind: 'check-providers', providers };
    }),
  );
  return {
    'providers.check': (spec) =>
      answer(() => {
        context.packs.get(spec.packId);
        const title = 'Check execution providers';
        return { jobId: context.jobs.start('check-providers', { title, libraryId: null, spec }) };
      }),
    'providers.list': () => answer(() => context.packs.providers()),
  };
}
