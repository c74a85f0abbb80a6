import { undoAction } from './undo.ts';
import { readAllTracks } from '../library/tracks.svelte.ts';
import type { App } from '../shell/app.svelte.ts';
import { plural } from '../ui/format.ts';
import type { IconName } from '../ui/icons.ts';
import { joinPath, safeFolderName } from '../ui/paths.ts';
import type { LibrarySession } from './library-session.svelte.ts';
import { findSimilar, selectedSounds } from './similar-to.ts';

/** Something that can be done with chosen tracks, in the selection bar and in the context menu alike. */
export interface TrackAction {
  id: 'play' | 'similar' | 'reveal' | 'table' | 'copy' | 'leave-out' | 'take-in';
  title: string;
  icon: IconName;
  /** Written out in the selection bar: the icon alone would not say it. */
  short?: string;
  run: (app: App, session: LibrarySession, trackIds: string[]) => Promise<void>;
}

/** Plays tracks one after the other, in the order of their paths. */
async function play(_app: App, session: LibrarySession, trackIds: string[]): Promise<void> {
  const rows = await readAllTracks(session.engine, session.scope, { trackIds });
  await session.player.playThrough(rows.filter(({ state }) => state === 'ready' || state === 'pending'));
}

async function reveal(app: App, session: LibrarySession, trackIds: string[]): Promise<void> {
  const { lead } = session.selection;
  const first = lead !== null && trackIds.includes(lead) ? lead : trackIds.slice(0, 1).join('');
  const [path] = await session.engine.call('tracks.paths', {
    libraryId: session.libraryId,
    trackIds: [first],
  });
  if (path !== undefined) await app.shell.reveal(path);
}

async function exportTo(
  app: App,
  session: LibrarySession,
  trackIds: string[],
  copyFiles: boolean,
): Promise<void> {
  const parent = await app.shell.chooseFolder(
    copyFiles ? 'Where should the copies go?' : 'Where should playlist and table go?',
  );
  if (parent === null) return;
  const { taxonomyId, experimentId } = session.scope;
  const name = `${session.library.name}, ${plural(trackIds.length, 'track')}`;
  const { jobId } = await session.engine.call('exports.start', {
    libraryId: session.libraryId,
    subject: { kind: 'tracks', trackIds, taxonomyId, experimentId, copyFiles },
    folder: joinPath(parent, safeFolderName(name)),
    formats: ['csv', 'm3u8'],
  });
  const job = await session.wait(jobId);
  if (job.result?.kind !== 'export') return;
  const { folder, files } = job.result.export;
  session.notices.add('success', `Exported ${plural(files.length, 'file')}.`, {
    hint: folder,
    action: { label: 'Show', run: () => void session.notices.attempt(() => app.shell.reveal(folder)) },
  });
}

async function leaveOut(session: LibrarySession, trackIds: string[], leftOut: boolean): Promise<void> {
  const { libraryId, engine } = session;
  const set = (ids: string[], value: boolean): Promise<{ changed: string[] }> =>
    engine.call('tracks.leaveOut', { libraryId, trackIds: ids, leftOut: value });
  const { changed } = await set(trackIds, leftOut);
  if (changed.length === 0) return;
  const title = leftOut
    ? `Leave ${plural(changed.length, 'track')} out of training`
    : `Take ${plural(changed.length, 'track')} into training`;
  session.history.push({ title, undo: () => set(changed, !leftOut), redo: () => set(changed, leftOut) });
  session.notices.add(
    'info',
    leftOut
      ? `${plural(changed.length, 'track')} left out: the next training learns nothing from them.`
      : `${plural(changed.length, 'track')} will be learned from again.`,
    { action: undoAction(session) },
  );
}

/** What can be done with chosen tracks. */
export const trackActions: readonly TrackAction[] = [
  { id: 'play', title: 'Play through', short: 'Play through', icon: 'play', run: play },
  {
    id: 'similar',
    title: 'Find similar sounds',
    short: 'Find similar',
    icon: 'similar',
    run: (app, session, ids) =>
      findSimilar(
        app,
        session,
        ids.length > 1 ? ids.map((trackId) => ({ kind: 'track', trackId })) : selectedSounds(session),
      ),
  },
  { id: 'reveal', title: 'Show in file manager', icon: 'folder', run: reveal },
  {
    id: 'table',
    title: 'Export playlist and table…',
    icon: 'export',
    run: (app, session, ids) => exportTo(app, session, ids, false),
  },
  {
    id: 'copy',
    title: 'Copy files to…',
    icon: 'copy',
    run: (app, session, ids) => exportTo(app, session, ids, true),
  },
  {
    id: 'leave-out',
    title: 'Leave out of training',
    short: 'Leave out',
    icon: 'minus',
    run: (_app, session, ids) => leaveOut(session, ids, true),
  },
  {
    id: 'take-in',
    title: 'Take into training again',
    icon: 'undo',
    run: (_app, session, ids) => leaveOut(session, ids, false),
  },
];
