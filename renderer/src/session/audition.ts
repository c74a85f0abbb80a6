/** What “listen” means across the views: a sonified vector (A), the nearest real excerpt (B), a window, a track. */
import type { Sonification, VectorRef, WindowRef } from '../../../engine/api/domain.ts';
import type { App } from '../shell/app.svelte.ts';

/** Plays the sound of a vector, making it first where needed. */
export async function playVector(
  app: App,
  vector: VectorRef,
  title: string,
  stored: Sonification | null = null,
): Promise<void> {
  const known = app.sonifier.soundOf(vector, stored);
  if (known) return app.player.playSonification(known, title);
  // A second press while the sound is being made must not start a second job.
  if (app.sonifier.jobOf(vector) !== null) return;
  const made = await app.notices.attempt(() => app.sonifier.make([vector]));
  if (made?.[0]) await app.player.playSonification(made[0], title);
}

/** A: the prototype itself, sonified. */
export async function playPrototype(app: App, index: number): Promise<void> {
  const experiment = app.experiments.current;
  const prototype = app.prototypes.get(index);
  if (!experiment || !prototype) return;
  const vector: VectorRef = { kind: 'prototype', experimentId: experiment.id, index };
  await playVector(app, vector, prototypeName(prototype.class, index), prototype.sonification);
}

/** B: the real excerpt that lies nearest to the prototype. */
export function playNearest(app: App, index: number): void {
  const nearest = app.prototypes.get(index)?.nearest[0];
  if (nearest) playExcerpt(app, nearest);
}

/** Plays one window of a track. */
export function playExcerpt(app: App, window: WindowRef): void {
  const pack = app.packs.get(app.libraries.current?.packId);
  const start = window.startSeconds;
  const track = { id: window.trackId, title: window.title, path: window.path };
  const length = pack?.windowSeconds;
  void app.player.showTrack(track, {
    play: true,
    ...(length === undefined ? {} : { range: { start, end: start + length } }),
  });
}

/** Prototypes are counted from one, as people do. */
export function prototypeName(className: string, index: number): string {
  return `${className} · prototype ${String(index + 1)}`;
}

let pendingAudition: ReturnType<typeof setTimeout> | undefined;
/** Stepping through a table by a held key must not load every track on the way. */
const auditionDelayMs = 110;

/** Shows a selected track in the player, and plays it where audition on select is on. */
export function audition(
  app: App,
  track: { id: string; title: string; path: string; state?: string; durationSeconds?: number | null },
): void {
  clearTimeout(pendingAudition);
  // What is missing or cannot be read cannot sound; its row says why.
  if (track.state === 'missing' || track.state === 'failed') return;
  const play = app.settings.auditionOnSelect;
  if (!play && app.player.playing) return;
  pendingAudition = setTimeout(() => void app.player.showTrack(track, { play }), auditionDelayMs);
}
