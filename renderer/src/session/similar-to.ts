import type { SoundRef } from '../../../engine/api/neighbours.ts';
import type { App } from '../shell/app.svelte.ts';
import type { LibrarySession } from './library-session.svelte.ts';

/** What is selected, as what similar sounds can be looked for of: the window that was picked of a track, or tracks. */
export function selectedSounds({ selection }: Pick<LibrarySession, 'selection'>): SoundRef[] {
  const { ids, lead, windowIndex } = selection;
  if (ids.size === 1 && lead !== null && windowIndex !== null)
    return [{ kind: 'window', trackId: lead, windowIndex }];
  return [...ids].map((trackId) => ({ kind: 'track', trackId }));
}

/** Shows what sounds like some sounds, of several like all of them together. */
export async function findSimilar(
  app: App,
  session: LibrarySession,
  sounds: readonly SoundRef[],
): Promise<void> {
  if (sounds.length === 0) {
    session.notices.add('info', 'Nothing is selected.', {
      hint: 'Select tracks or a point of the map; then what sounds like them is found.',
    });
    return;
  }
  await session.notices.attempt(async () => {
    const looked = session.similar.look(sounds);
    app.view = 'similar';
    await looked;
  });
}
