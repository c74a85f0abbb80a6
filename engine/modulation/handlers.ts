import { resolve } from 'node:path';
import { answer } from '../answer.ts';
import type { Handlers } from '../api/contract.ts';
import { modulationMethods } from '../api/modulation.ts';
import { refuseExisting, writeNew } from '../bundles/write-new.ts';
import type { EngineContext } from '../context.ts';
import { jobKind } from '../jobs/kind.ts';
import { hearable, keptWav } from './hear.ts';
import { keepFilters } from './keep.ts';
import { classMap, mapInfo } from './maps.ts';
import { samplesOf } from './source.ts';
import { modulationStudy } from './study.ts';

/** How sounds swell and fade. */
export function modulationHandlers(context: EngineContext): Pick<Handlers, keyof typeof modulationMethods> {
  const { jobs, libraries } = context;
  jobs.register(
    jobKind({
      kind: 'modulation-class',
      // Somebody looks at the map that it is compared with.
      lane: 'listen',
      spec: modulationMethods['modulation.classMap'].input,
      title: ({ class: name }) => `Modulation of ${name}`,
      run: async ({ libraryId, ...request }, job) => ({
        kind: 'modulation-class',
        ...(await classMap(context, libraries.get(libraryId), request, job)),
      }),
    }),
  );
  jobs.register(
    jobKind({
      kind: 'modulation-study',
      lane: 'compute',
      spec: modulationMethods['modulation.study'].input,
      title: ({ libraryId, taxonomyId }) =>
        `Learn modulation filters of ${libraries.get(libraryId).taxonomies.nameOf(taxonomyId)}`,
      run: async ({ libraryId, ...request }, job) => ({
        kind: 'modulation-study',
        report: await modulationStudy(context, libraries.get(libraryId), request, job),
      }),
    }),
  );
  return {
    'modulation.map': async ({ libraryId, of }, { signal }) =>
      mapInfo(await samplesOf(context, libraryId, of, signal), signal),
    'modulation.classMap': (spec) =>
      answer(() => ({ jobId: jobs.start('modulation-class', { libraryId: spec.libraryId, spec }) })),
    'modulation.study': (spec) =>
      answer(() => ({ jobId: jobs.start('modulation-study', { libraryId: spec.libraryId, spec }) })),
    'modulation.keep': (request) => keepFilters(context, request),
    'modulation.hear': async ({ libraryId, of, choice }, { signal }) => {
      const library = libraries.get(libraryId);
      const samples = await samplesOf(context, libraryId, of, signal);
      return hearable(context, library, { of, choice }, await keptWav(samples, choice, signal));
    },
    'modulation.save': async ({ libraryId, of, choice, file }, { signal }) => {
      const path = resolve(file);
      refuseExisting(path);
      const samples = await samplesOf(context, libraryId, of, signal);
      const { wav, figures } = await keptWav(samples, choice, signal);
      await writeNew(path, wav);
      return figures;
    },
  };
}
