import { availableParallelism } from 'node:os';
import type { Handlers } from '../api/contract.ts';
import type { EngineContext } from '../context.ts';
import { computedHere } from '../../models/packs/computed-by.ts';
import { findProgram } from '../decode/find-program.ts';
import { openDemo } from './demo.ts';

/** What this installation is, and what happens in it. */
export function appHandlers(
  context: EngineContext,
): Pick<Handlers, 'app.info' | 'events' | 'libraries.openDemo'> {
  return {
    'app.info': async () => ({
      version: context.options.version,
      platform: `${process.platform}-${process.arch}`,
      dataFolder: context.options.dataFolder,
      notices: context.notices.all(),
      safeStart: context.options.safeStart ?? false,
      ffmpeg: (await findProgram('ffmpeg')) !== null,
      confinement: context.packs.confinement,
      runtime: computedHere('cpu').runtime,
      processor: computedHere('cpu').processor,
      cores: availableParallelism(),
      provider: context.packs.providers().find((provider) => provider.chosen)?.provider ?? 'cpu',
    }),
    'libraries.openDemo': ({ demo }, { signal }) => openDemo(context, demo, signal),
    events: (_input, { signal }) => context.events.subscribe(signal),
  };
}
