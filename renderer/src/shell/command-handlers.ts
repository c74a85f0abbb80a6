import type { CommandHandlers } from './commands.ts';
import type { LibrarySession } from '../session/library-session.svelte.ts';
import type { Player } from '../player/player.svelte.ts';
import type { App } from './app.svelte.ts';
import type { Notices } from './notices.svelte.ts';
import type { LibrarySummary } from '../../../engine/api/libraries.ts';
import { chooseFiles, record } from '../tray/receive.ts';
import { backUp, carry, takeIn } from './library-copies.ts';
import { playNearest, playPrototype } from '../session/audition.ts';
import { playBeside } from '../session/beside.ts';
import { findSimilar, selectedSounds } from '../session/similar-to.ts';

const themes = ['system', 'light', 'dark'] as const;

/** What each command does. */
export function commandHandlers(app: App): CommandHandlers {
  const { settings } = app;
  const player = (): Player | undefined => app.session?.player;
  const notices = (): Notices => app.session?.notices ?? app.notices;
  const withStrongest = (play: (session: LibrarySession, prototype: number) => unknown): void => {
    const { session } = app;
    const index = session?.why.explanation?.contributions[0]?.prototype;
    if (session && index !== undefined) void play(session, index);
  };
  const step = (way: 'undo' | 'redo', done: string) => async (): Promise<void> => {
    const { session } = app;
    await session?.notices.attempt(async () => {
      const taken = await session.history[way]();
      if (taken) session.notices.add('info', `${done}: ${taken.title}`);
    });
  };
  const withLibrary = (work: (library: LibrarySummary) => unknown) => (): unknown => {
    const library = app.session && app.libraries.get(app.session.libraryId);
    if (library) return work(library);
    app.notices.add('info', 'No library is open.', {
      hint: 'Open one first, or use the Welcome page.',
    });
    return undefined;
  };
  const textSize = (next: (size: number) => number) => (): void => {
    const size = Math.min(200, Math.max(75, next(settings.preferences.textSize)));
    void notices().attempt(() => settings.prefer({ textSize: size }));
  };
  return {
    'library.open': () => app.chooseFolder(),
    'library.demo': () => app.openDemo(),
    'library.classifyFiles': () => notices().attempt(() => chooseFiles(app)),
    'library.record': () => record(app),
    'library.rescan': () => app.session?.rescan(),
    'library.rescanEverything': () => app.session?.rescan(true),
    'library.exportTracks': withLibrary(() => (app.exporting = true)),
    'library.backUp': withLibrary((library) => backUp(app, library)),
    'library.restore': withLibrary((library) => (app.restoring = library)),
    'library.carry': withLibrary((library) => carry(app, library)),
    'library.takeIn': () => takeIn(app),
    'library.close': () => app.closeLibrary(),
    'edit.undo': step('undo', 'Undone'),
    'edit.redo': step('redo', 'Redone'),
    'edit.search': () => {
      app.view = 'library';
      requestAnimationFrame(() => document.querySelector<HTMLInputElement>('#track-search')?.select());
    },
    'edit.findSimilar': () => {
      const { session } = app;
      if (session) void findSimilar(app, session, selectedSounds(session));
    },
    'edit.clearSelection': () => app.session?.selection.clear(),
    'view.welcome': () => (app.view = 'welcome'),
    'view.library': () => (app.view = 'library'),
    'view.map': () => (app.view = 'map'),
    'view.prototypes': () => (app.view = 'prototypes'),
    'view.train': () => (app.view = 'train'),
    'view.reduce': () => (app.view = 'reduce'),
    'view.mistakes': () => (app.view = 'mistakes'),
    'view.similar': () => (app.view = 'similar'),
    'view.modulation': () => (app.view = 'modulation'),
    'similar.back': () => app.session?.similar.go(-1),
    'similar.forward': () => app.session?.similar.go(1),
    'view.packs': () => (app.view = 'packs'),
    'view.jobs': () => (app.view = 'jobs'),
    'view.evaluate': () => (app.view = 'evaluate'),
    'jobs.first': () => {
      const newest = app.jobs.active.filter((job) => job.waitingFor !== null).at(-1);
      if (!newest) notices().add('info', 'No job waits.');
      else void notices().attempt(() => app.jobs.first(newest.id));
    },
    'view.tray': () => {
      const { session } = app;
      if (session) session.tray.open = !session.tray.open;
    },
    'view.inspector': () => app.showInspector(!app.inspectorOpen),
    'view.spectrogram': () => settings.change({ spectrogram: !settings.spectrogram }),
    'view.playerTools': () => settings.change({ playerTools: !settings.playerTools }),
    'view.theme': () => {
      const next = themes[(themes.indexOf(settings.theme) + 1) % themes.length] ?? 'system';
      void notices().attempt(() => settings.prefer({ theme: next }));
      notices().add('info', `Theme: ${next}`);
    },
    'view.preferences': () => (app.view = 'preferences'),
    'view.textLarger': textSize((size) => size + 10),
    'view.textSmaller': textSize((size) => size - 10),
    'view.textNormal': textSize(() => 100),
    'player.toggle': () => {
      const track = app.session?.why.track;
      if (!player()?.source && track) void player()?.showTrack(track, { play: true });
      else player()?.toggle();
    },
    'player.stop': () => player()?.stop(),
    'player.next': () => app.session && playBeside(app.session, 1),
    'player.previous': () => app.session && playBeside(app.session, -1),
    'player.loop': () => player()?.setLoop(!player()?.loop),
    'player.selectStart': () => player()?.selectHere('start'),
    'player.selectEnd': () => player()?.selectHere('end'),
    'player.selectAll': () => player()?.select(null),
    'player.zoomIn': () => player()?.zoom.by(2),
    'player.zoomOut': () => player()?.zoom.by(0.5),
    'player.zoomAll': () => player()?.zoom.out(),
    'player.match': async () => {
      await player()?.level.setMatching(!settings.matchLevels);
      notices().add('info', `Levels are ${settings.matchLevels ? 'matched' : 'as recorded'}.`);
    },
    'player.back': () => player()?.seekBy(-1),
    'player.forward': () => player()?.seekBy(1),
    'player.backFar': () => player()?.seekBy(-10),
    'player.forwardFar': () => player()?.seekBy(10),
    'player.louder': () => player()?.level.setVolume(settings.volume + 0.05),
    'player.quieter': () => player()?.level.setVolume(settings.volume - 0.05),
    'player.audition': () => {
      void notices().attempt(() => settings.prefer({ auditionOnSelect: !settings.auditionOnSelect }));
      notices().add('info', `Audition on select is ${settings.auditionOnSelect ? 'on' : 'off'}.`);
    },
    'player.prototype': () => withStrongest(playPrototype),
    'player.nearest': () => withStrongest(playNearest),
    'help.guide': () => (app.view = 'help'),
    'help.about': () => (app.view = 'about'),
    'help.shortcuts': () => (app.shortcutsOpen = !app.shortcutsOpen),
  };
}
