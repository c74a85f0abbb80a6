import type { VectorRef } from '../../../engine/api/neighbours.ts';
import { audition, playExcerpt, playPrototype } from '../session/audition.ts';
import type { LibrarySession } from '../session/library-session.svelte.ts';
import type { App } from '../shell/app.svelte.ts';

/**
 * The point of the map that one stands on, and what pointing at, asking for the menu of, resting on and selecting points
 * does. Tracks are those of the shared selection; a prototype is the map's own.
 */
export class MapFocus {
  /** A prototype that the keyboard or a click stands on. */
  prototypePoint = $state<number | null>(null);

  /** The point that the keyboard walks from. */
  readonly lead = $derived.by((): number | null => {
    if (this.prototypePoint !== null) return this.prototypePoint;
    const { map, selection } = this.#session;
    if (!map.points || selection.lead === null) return null;
    const { level } = map.points.projection;
    return map.points.pointOf(selection.lead, level === 'window' ? (selection.windowIndex ?? null) : null);
  });
  #app: App;
  #session: LibrarySession;

  constructor(app: App, session: LibrarySession) {
    this.#app = app;
    this.#session = session;
  }

  /** What neighbours of a point are asked for by; null where it cannot be compared with the points of this map. */
  target(point: number): VectorRef | null {
    const { library, map, experiments } = this.#session;
    const prototype = map.points?.prototypeOf(point) ?? null;
    if (prototype !== null) {
      const { current } = experiments;
      return current ? { kind: 'prototype', experimentId: current.id, index: prototype } : null;
    }
    const trackId = map.points?.trackId(point) ?? null;
    const windowIndex = map.points?.windowIndex(point) ?? null;
    if (trackId === null) return null;
    // Tracks and windows are compared in the library's own space; the map of another pack's experiment lies elsewhere.
    if (map.projection?.space?.key !== library.space?.key) return null;
    return windowIndex === null ? { kind: 'track', trackId } : { kind: 'window', trackId, windowIndex };
  }

  readonly point = (index: number, add: boolean): void => {
    const session = this.#session;
    const { map, selection } = session;
    const prototype = map.points?.prototypeOf(index) ?? null;
    if (prototype !== null) {
      this.prototypePoint = index;
      if (this.#app.settings.auditionOnSelect) void playPrototype(session, prototype);
      return;
    }
    this.prototypePoint = null;
    const id = map.points?.trackId(index) ?? null;
    if (id === null) return;
    if (add) selection.add([id]);
    else selection.only(id, map.points?.windowIndex(index) ?? null);
    void session.notices.attempt(async () => {
      const track = await map.read(session.scope, id);
      // Another one may be meant by now.
      if (track && selection.lead === id) audition(session, track);
    });
  };

  /** The menu is of the selection, which a point outside it becomes first, or of a prototype. */
  readonly menu = (index: number | null): void => {
    if (index === null) {
      this.prototypePoint = null;
      return;
    }
    const { map, selection } = this.#session;
    const id = map.points?.trackId(index) ?? null;
    if (id !== null && selection.ids.has(id)) this.prototypePoint = null;
    else if (map.points?.prototypeOf(index) != null) this.prototypePoint = index;
    else this.point(index, false);
  };

  /** Plays what the pointer rests on: a window as it is, a track from its beginning. */
  readonly rest = (index: number | null): void => {
    const session = this.#session;
    const { map } = session;
    const id = index === null ? null : (map.points?.trackId(index) ?? null);
    if (!map.options.listen || index === null || id === null) return;
    const windowIndex = map.points?.windowIndex(index) ?? null;
    void session.notices.attempt(async () => {
      const { scope } = session;
      const track = await map.read(scope, id);
      if (!track || track.state !== 'ready') return;
      if (windowIndex === null) {
        session.player.showSoon(track, { play: true });
        return;
      }
      const detail = await session.engine.call('tracks.get', { ...scope, trackId: id });
      const window = detail.windows.find(({ index: own }) => own === windowIndex);
      const { title, path } = track;
      if (window)
        playExcerpt(session, {
          trackId: id,
          title,
          path,
          windowIndex,
          startSeconds: window.startSeconds,
          distance: 0,
        });
    });
  };

  readonly select = (chosen: readonly number[], add: boolean): void => {
    const { map, selection } = this.#session;
    this.prototypePoint = null;
    const ids = chosen.flatMap((point) => map.points?.trackId(point) ?? []);
    if (add) selection.add(ids);
    else selection.set(ids);
  };
}
