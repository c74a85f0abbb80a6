import type { Handlers } from '../api/contract.ts';
import type { LibraryBackup } from '../api/libraries.ts';
import { EngineError } from '../api/errors.ts';
import type { EngineContext } from '../context.ts';
import { isSoundFile, listBackups, putInPlace, type Backup } from '../storage/backups.ts';
import { everyChange } from './changes.ts';

type Part = Pick<Handlers, 'libraries.backups' | 'libraries.backUp' | 'libraries.restore'>;

/** Copies of libraries: kept beside them, put back in their place. */
export function backupHandlers({ libraries, backups, events, jobs }: EngineContext): Part {
  return {
    'libraries.backups': async ({ libraryId }) => {
      const found: LibraryBackup[] = [];
      for (const backup of listBackups(libraries.databaseOf(libraryId))) found.push(await described(backup));
      return found;
    },
    'libraries.backUp': async ({ libraryId }) =>
      described(await backups.make(libraries.get(libraryId), 'hand')),
    'libraries.restore': async ({ libraryId, backup: name }) => {
      const database = libraries.databaseOf(libraryId);
      const backup = listBackups(database).find((each) => each.name === name);
      if (!backup)
        throw new EngineError(
          'not-found',
          `There is no backup ${name}.`,
          'Ask for the list of backups again.',
        );
      await jobs.endBackground(libraryId);
      await backups.idle(libraryId);
      const library = await libraries.whileClosed(libraryId, async () => {
        await putInPlace(database, backup.path);
      });
      // A window may have it open, where another one puts it back.
      for (const what of everyChange) events.emit({ type: 'library-changed', libraryId, what });
      events.emit({ type: 'library-restored', libraryId });
      events.emit({ type: 'libraries-changed' });
      return library.summary();
    },
  };
}

async function described({ name, path, at, reason, bytes }: Backup): Promise<LibraryBackup> {
  return { name, at: at.toISOString(), reason, bytes, sound: await isSoundFile(path) };
}
