import type { LibrarySummary } from '../../../engine/api/libraries.ts';
import { joinPath, safeFolderName } from '../ui/paths.ts';
import type { App } from './app.svelte.ts';

/** Copies a library's own database into the backups beside it. */
export async function backUp(app: App, library: LibrarySummary): Promise<void> {
  await app.notices.attempt(async () => {
    await app.engine.call('libraries.backUp', { libraryId: library.id });
    app.notices.add('success', `“${library.name}” is backed up, beside its data.`);
  });
}

/** Asks for a place and writes the library there for another computer; a job, with progress, that can be cancelled. */
export async function carry(app: App, library: LibrarySummary): Promise<void> {
  const parent = await app.shell.chooseFolder('Where should the copy for another computer go?');
  if (parent === null) return;
  await app.notices.attempt(async () => {
    const folder = joinPath(parent, safeFolderName(`${library.name} - Archetone library`));
    const { jobId } = await app.engine.call('libraries.bundle', { libraryId: library.id, folder });
    const { result } = await app.jobs.wait(jobId);
    if (result?.kind !== 'bundle-library') return;
    app.notices.add('success', 'The library is ready for another computer; no audio is in it.', {
      hint: 'Take it in there: File, or the Welcome page.',
      action: { label: 'Show', run: () => void app.shell.reveal(result.bundle.folder) },
    });
  });
}

/** Asks for such a folder, unless one is given, and for the music, takes the library in and opens it. */
export async function takeIn(app: App, given?: string): Promise<void> {
  const bundle = given ?? (await app.shell.chooseFolder('The folder that was written there'));
  if (bundle === null) return;
  const folder = await app.shell.chooseFolder('Where its music lies on this computer');
  if (folder === null) return;
  await app.notices.attempt(async () => {
    const { jobId } = await app.engine.call('libraries.takeIn', { bundle, folder });
    const { result } = await app.jobs.wait(jobId);
    if (result?.kind === 'take-in-library') await app.openKnown(result.libraryId);
  });
}
