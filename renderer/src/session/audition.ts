/** What “listen” means across the views: a sonified vector (A), the nearest real excerpt (B), a window, a track. */
import type { VectorRef, WindowRef } from '../../../engine/api/neighbours.ts';
import type { PrototypeInfo } from '../../../engine/api/prototypes.ts';
import type { FirstSound, Sonification } from '../../../engine/api/sonify.ts';
import type { LibrarySession } from './library-session.svelte.ts';

/**
 * Plays the sound of a vector, making it first where needed. Its first draw is played at once; a better one takes its
 * place when it is played again. Nothing sounds by itself that was asked for long ago, in another view, or before
 * something else was.
 */
export async function playVector(
  session: LibrarySession,
  vector: VectorRef,
  title: string,
  stored: Sonification | null = null,
): Promise<void> {
  const { player, sonifier } = session;
  const wanted = session.ask(vector);
  const known = sonifier.soundOf(vector, stored);
  const heard = { prototype: vector.kind === 'prototype' ? vector.index : null };
  if (known) return player.playSonification(known, title, heard);
  const playFirst = (first: FirstSound): void => {
    if (wanted())
      void player.playSonification(first.sonification, title, { ...heard, firstOf: first.soundId });
  };
  // A second press while the sound is being made must not start a second job.
  if (sonifier.jobOf(vector) !== null) {
    const first = sonifier.firstOf(vector);
    if (first) playFirst(first);
    return;
  }
  const [sound] = (await session.notices.attempt(() => sonifier.make([vector], playFirst))) ?? [];
  if (!sound) return;
  if (player.source?.soundId === sound.id) player.improve(sound, title, heard);
  else if (wanted()) await player.playSonification(sound, title, heard);
}

/** A: the prototype itself, sonified. */
export async function playPrototype(
  session: LibrarySession,
  index: number,
  className?: string,
): Promise<void> {
  const experiment = session.experiments.current;
  const prototype = session.prototypes.get(index);
  // Whoever explains a decision knows the class before they are listed.
  const name = prototype?.class ?? className;
  if (!experiment || name === undefined) return;
  const vector: VectorRef = { kind: 'prototype', experimentId: experiment.id, index };
  await playVector(session, vector, prototypeName(name, index), prototype?.sonification ?? null);
}

/**
 * Whether a prototype can be sonified: where its pack has a decoder. A single pack that is not installed has none to ask;
 * sounds that were made with it are there all the same.
 */
export function canSound(session: LibrarySession, { view }: Pick<PrototypeInfo, 'view'>): boolean {
  const pack = session.packOf(view);
  return pack === null ? view === null : pack.kind === 'generative';
}

/** B: a real excerpt that lies near the prototype, by default the nearest one. */
export function playNearest(session: LibrarySession, index: number, which = 0): void {
  const prototype = session.prototypes.get(index);
  const nearest = prototype?.nearest[which];
  if (nearest) playExcerpt(session, nearest, session.packOf(prototype.view));
}

/** Plays one window of a track. @param pack whose windows they are */
export function playExcerpt(session: LibrarySession, window: WindowRef, pack = session.pack): void {
  const start = window.startSeconds;
  const track = { id: window.trackId, title: window.title, path: window.path };
  const length = pack?.windowSeconds;
  void session.player.showTrack(track, {
    play: true,
    ...(length === undefined ? {} : { range: { start, end: start + length } }),
  });
}

/** Prototypes are counted from one, as people do. */
export function prototypeName(className: string, index: number): string {
  return `${className} · prototype ${String(index + 1)}`;
}

/** Shows a selected track in the player, and plays it where audition on select is on. */
export function audition(
  session: LibrarySession,
  track: { id: string; title: string; path: string; state?: string; durationSeconds?: number | null },
): void {
  // What is missing or cannot be read cannot sound; its row says why.
  if (track.state === 'missing' || track.state === 'failed') return;
  const play = session.settings.auditionOnSelect;
  if (play || !session.player.playing) session.player.showSoon(track, { play });
}
