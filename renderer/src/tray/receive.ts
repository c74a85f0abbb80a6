/** Files that a person drops, pastes or chooses: a folder becomes a library, files are classified in the tray. */
import { openedFileKinds, openedFiles } from '../../../engine/api/shell.ts';
import { openFromSystem } from '../shell/opening.ts';
import type { App } from '../shell/app.svelte.ts';
import type { LibrarySession } from '../session/library-session.svelte.ts';

/** A file or folder that came by a drop or from the clipboard. */
export interface Given {
  file: File;
  kind: 'file' | 'folder';
}

type Transfer = Pick<DataTransfer, 'files'> & Partial<Pick<DataTransfer, 'items'>>;

/**
 * What was dropped or pasted; to be called while its event is handled.
 * @param otherwise what a thing is taken for of which the system does not tell whether it is a folder
 */
export function given(transfer: Transfer | null, otherwise: Given['kind']): Given[] {
  if (!transfer) return [];
  // Files and the items that are files come in one order.
  const items = Array.from(transfer.items ?? []).filter(({ kind }) => kind === 'file');
  return Array.from(transfer.files, (file, place) => {
    const entry = items[place]?.webkitGetAsEntry();
    return { file, kind: entry ? (entry.isDirectory ? 'folder' : 'file') : otherwise };
  });
}

/** Opens a folder as a library; classifies files, and what is in folders that come with them. */
export async function receive(app: App, things: readonly Given[]): Promise<void> {
  const [first] = things;
  if (!first) return;
  const folders = things.every(({ kind }) => kind === 'folder');
  // One after the other: each is granted before it is named.
  const paths: string[] = [];
  for (const { file } of folders ? [first] : things) {
    const path = await app.shell.pathOf(file);
    if (path !== '') paths.push(path);
  }
  const [path] = paths;
  if (path === undefined) {
    app.notices.add('error', `That is ${folders ? 'not a folder' : 'no file'} on this machine.`, {
      hint: 'Drop a folder of music to open it, or audio files to classify them.',
    });
    return;
  }
  if (folders) return app.openFolder(path);
  const opened = openedFileKinds.find((kind) =>
    openedFiles[kind].some((ending) => path.toLowerCase().endsWith(`.${ending}`)),
  );
  if (opened && things.length === 1) return openFromSystem[opened](app, path);
  await readyToClassify(app)?.tray.add(paths);
}

/** Asks for audio files and classifies them. */
export async function chooseFiles(app: App): Promise<void> {
  const session = readyToClassify(app);
  if (!session) return;
  const paths = await app.shell.chooseAudio('Classify audio files');
  if (paths.length > 0) await session.tray.add(paths);
}

/** Shows the panel that records in the tray, or puts it away; where nothing is trained, sounds like it are looked for. */
export function record(app: App): void {
  const { session } = app;
  if (session && !session.experiments.current) {
    session.similar.recording = true;
    app.view = 'similar';
    return;
  }
  const tray = readyToClassify(app)?.tray;
  if (!tray) return;
  tray.recording = !tray.open || !tray.recording;
  tray.open = true;
}

/** The open library, when something is trained that can classify; else says what to do first. */
function readyToClassify(app: App): LibrarySession | null {
  const { session } = app;
  if (!session) {
    app.notices.add('info', 'Files are classified by what a library has learned, and none is open.', {
      hint: 'Open a library and train an experiment, then drop the files again. A folder is opened as a library.',
    });
    return null;
  }
  if (session.experiments.current) return session;
  session.notices.add('info', 'Nothing is trained yet that could classify files.', {
    hint: 'Train an experiment, then drop the files again.',
    action: { label: 'Go to Train', run: () => void (app.view = 'train') },
  });
  return null;
}
