import type { App } from '../shell/app.svelte.ts';
import type { LibrarySession } from '../session/library-session.svelte.ts';
import { plural } from '../ui/format.ts';
import { joinPath, safeFolderName } from '../ui/paths.ts';

/** Of a table: what the dialog asks, what the file is called, and what a row is. */
const tables = {
  changes: { asked: 'Where should the table of changes go?', row: 'change' },
  labels: { asked: 'Where should the table of labels go?', row: 'labelled track' },
} as const;

/** Writes the changes made in Mistakes, or all labels in force, into a folder that is asked for. */
export async function writeTable(
  app: Pick<App, 'shell'>,
  { engine, libraryId, notices }: Pick<LibrarySession, 'engine' | 'libraryId' | 'notices'>,
  taxonomy: { id: string; name: string },
  what: keyof typeof tables,
): Promise<void> {
  await notices.attempt(async () => {
    const { asked, row } = tables[what];
    const parent = await app.shell.chooseFolder(asked);
    if (parent === null) return;
    const time = new Date().toISOString().slice(0, 19).replaceAll(':', '').replace('T', ' ');
    const path = joinPath(parent, `${safeFolderName(`${taxonomy.name} ${what} ${time}`)}.csv`);
    const input = { libraryId, taxonomyId: taxonomy.id, what, path };
    const { rows } = await engine.call('mistakes.export', input);
    notices.add('success', `Wrote ${plural(rows, row)}.`, {
      hint: path,
      action: { label: 'Show', run: () => void notices.attempt(() => app.shell.reveal(path)) },
    });
  });
}
