import type { Handlers } from '../api/contract.ts';
import { packsMethods } from '../api/packs.ts';
import type { EngineContext } from '../context.ts';
import { jobKind } from '../jobs/kind.ts';
import { answer } from '../answer.ts';

const specSchema = packsMethods['providers.check'].input;

/** Where computing happens: execution providers of ONNX Runtime, checked against the CPU. */
export function providersHandlers(
  context: EngineContext,
): Pick<Handlers, 'providers.check' | 'providers.list'> {
  context.jobs.register(
    jobKind({
      kind: 'check-providers',
      lane: 'compute',
      spec: specSchema,
      title: ({ packId }) => `Check execution providers with ${context.packs.get(packId).manifest.title}`,
      run: async ({ packId }, job) => {
        const providers = await context.packs.check(packId, { signal: job.signal });
        return { kind: 'check-providers', providers };
      },
    }),
  );
  return {
    'providers.check': (spec) =>
      answer(() => ({ jobId: context.jobs.start('check-providers', { libraryId: null, spec }) })),
    'providers.list': () => answer(() => context.packs.providers()),
  };
}
