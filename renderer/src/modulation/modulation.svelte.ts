import type { EngineClient } from '../../../engine/api/contract.ts';
import { EngineError } from '../../../engine/api/errors.ts';
import {
  studyDefaults,
  type KeptFilters,
  type ModulationChoiceInput,
  type ModulationFigures,
  type ModulationMapInfo,
  type ModulationSound,
} from '../../../engine/api/modulation.ts';
import type { Job } from '../../../engine/api/jobs.ts';
import type { PlayerSource } from '../player/sources.ts';
import type { Looked } from './maps.ts';

/** What the map is compared with. */
export type Against =
  | { kind: 'none' }
  | { kind: 'class'; taxonomyId: string; name: string }
  | { kind: 'prototype'; index: number }
  | { kind: 'kept'; looked: Looked };

/** A map that is there, with what it is of. */
export interface ShownMap {
  title: string;
  map: ModulationMapInfo;
}

/** Makes the sound of a prototype where it is not there; what a session can do and this part cannot. */
export type PrototypeSound = (index: number) => Promise<{ soundId: string; title: string } | null>;

/** The modulation maps of the open library: what plays, what it is compared with, and what was chosen to be heard. */
export class ModulationMaps {
  looked = $state.raw<Looked | null>(null);
  /** What the player had when it was looked at. */
  source = $state.raw<PlayerSource | null>(null);
  own = $state.raw<ShownMap | null>(null);
  against = $state.raw<Against>({ kind: 'none' });
  other = $state.raw<ShownMap | null>(null);
  /** What is worked on, in words; empty while nothing is. */
  working = $state('');
  problem = $state.raw<EngineError | null>(null);
  choice = $state.raw<Omit<ModulationChoiceInput, 'mode'> | null>(null);
  mode = $state<ModulationChoiceInput['mode']>('only');
  /** What filters are learned with. */
  study = $state.raw({ ...studyDefaults });
  /** Filters that were kept as a pack last, and the job that had learned them. */
  kept = $state.raw<(KeptFilters & { jobId: string }) | null>(null);
  /** What came out of the last choice that was heard. */
  figures = $state.raw<ModulationFigures | null>(null);

  readonly #libraryId: string;
  readonly #engine: EngineClient;
  readonly #wait: (jobId: string) => Promise<Job>;
  readonly #cancel: (jobId: string) => Promise<unknown>;
  #ownAsk = new AbortController();
  #otherAsk = new AbortController();
  #sound: PrototypeSound | null = null;

  constructor(
    libraryId: string,
    engine: EngineClient,
    wait: (jobId: string) => Promise<Job>,
    cancel: (jobId: string) => Promise<unknown>,
  ) {
    this.#libraryId = libraryId;
    this.#engine = engine;
    this.#wait = wait;
    this.#cancel = cancel;
  }

  /** The view is open: this makes sounds of prototypes. */
  attach(sound: PrototypeSound): void {
    this.#sound = sound;
    void this.compare(this.against);
  }

  /** Looks at something else; what was asked before is given up. */
  async look(looked: Looked, source: PlayerSource | null = null): Promise<void> {
    if (JSON.stringify(looked) === JSON.stringify(this.looked) && this.own) return;
    this.#ownAsk.abort();
    const ask = (this.#ownAsk = new AbortController());
    this.looked = looked;
    this.source = source;
    this.figures = null;
    await this.#told(ask, async () => {
      try {
        const map = await this.#mapOf(looked, ask.signal);
        this.own = { title: looked.title, map };
        this.problem = null;
      } catch (thrown) {
        // The map of something else would stand for it.
        if (!ask.signal.aborted) this.own = null;
        throw thrown;
      }
    });
  }

  /** Compares with something else, which may have to be computed first. */
  async compare(against: Against): Promise<void> {
    this.#otherAsk.abort();
    const ask = (this.#otherAsk = new AbortController());
    this.against = against;
    this.other = null;
    this.working = '';
    if (against.kind === 'none' || (against.kind === 'prototype' && !this.#sound)) return;
    await this.#told(ask, async () => {
      this.working =
        against.kind === 'class'
          ? `Looking at tracks of ${against.name}…`
          : against.kind === 'prototype'
            ? 'Making its sound…'
            : '';
      try {
        const other = await this.#otherOf(against, ask.signal);
        if (!ask.signal.aborted) this.other = other;
        this.problem = null;
      } finally {
        if (!ask.signal.aborted) this.working = '';
      }
    });
  }

  /** Gives up what is computed for the comparison. */
  stop(): void {
    void this.compare({ kind: 'none' });
  }

  /** What is left, for the player. @throws EngineError */
  async hear(): Promise<ModulationSound | null> {
    const { looked, choice, mode } = this;
    if (!looked || !choice) return null;
    const sound = await this.#engine.call('modulation.hear', {
      ...{ libraryId: this.#libraryId, of: looked.of, choice: { mode, ...choice } },
    });
    this.figures = sound;
    return sound;
  }

  /** The same into a new file. @throws EngineError `bad-input` for one that is there already */
  async save(file: string): Promise<void> {
    const { looked, choice, mode } = this;
    if (!looked || !choice) return;
    this.figures = await this.#engine.call('modulation.save', {
      ...{ libraryId: this.#libraryId, of: looked.of, choice: { mode, ...choice }, file },
    });
  }

  /** Learns modulation filters on the labels of a taxonomy. @throws EngineError the job’s own, or `cancelled` */
  async learn(taxonomyId: string): Promise<void> {
    const { jobId } = await this.#engine.call('modulation.study', {
      ...{ libraryId: this.#libraryId, taxonomyId, ...this.study },
    });
    await this.#wait(jobId);
  }

  /**
   * Keeps the filters that a job learned as a pack, and embeds the library by it, beside the space in use.
   * @throws EngineError
   */
  async keep(jobId: string, title: string): Promise<void> {
    const libraryId = this.#libraryId;
    const kept = await this.#engine.call('modulation.keep', { libraryId, jobId, title });
    try {
      const started = await this.#engine.call('import.start', { libraryId, packId: kept.packId });
      await this.#wait(started.jobId);
    } finally {
      // Also where embedding was cancelled: the pack is there. Not before, or it would be told while tracks are embedded.
      this.kept = { ...kept, jobId };
    }
  }

  #mapOf({ of }: Looked, signal: AbortSignal): Promise<ModulationMapInfo> {
    return this.#engine.call('modulation.map', { libraryId: this.#libraryId, of }, { signal });
  }

  async #otherOf(against: Exclude<Against, { kind: 'none' }>, signal: AbortSignal): Promise<ShownMap | null> {
    switch (against.kind) {
      case 'kept':
        return { title: against.looked.title, map: await this.#mapOf(against.looked, signal) };
      case 'prototype': {
        const sound = await this.#sound?.(against.index);
        if (!sound) return null;
        const of = { kind: 'sound', soundId: sound.soundId } as const;
        return { title: sound.title, map: await this.#mapOf({ of, title: '' }, signal) };
      }
      case 'class':
        return this.#classMap(against, signal);
    }
  }

  async #classMap(
    { taxonomyId, name }: Extract<Against, { kind: 'class' }>,
    signal: AbortSignal,
  ): Promise<ShownMap | null> {
    const { jobId } = await this.#engine.call('modulation.classMap', {
      ...{ libraryId: this.#libraryId, taxonomyId, class: name },
    });
    const cancel = (): void => void this.#cancel(jobId);
    if (signal.aborted) cancel();
    signal.addEventListener('abort', cancel, { once: true });
    try {
      const { result } = await this.#wait(jobId);
      if (result?.kind !== 'modulation-class') return null;
      const { map, tracks, of } = result;
      return { title: `Mean of ${name} (${String(tracks)} of ${String(of)} tracks)`, map };
    } finally {
      signal.removeEventListener('abort', cancel);
    }
  }

  /** What went wrong is shown in the view, unless nobody waits for it any more. */
  async #told(ask: AbortController, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (thrown) {
      if (ask.signal.aborted) return;
      if (!(thrown instanceof EngineError)) throw thrown;
      this.problem = thrown;
    }
  }
}
