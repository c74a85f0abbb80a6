import type { LibraryBackup, LibrarySummary } from '../../../engine/api/libraries.ts';
import { when } from '../ui/format.ts';
import type { App } from './app.svelte.ts';

/** Puts a library back to what it was when a backup was made, and says so; what fails is said, too. */
export async function restoreBackup(
  app: App,
  library: Pick<LibrarySummary, 'id' | 'name'>,
  backup: Pick<LibraryBackup, 'name' | 'at'>,
): Promise<void> {
  await app.notices.attempt(async () => {
    await app.engine.call('libraries.restore', { libraryId: library.id, backup: backup.name });
    await app.libraries.reload();
    app.notices.add('success', `“${library.name}” is as it was ${when(backup.at)}.`);
  });
}
