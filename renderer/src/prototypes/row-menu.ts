import type { PrototypeInfo } from '../../../engine/api/prototypes.ts';
import { canSound } from '../session/audition.ts';
import type { LibrarySession } from '../session/library-session.svelte.ts';
import { prototypeEntries } from '../session/menus.ts';
import type { App } from '../shell/app.svelte.ts';
import type { MenuEntry } from '../ui/menu.ts';
import type { StudioActions } from './studio-actions.svelte.ts';

/** Of the row that is chosen, which the one under the pointer becomes first. */
export function rowEntries(
  app: App,
  session: LibrarySession,
  actions: StudioActions,
  prototype: PrototypeInfo | null,
): MenuEntry[][] {
  if (!prototype) return [];
  const { melodies, studio } = session;
  const { index } = prototype;
  const comparing = actions.morph.ends !== null;
  return [
    [
      ...prototypeEntries(app, session, prototype),
      {
        id: 'melody',
        title: 'Play a melody…',
        icon: 'play',
        disabled: !canSound(session, prototype),
        run: () => (melodies.shown = true),
      },
      {
        id: 'morph',
        title: comparing ? 'End the comparison' : 'Compare with the nearest prototype',
        icon: 'reduce',
        disabled: !comparing && !actions.canMorph(prototype),
        run: () => actions.startMorph(prototype),
      },
    ],
    [
      {
        id: 'rename',
        title: 'Rename…',
        icon: 'edit',
        // The menu gives the focus back first.
        run: () => setTimeout(() => document.querySelector<HTMLElement>('[data-testid=edit-name]')?.focus()),
      },
      {
        id: 'mark',
        title: studio.marked.includes(index) ? 'Do not merge it' : 'Mark for merging',
        icon: 'check',
        run: () => studio.mark(index),
      },
      {
        id: 'split',
        title: 'Look at splitting it',
        icon: 'plus',
        disabled: prototype.support < 2,
        run: () => actions.look(`Split prototype ${String(index + 1)}`, { kind: 'split', index }),
      },
      {
        id: 'delete',
        title: 'Look at deleting it',
        icon: 'trash',
        disabled: !actions.canDelete,
        run: () => actions.lookAtRemoval(prototype),
      },
    ],
  ];
}
