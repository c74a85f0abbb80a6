import type { CommandHandlers } from './commands.ts';
import type { App } from './app.svelte.ts';
import { playNearest, playPrototype } from '../session/audition.ts';

const themes = ['system', 'light', 'dark'] as const;

/** What each command does. */
export function commandHandlers(app: App): CommandHandlers {
  const { player, settings, notices, history } = app;
  const strongest = (): number | null => app.why.explanation?.contributions[0]?.prototype ?? null;
  return {
    'library.open': () => app.chooseFolder(),
    'library.demo': () => app.openDemo(),
    'library.rescan': () => app.rescan(),
    'library.close': () => app.closeLibrary(),
    'edit.undo': () =>
      notices.attempt(async () => {
        const step = await history.undo();
        if (step) notices.add('info', `Undone: ${step.title}`);
      }),
    'edit.redo': () =>
      notices.attempt(async () => {
        const step = await history.redo();
        if (step) notices.add('info', `Redone: ${step.title}`);
      }),
    'edit.search': () => {
      app.view = 'library';
      requestAnimationFrame(() => document.querySelector<HTMLInputElement>('#track-search')?.select());
    },
    'edit.clearSelection': () => app.selection.clear(),
    'view.welcome': () => (app.view = 'welcome'),
    'view.library': () => (app.view = 'library'),
    'view.map': () => (app.view = 'map'),
    'view.prototypes': () => (app.view = 'prototypes'),
    'view.train': () => (app.view = 'train'),
    'view.reduce': () => (app.view = 'reduce'),
    'view.packs': () => (app.view = 'packs'),
    'view.jobs': () => (app.view = 'jobs'),
    'jobs.first': () => {
      const newest = app.jobs.active.filter((job) => job.waitingFor !== null).at(-1);
      if (!newest) notices.add('info', 'No job waits.');
      else void notices.attempt(() => app.jobs.first(newest.id));
    },
    'view.inspector': () => settings.change({ inspector: !settings.inspector }),
    'view.spectrogram': () => settings.change({ spectrogram: !settings.spectrogram }),
    'view.theme': async () => {
      const next = themes[(themes.indexOf(settings.theme) + 1) % themes.length] ?? 'system';
      settings.change({ theme: next });
      await app.shell.setTheme(next);
      notices.add('info', `Theme: ${next}`);
    },
    'player.toggle': () => {
      const track = app.why.track;
      if (!player.source && track) void player.showTrack(track, { play: true });
      else player.toggle();
    },
    'player.stop': () => player.stop(),
    'player.back': () => player.seekBy(-1),
    'player.forward': () => player.seekBy(1),
    'player.backFar': () => player.seekBy(-10),
    'player.forwardFar': () => player.seekBy(10),
    'player.louder': () => player.setVolume(settings.volume + 0.05),
    'player.quieter': () => player.setVolume(settings.volume - 0.05),
    'player.audition': () => {
      settings.change({ auditionOnSelect: !settings.auditionOnSelect });
      notices.add('info', `Audition on select is ${settings.auditionOnSelect ? 'on' : 'off'}.`);
    },
    'player.prototype': () => {
      const index = strongest();
      if (index !== null) void playPrototype(app, index);
    },
    'player.nearest': () => {
      const index = strongest();
      if (index !== null) playNearest(app, index);
    },
    'help.shortcuts': () => (app.shortcutsOpen = !app.shortcutsOpen),
  };
}
