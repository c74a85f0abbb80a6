import type { Experiment } from '../../../engine/api/experiments.ts';
import type { VectorRef } from '../../../engine/api/neighbours.ts';
import type { ClassMapPoint, PrototypeEdit, PrototypeInfo } from '../../../engine/api/prototypes.ts';
import type { Sonification } from '../../../engine/api/sonify.ts';
import { canSound, playNearest, playPrototype } from '../session/audition.ts';
import type { LibrarySession } from '../session/library-session.svelte.ts';
import { undoAction } from '../session/undo.ts';
import type { StudioAction } from './keys.ts';
import { Morph } from './morph.svelte.ts';

/** Rows that a held key goes past stay silent. */
const REST_MS = 150;

/** What rows, keys, menus and the map of the Prototypes view do with prototypes of the chosen experiment. */
export class StudioActions {
  readonly morph: Morph;
  readonly #session: LibrarySession;
  #resting: ReturnType<typeof setTimeout> | undefined;

  constructor(session: LibrarySession) {
    this.#session = session;
    this.morph = new Morph(session);
  }

  close(): void {
    clearTimeout(this.#resting);
    this.morph.close();
  }

  get experiment(): Experiment | null {
    return this.#session.experiments.current;
  }

  /** The last prototype of a class stays. */
  get canDelete(): boolean {
    return this.#session.studio.rows.length > 1;
  }

  /** Whose prototypes are listed; null in an experiment of one space. */
  get ofView(): number | null {
    return this.experiment?.views ? this.#session.studio.view : null;
  }

  readonly vectorOf = ({ index }: PrototypeInfo): VectorRef => ({
    kind: 'prototype',
    experimentId: this.experiment?.id ?? '',
    index,
  });

  readonly soundOf = (prototype: PrototypeInfo): Sonification | null =>
    this.#session.sonifier.soundOf(this.vectorOf(prototype), prototype.sonification);

  /** Whether its windows are numbered as those of the space in use: pictures are made of these alone. */
  inUse({ view }: Pick<PrototypeInfo, 'view'>): boolean {
    return (
      view === null || this.experiment?.views?.views[view]?.space.key === this.#session.library.space?.key
    );
  }

  look(title: string, edit: PrototypeEdit): void {
    const { notices, studio } = this.#session;
    void notices.attempt(() => studio.look(title, edit));
  }

  lookAtRemoval({ index }: PrototypeInfo): void {
    this.#session.studio.currentIndex = index;
    this.look(`Delete prototype ${String(index + 1)}`, { kind: 'remove', index });
  }

  async apply(): Promise<void> {
    const { notices, studio } = this.#session;
    const title = studio.draft?.title ?? '';
    await notices.attempt(async () => {
      await studio.apply();
      notices.add('info', `Done: ${title}.`, { action: undoAction(this.#session) });
    });
  }

  async keep(): Promise<void> {
    const { notices, studio } = this.#session;
    await notices.attempt(async () => {
      const kept = await studio.keep();
      if (kept) notices.add('success', `Kept as “${kept.name}”; the other experiment stays as it was.`);
    });
  }

  playA(prototype: PrototypeInfo): void {
    if (!canSound(this.#session, prototype)) {
      this.playB(prototype, 0);
      return;
    }
    this.#session.studio.heard = 'a';
    void playPrototype(this.#session, prototype.index);
  }

  playB(prototype: PrototypeInfo, which: number): void {
    if (!prototype.nearest[which]) return;
    this.#session.studio.heard = which;
    playNearest(this.#session, prototype.index, which);
  }

  /** Whether there is anything to compare it with by ear. */
  canMorph(prototype: PrototypeInfo): boolean {
    const { marked } = this.#session.studio;
    return (prototype.twin != null || marked.length >= 2) && canSound(this.#session, prototype);
  }

  /** Two marked prototypes; else this one and a marked one, or the prototype that lies nearest. */
  startMorph(prototype: PrototypeInfo): void {
    const { morph } = this;
    const { notices, prototypes, studio } = this.#session;
    if (morph.ends) {
      morph.close();
      return;
    }
    const [first, second] = studio.marked.map((index) => prototypes.get(index));
    const other =
      first && first.index !== prototype.index ? first : prototypes.get(prototype.twin?.index ?? -1);
    const ends = first && second ? ([first, second] as const) : other && ([prototype, other] as const);
    const experimentId = this.experiment?.id;
    if (!ends || experimentId === undefined || !canSound(this.#session, prototype)) return;
    void notices.attempt(() => morph.open(experimentId, ...ends));
  }

  /** A point of the class map. */
  pick(point: ClassMapPoint): void {
    const { engine, notices, player, prototypes, scope, selection, studio } = this.#session;
    if (point.kind === 'prototype') {
      studio.choose(point.class);
      studio.currentIndex = point.index;
      const pointed = prototypes.get(point.index);
      if (pointed) this.playA(pointed);
      return;
    }
    const view = this.ofView;
    selection.only(point.trackId, this.inUse({ view }) ? point.windowIndex : null);
    void notices.attempt(async () => {
      const track = await engine.call('tracks.get', { ...scope, trackId: point.trackId });
      const range = {
        start: point.startSeconds,
        end: point.startSeconds + (this.#session.packOf(view)?.windowSeconds ?? 1),
      };
      await player.showTrack(track, { play: true, range });
    });
  }

  /** What keys do with the row that is chosen. */
  readonly byKey: Readonly<Record<StudioAction, (prototype: PrototypeInfo) => void>> = {
    next: () => this.#walk(1),
    previous: () => this.#walk(-1),
    sonified: (prototype) => this.playA(prototype),
    nearest: (prototype) => this.playB(prototype, 0),
    second: (prototype) => this.playB(prototype, 1),
    third: (prototype) => this.playB(prototype, 2),
    fourth: (prototype) => this.playB(prototype, 3),
    fifth: (prototype) => this.playB(prototype, 4),
    mark: ({ index }) => this.#session.studio.mark(index),
    freeze: (prototype) => {
      const { notices, studio } = this.#session;
      if (!this.experiment?.views) void notices.attempt(() => studio.freeze(prototype));
    },
    morph: (prototype) => this.startMorph(prototype),
    morphOn: () => this.#morphTo(1),
    morphBack: () => this.#morphTo(-1),
    remove: (prototype) => {
      if (this.canDelete) this.lookAtRemoval(prototype);
    },
    apply: () => {
      if (this.#session.studio.draft?.preview) void this.apply();
    },
    drop: () => {
      const { studio } = this.#session;
      if (studio.draft) studio.drop();
      else this.morph.close();
    },
  };

  #morphTo(step: number): void {
    void this.#session.notices.attempt(() => this.morph.go(this.morph.point + step));
  }

  /** The next row, heard as the last one was; a sound that is still to be made waits for A. */
  #walk(step: number): void {
    const { settings, studio } = this.#session;
    this.#select(studio.beside(step));
    clearTimeout(this.#resting);
    this.#resting = setTimeout(() => {
      const { current, heard } = studio;
      if (!current || !settings.auditionOnSelect) return;
      if (heard !== 'a') this.playB(current, Math.min(heard, current.nearest.length - 1));
      else if (this.soundOf(current)) this.playA(current);
    }, REST_MS);
  }

  #select(prototype: PrototypeInfo | null): void {
    if (!prototype) return;
    this.#session.studio.currentIndex = prototype.index;
    requestAnimationFrame(() =>
      document
        .querySelector(`[data-testid=prototype-card][data-index="${String(prototype.index)}"]`)
        ?.scrollIntoView({ block: 'nearest' }),
    );
  }
}
