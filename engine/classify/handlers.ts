import { basename } from 'node:path';
import { z } from 'zod';
import type { Handlers } from '../api/contract.ts';
import { classifyFiles } from './files.ts';
import { classifyLibrary } from './library.ts';
import { classifyWindows } from './explain.ts';
import type { EngineContext } from '../context.ts';
import { getExperiment } from '../experiments/store.ts';
import { typed } from '../packs/failures.ts';
import { answer } from '../answer.ts';

type Part = Pick<Handlers, 'classify.library' | 'classify.files' | 'classify.windows'>;

const specSchema = z.strictObject({
  libraryId: z.string(),
  experimentId: z.string(),
  paths: z.array(z.string()).optional(),
});

/** Classification of the library, of files outside it, and of the windows of a track. */
export function classifyHandlers(context: EngineContext): Part {
  context.jobs.register('classify', (spec, job) =>
    typed(async () => {
      const { libraryId, experimentId, paths } = specSchema.parse(spec);
      const library = context.libraries.get(libraryId);
      if (paths) {
        const files = await classifyFiles(context, library, { experimentId, paths }, job);
        return { kind: 'classify', experimentId, tracks: files.length, files };
      }
      const predictions = await classifyLibrary(context, library, experimentId, {
        signal: job.signal,
        onTrack: (done, total) => job.report({ done, total, unit: 'tracks' }),
      });
      return { kind: 'classify', experimentId, tracks: predictions.size, files: [] };
    }),
  );
  const start = (spec: z.output<typeof specSchema>, title: string): { jobId: string } => {
    // Now rather than in the job: a wrong id is answered at once.
    getExperiment(context.libraries.get(spec.libraryId), spec.experimentId);
    return { jobId: context.jobs.start('classify', { title, libraryId: spec.libraryId, spec }) };
  };
  return {
    'classify.library': (spec) => answer(() => start(spec, 'Classify the library')),
    'classify.files': (spec) => answer(() => start(spec, describePaths(spec.paths))),
    'classify.windows': ({ libraryId, experimentId, trackId }) =>
      typed(() => classifyWindows(context.libraries.get(libraryId), experimentId, trackId)),
  };
}

function describePaths(paths: readonly string[]): string {
  return paths.length === 1 ? `Classify ${basename(paths[0] ?? '')}` : `Classify ${paths.length} files`;
}
