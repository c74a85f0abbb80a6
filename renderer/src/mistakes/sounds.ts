import type { Mistake } from '../../../engine/api/mistakes.ts';
import { playPrototype } from '../session/audition.ts';
import type { LibrarySession } from '../session/library-session.svelte.ts';
import { strongestOf } from './keys.ts';

/** A and B: the strongest prototype of a class, sonified; says so where there is none. */
export async function playClass(session: LibrarySession, name: string | null): Promise<void> {
  const { experiments, prototypes, notices } = session;
  if (name === null) return;
  const experiment = experiments.current;
  if (experiment && prototypes.list.length === 0) await notices.attempt(() => prototypes.reload());
  const strongest = experiment ? strongestOf(prototypes.list, name) : null;
  if (strongest) await playPrototype(session, strongest.index);
  else
    notices.add('info', `No experiment is chosen that has a prototype of “${name}”.`, {
      hint: 'Train one in the view Train.',
    });
}

/** C: the nearest track that bears the suggested label; where none is suggested, the given one. */
export async function playNearestTrack(session: LibrarySession, mistake: Mistake): Promise<void> {
  const trackId = mistake.nearestSuggested ?? mistake.nearestGiven;
  if (trackId === null) return;
  await session.notices.attempt(async () => {
    const track = await session.engine.call('tracks.get', { ...session.scope, trackId });
    await session.player.showTrack(track, { play: true });
  });
}

/** A and B of copies: one after the other, the same piece of each. */
export async function playCopy(session: LibrarySession, track: Mistake['track'] | undefined): Promise<void> {
  if (track && track.state !== 'missing' && track.state !== 'failed')
    await session.player.showTrack(track, { play: true });
}

/** The track in question; what is missing or cannot be read cannot sound. */
export function playMistake(session: LibrarySession, { track }: Mistake): void {
  if (track.state !== 'missing' && track.state !== 'failed') session.player.showSoon(track, { play: true });
}
