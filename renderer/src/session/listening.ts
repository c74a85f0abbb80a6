/** What the A/B buttons need to know, in every view that has them. */
import type { VectorRef, WindowRef } from '../../../engine/api/neighbours.ts';
import type { Sonification, SoundStart } from '../../../engine/api/sonify.ts';
import type { LibrarySession } from './library-session.svelte.ts';
import { shareDone } from '../jobs/jobs.svelte.ts';
import { clock, percent } from '../ui/format.ts';

/** Share of the sonification that is done, null when unknown, undefined while none is under way. */
export function sonifyingShare(session: LibrarySession, vector: VectorRef): number | null | undefined {
  const jobId = session.sonifier.jobOf(vector);
  if (jobId === null) return undefined;
  const job = session.jobs.get(jobId);
  return job ? shareDone(job) : null;
}

export function isSoundPlaying(session: LibrarySession, sound: Sonification | null): boolean {
  return sound !== null && session.player.playing && session.player.source?.soundId === sound.id;
}

export function isExcerptPlaying(session: LibrarySession, window: WindowRef | undefined): boolean {
  const { player } = session;
  return (
    window !== undefined &&
    player.playing &&
    player.source?.trackId === window.trackId &&
    player.range !== null &&
    Math.abs(player.range.start - window.startSeconds) < 1e-3
  );
}

/** What a sound began with, in words: “from Oboe A4 at 0:04, 30 % noise”. */
export function startOfSound(from: SoundStart): string {
  if (from.origin === 'noise') return 'from noise';
  const { title, startSeconds } = from.recording;
  return `from ${title} at ${clock(startSeconds, true)}, ${percent(from.share)} noise`;
}
