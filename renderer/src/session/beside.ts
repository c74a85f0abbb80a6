import { playPrototype } from './audition.ts';
import type { LibrarySession } from './library-session.svelte.ts';

/**
 * Plays what comes next to what is in the player: of a prototype's sound the next prototype, else the next track of the
 * table, as it is sorted and filtered. At its end nothing happens.
 */
export async function playBeside(session: LibrarySession, step: 1 | -1): Promise<void> {
  const { player, tracks, prototypes } = session;
  if (player.source?.kind === 'sonification' && player.source.prototype !== null) {
    const { prototype } = player.source;
    const place = prototypes.list.findIndex(({ index }) => index === prototype);
    const next = prototypes.list[place + step];
    if (place >= 0 && next) await playPrototype(session, next.index);
    return;
  }
  const from = player.source?.trackId ?? session.selection.lead;
  const place = from === null ? -1 : tracks.indexOf(from);
  const index = place < 0 ? 0 : place + step;
  if (index < 0 || index >= tracks.total) return;
  await session.notices.attempt(async () => {
    const row = await tracks.rowWhenLoaded(index);
    if (!row || player.source?.trackId === row.id) return;
    session.selection.only(row.id);
    await player.showTrack(row, { play: true });
  });
}
