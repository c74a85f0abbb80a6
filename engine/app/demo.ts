import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { EngineError } from '../api/errors.ts';
import type { DemoName, LibrarySummary } from '../api/libraries.ts';
import type { EngineContext, EngineOptions } from '../context.ts';
import { addPlaylists } from '../playlists/add.ts';

/** What each demo is called, and where its sounds lie. */
const demos = ({
  labelledDemoFolder,
  demoFolder,
}: EngineOptions): Record<DemoName, { name: string; folder: string | null }> => ({
  instruments: { name: 'Demo', folder: labelledDemoFolder },
  samples: { name: 'Demo samples', folder: demoFolder },
});

/**
 * Opens a demo. The first time, the playlists beside its sounds are added: whoever removes them does not get them back.
 * @throws EngineError `missing-folder` where it was left out of this installation
 */
export async function openDemo(
  context: EngineContext,
  demo: DemoName,
  signal: AbortSignal,
): Promise<LibrarySummary> {
  const { libraries, events, options } = context;
  const { name, folder } = demos(options)[demo];
  if (folder === null)
    throw new EngineError(
      'missing-folder',
      'This installation has no demo sounds.',
      'Open a folder of your own.',
    );
  const before = new Set(libraries.list().map(({ id }) => id));
  const library = libraries.open(folder, { name, isDemo: true });
  const playlists = join(folder, 'Playlists');
  try {
    if (!before.has(library.id) && existsSync(playlists))
      await addPlaylists(context, library, [playlists], signal);
  } finally {
    // It is open whatever came of its playlists.
    events.emit({ type: 'libraries-changed' });
  }
  return library.summary();
}
