import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Handlers } from '../api/contract.ts';
import type { EngineContext } from '../context.ts';
import { answer } from '../answer.ts';

/** What this installation is, and what happens in it. */
export function appHandlers(context: EngineContext): Pick<Handlers, 'app.info' | 'events'> {
  return {
    'app.info': () =>
      answer(() => ({
        version: context.options.version,
        platform: `${process.platform}-${process.arch}`,
        dataFolder: context.options.dataFolder,
        ffmpeg: isOnPath('ffmpeg'),
        provider: context.packs.providers().find((provider) => provider.chosen)?.provider ?? 'cpu',
      })),
    events: (_input, { signal }) => context.events.subscribe(signal),
  };
}

function isOnPath(program: string): boolean {
  const name = process.platform === 'win32' ? `${program}.exe` : program;
  return (process.env['PATH'] ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return folder !== '';
    } catch {
      return false;
    }
  });
}
