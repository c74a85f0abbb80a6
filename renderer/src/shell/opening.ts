import type { OpenedKind } from '../../../engine/api/shell.ts';
import type { App } from './app.svelte.ts';
import { takeIn } from './library-copies.ts';

/** What happens to a file or folder that the system is asked to open with Archetone: no more than by hand, with its questions. */
export const openFromSystem: Record<OpenedKind, (app: App, path: string) => Promise<void>> = {
  folder: (app, path) => app.openFolder(path),
  library: (app, path) => takeIn(app, path),
  checkpoint: async (app, path) => {
    app.view = 'packs';
    await app.packs.adding.propose({ kind: 'files', paths: [...app.packs.adding.paths, path] });
  },
};
