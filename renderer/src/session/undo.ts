import type { NoticeAction } from '../shell/notices.svelte.ts';
import type { LibrarySession } from './library-session.svelte.ts';

/**
 * Offers to undo what was just done; to be called when it is in the history. Once something else was done since, that
 * is not undone in its place: steps build on each other, so the person is told what comes first.
 */
export function undoAction({ history, notices }: Pick<LibrarySession, 'history' | 'notices'>): NoticeAction {
  const own = history.past.at(-1);
  return {
    label: 'Undo',
    run: () => {
      const newest = history.past.at(-1);
      if (own !== undefined && newest === own) void notices.attempt(() => history.undo(own));
      else if (own !== undefined && history.past.includes(own))
        notices.add('info', `“${newest?.title ?? ''}” was done since.`, {
          hint: 'Undo that first: Ctrl+Z takes back one step after the other.',
        });
      else notices.add('info', 'That is undone already.');
    },
  };
}
