/** What the A/B buttons need to know, in every view that has them. */
import type { Sonification, VectorRef, WindowRef } from '../../../engine/api/domain.ts';
import type { App } from '../shell/app.svelte.ts';
import { shareDone } from '../jobs/jobs.svelte.ts';

/** Share of the sonification that is done, null when unknown, undefined while none is under way. */
export function sonifyingShare(app: App, vector: VectorRef): number | null | undefined {
  const jobId = app.sonifier.jobOf(vector);
  if (jobId === null) return undefined;
  const job = app.jobs.get(jobId);
  return job ? shareDone(job) : null;
}

export function isSoundPlaying(app: App, sound: Sonification | null): boolean {
  return sound !== null && app.player.playing && app.player.source?.key === `sonification:${sound.id}`;
}

export function isExcerptPlaying(app: App, window: WindowRef | undefined): boolean {
  const { player } = app;
  return (
    window !== undefined &&
    player.playing &&
    player.source?.trackId === window.trackId &&
    player.range !== null &&
    Math.abs(player.range.start - window.startSeconds) < 1e-3
  );
}
