import { untrack } from 'svelte';
import type { EngineEvent } from '../../../engine/api/app.ts';
import type { CurvePoint } from '../../../engine/api/experiments.ts';
import type { Job } from '../../../engine/api/jobs.ts';
import type { LibrarySummary } from '../../../engine/api/libraries.ts';
import type { VectorRef } from '../../../engine/api/neighbours.ts';
import type { PackInfo } from '../../../engine/api/packs.ts';
import type { EngineConnection } from '../shell/engine.svelte.ts';
import type { Helpers } from '../helpers/helpers.svelte.ts';
import type { Jobs } from '../jobs/jobs.svelte.ts';
import { TrackTable, type TrackScope } from '../library/tracks.svelte.ts';
import { MapData } from '../map/projection.svelte.ts';
import type { Packs } from '../packs/packs.svelte.ts';
import { KeptMelodies } from '../melody/kept.svelte.ts';
import { Melodies } from '../melody/melodies.svelte.ts';
import { Mistakes } from '../mistakes/mistakes.svelte.ts';
import { ModulationMaps } from '../modulation/modulation.svelte.ts';
import { Player } from '../player/player.svelte.ts';
import { Taggrams } from '../player/taggrams.svelte.ts';
import { WindowClassStrip } from '../player/window-classes.svelte.ts';
import { Prototypes } from '../prototypes/prototypes.svelte.ts';
import { Studio } from '../prototypes/studio.svelte.ts';
import { CorpusCardData } from '../reduce/corpus.svelte.ts';
import { InspectedReduction } from '../reduce/inspected.svelte.ts';
import { Reductions } from '../reduce/reductions.svelte.ts';
import type { Libraries } from '../shell/libraries.svelte.ts';
import { Notices } from '../shell/notices.svelte.ts';
import type { Settings } from '../shell/settings.svelte.ts';
import { Throttle } from '../ui/throttle.ts';
import { watch } from '../ui/watch.ts';
import { Why } from '../why/why.svelte.ts';
import { BackgroundSounds } from './background-sounds.ts';
import { Covers } from '../library/covers.ts';
import { Experiments } from './experiments.svelte.ts';
import { History } from './history.svelte.ts';
import { keepPlace, placeOf } from './place.ts';
import { Revisions } from './revisions.ts';
import { ScopedEngine } from './scoped-engine.ts';
import { Selection } from './selection.svelte.ts';
import { SimilarityLearning } from '../similar/learning.svelte.ts';
import { Modalities } from '../similar/modalities.svelte.ts';
import { Similar } from '../similar/similar.svelte.ts';
import { TrackSets } from './sets.svelte.ts';
import { Tray } from '../tray/tray.svelte.ts';
import { Sonifier, vectorKey } from './sonifier.svelte.ts';
import { Taxonomies } from './taxonomies.svelte.ts';

/** What a session needs of the window; these outlive it. */
export interface SessionHost {
  engine: EngineConnection;
  jobs: Jobs;
  libraries: Libraries;
  packs: Packs;
  settings: Settings;
  helpers: Helpers;
  /** The view that is shown. */
  readonly view: string;
}

/** For so long what was asked for may sound by itself, whatever is done meanwhile in the same view. */
const PATIENCE_MS = 30_000;

type Change = Extract<EngineEvent, { type: 'library-changed' }>['what'];

/**
 * An open library in the window: made when it opens, closed with it. Everything that belongs to the library lives here
 * (history, selection, experiments, sounds, messages), and its engine refuses calls after {@link close}, so that nothing
 * outlives it.
 */
export class LibrarySession {
  readonly libraryId: string;
  readonly notices = new Notices();
  readonly history = new History();
  readonly selection = new Selection();
  readonly engine: ScopedEngine;
  readonly jobs: Jobs;
  readonly settings: Settings;
  readonly tracks: TrackTable;
  readonly covers: Covers;
  readonly taxonomies: Taxonomies;
  readonly experiments: Experiments;
  readonly revisions: Revisions;
  readonly prototypes: Prototypes;
  readonly studio: Studio;
  readonly reductions: Reductions;
  readonly mistakes: Mistakes;
  readonly corpus: CorpusCardData;
  readonly inspected: InspectedReduction;
  readonly compared: InspectedReduction;
  readonly sonifier: Sonifier;
  readonly #background: BackgroundSounds;
  readonly player: Player;
  readonly melodies: Melodies;
  readonly keptMelodies: KeptMelodies;
  readonly why: Why;
  readonly strip: WindowClassStrip;
  readonly taggrams: Taggrams;
  readonly map: MapData;
  readonly similar: Similar;
  readonly learning: SimilarityLearning;
  readonly modulation: ModulationMaps;
  readonly modalities: Modalities;
  readonly sets: TrackSets;
  readonly tray: Tray;

  /** Counts changes of predictions and labels, for views that show what is derived from them. */
  predictionsVersion = $state(0);
  tracksVersion = $state(0);
  tagsVersion = $state(0);

  readonly #host: SessionHost;
  readonly #end = new AbortController();
  #actedAt = 0;
  /** The place was taken up again; only then is it kept anew. */
  #placed = $state(false);
  readonly #stopEffects: () => void;
  readonly #opened: LibrarySummary;
  readonly #throttles: Record<'tracks' | 'predictions' | 'reductions' | 'mistakes' | 'tags', Throttle>;

  constructor(library: LibrarySummary, host: SessionHost) {
    this.#host = host;
    this.#opened = library;
    const libraryId = (this.libraryId = library.id);
    const engine = (this.engine = new ScopedEngine(host.engine, this.#end.signal));
    this.jobs = host.jobs;
    this.settings = host.settings;
    const jobs = { wait: (id: string) => this.wait(id) };
    this.tracks = new TrackTable(engine, this.notices);
    this.covers = new Covers(engine, libraryId);
    this.taxonomies = new Taxonomies(libraryId, engine, this.history);
    this.experiments = new Experiments(libraryId, engine, jobs);
    this.revisions = new Revisions(libraryId, engine, this.experiments, this.history, jobs);
    this.prototypes = new Prototypes(libraryId, engine, this.experiments, this.revisions, (work) =>
      this.notices.attempt(work),
    );
    this.studio = new Studio(libraryId, engine, this.experiments, this.prototypes);
    this.reductions = new Reductions(libraryId, engine, jobs, this.history);
    this.mistakes = new Mistakes(libraryId, engine, jobs, this.history);
    this.corpus = new CorpusCardData(engine);
    this.inspected = new InspectedReduction(engine);
    this.compared = new InspectedReduction(engine);
    this.sonifier = new Sonifier(libraryId, engine, jobs);
    this.#background = new BackgroundSounds((wanted) => this.#makeAhead(wanted));
    this.player = new Player(libraryId, engine, this.notices, host.settings);
    const { player, sonifier } = this;
    this.melodies = new Melodies(libraryId, engine, jobs, { player, sonifier });
    this.keptMelodies = new KeptMelodies(libraryId, engine, this.history);
    this.why = new Why(engine);
    this.strip = new WindowClassStrip(engine, this.notices);
    this.taggrams = new Taggrams(engine);
    this.map = new MapData(engine);
    this.tray = new Tray(libraryId, engine, this.experiments, {
      wait: jobs.wait,
      cancel: (id) => host.jobs.cancel(id),
    });
    this.sets = new TrackSets(libraryId, engine, this.history);
    this.similar = new Similar(engine, () => this.scope);
    this.learning = new SimilarityLearning(libraryId, engine, jobs.wait);
    this.modulation = new ModulationMaps(libraryId, engine, jobs.wait, (id) => host.jobs.cancel(id));
    this.modalities = new Modalities(libraryId, engine, jobs.wait);
    this.#throttles = {
      tracks: new Throttle(400, () => {
        this.tracksVersion += 1;
        this.tracks.invalidate();
        this.covers.forget();
        void this.notices.attempt(() => host.libraries.refresh(libraryId));
      }),
      predictions: new Throttle(400, () => {
        this.predictionsVersion += 1;
        this.tracks.invalidate();
      }),
      // A job keeps what it hears as it goes.
      tags: new Throttle(400, () => {
        this.tagsVersion += 1;
        this.tracks.invalidate();
      }),
      // The command line may decide, too.
      mistakes: new Throttle(400, () => void this.notices.attempt(() => this.mistakes.reload())),
      // A study tells of every reduction it has made.
      reductions: new Throttle(500, () => void this.notices.attempt(() => this.reductions.reload())),
    };
    const { sort, sortTag, descending, search, filter } = placeOf(libraryId);
    this.tracks.sort = sort;
    this.tracks.sortTag = sortTag;
    this.tracks.descending = descending;
    this.tracks.search = search;
    this.tracks.filter = filter;
    this.#stopEffects = $effect.root(() => this.#follow());
  }

  get closed(): boolean {
    return this.#end.signal.aborted;
  }

  /** The library with its present counts. */
  get library(): LibrarySummary {
    return this.#host.libraries.get(this.libraryId) ?? this.#opened;
  }

  /** The pack the library's embeddings come from, when it is installed. */
  get pack(): PackInfo | null {
    return this.#host.packs.get(this.library.packId);
  }

  /** The pack that a prototype of the chosen experiment is a vector of, when it is installed. @param view null: of one space */
  packOf(view: number | null): PackInfo | null {
    const experiment = this.experiments.current;
    const space = view === null ? experiment?.space : experiment?.views?.views[view]?.space;
    return this.#host.packs.get(space?.packId);
  }

  /** What the engine keeps of the library was read. */
  get ready(): boolean {
    return this.#placed;
  }

  get scope(): TrackScope {
    return {
      libraryId: this.libraryId,
      taxonomyId: this.taxonomies.currentId,
      experimentId: this.experiments.currentId,
    };
  }

  /** Somebody pressed something in the window. */
  acted(): void {
    this.#actedAt = performance.now();
  }

  /**
   * Somebody wants to hear a vector, whose sound may have to be made.
   * @returns whether it may still sound by itself: not in another view, not after something else was wanted, and not
   * long after, when the person has gone on to do something else
   */
  ask(vector: VectorRef): () => boolean {
    const askedAt = performance.now();
    const { view } = this.#host;
    const wish = this.player.wish(vectorKey(vector));
    return () =>
      !this.closed &&
      this.#host.view === view &&
      wish() &&
      (this.#actedAt <= askedAt || performance.now() - askedAt < PATIENCE_MS);
  }

  /** Resolves when a job of this library is done. @throws EngineError the job’s own, or `cancelled` when the session ends first. */
  async wait(jobId: string): Promise<Job> {
    return this.#host.jobs.wait(jobId, this.#end.signal);
  }

  /** Reads what the engine keeps of the library; again after the engine was restarted. */
  async load(): Promise<void> {
    this.covers.forget();
    const loaded = await this.notices.attempt(() =>
      Promise.all([
        this.taxonomies.reload(),
        this.experiments.reload(),
        this.reductions.reload(),
        this.sets.reload(),
      ]),
    );
    // Without what was to be read, the place would be kept anew as nowhere.
    if (loaded && !this.#placed) {
      this.#placed = true;
      const { taxonomyId, experimentId } = placeOf(this.libraryId);
      if (this.taxonomies.list.some(({ id }) => id === taxonomyId)) {
        this.taxonomies.currentId = taxonomyId;
      }
      if (this.experiments.list.some(({ id }) => id === experimentId)) {
        this.experiments.currentId = experimentId;
      }
    }
    this.predictionsVersion += 1;
  }

  /** Ends the session: sounds stop, calls under way are given up, messages go. */
  close(): void {
    if (this.closed) return;
    this.#end.abort();
    this.#stopEffects();
    this.#background.stop();
    for (const throttle of Object.values(this.#throttles)) throttle.stop();
    this.player.close();
    this.history.clear();
    this.notices.clear();
  }

  /** Something of this library changed in the engine. */
  changed(what: Change): void {
    if (this.closed) return;
    switch (what) {
      case 'tracks':
        this.#throttles.tracks.call();
        break;
      case 'taxonomies':
        void this.notices.attempt(() => this.taxonomies.reload());
        this.#throttles.predictions.call();
        break;
      case 'experiments':
        void this.notices.attempt(() => this.experiments.reload());
        break;
      case 'reductions':
        this.#throttles.reductions.call();
        break;
      case 'predictions':
        this.#throttles.predictions.call();
        break;
      case 'sets':
        // A search may ask for them.
        this.tracks.invalidate();
        void this.notices.attempt(() => this.sets.reload());
        break;
      case 'playlists':
        // The command line may have added some.
        void this.notices.attempt(() => this.learning.reload());
        break;
      case 'tags':
        this.#throttles.tags.call();
        break;
      case 'melodies':
        // The command line may have kept some.
        void this.notices.attempt(() => this.keptMelodies.reload());
        break;
      case 'mistakes':
        this.#throttles.mistakes.call();
        break;
    }
  }

  /** A training of this library got one step further. */
  trained(jobId: string, point: CurvePoint): void {
    if (!this.closed) this.experiments.addPoint(jobId, point);
  }

  /** Has the sounds of an experiment's prototypes made while nothing else is under way, or none any more. */
  async #makeAhead(wanted: { experimentId: string; all: boolean } | null): Promise<void> {
    const { libraryId } = this;
    await this.notices.attempt(async () => {
      if (wanted) {
        await this.engine.call('sonify.background', { libraryId, ...wanted, ...this.sonifier.settings });
        return;
      }
      const job = this.#host.jobs.running('background-sounds', libraryId);
      if (job) await this.#host.jobs.cancel(job.id);
    });
  }

  /** Starts an import of what is new or changed, or of everything. */
  async rescan(everything = false): Promise<void> {
    const { libraryId } = this;
    // Where no queue is connected there is no switch either, and what it said last does not count.
    const overQueue = this.settings.preferences.importOverQueue && this.#host.helpers.connection !== null;
    await this.notices.attempt(() => this.engine.call('import.start', { libraryId, everything, overQueue }));
  }

  /** Changes how many windows of each track are embedded, and embeds anew what that changes. */
  async setWindows(windows: 'all' | number): Promise<void> {
    await this.notices.attempt(async () => {
      await this.#host.libraries.setWindows(this.library, windows);
      await this.rescan();
    });
  }

  /** The selection, the experiment and the taxonomy decide what the shared parts show. */
  #follow(): void {
    const revision = $derived(this.experiments.current?.revision ?? 0);
    $effect(() => {
      const scope = this.scope;
      untrack(() => this.tracks.open(scope));
    });
    $effect(() => {
      const experimentId = this.experiments.currentId;
      const present = revision;
      untrack(() => {
        if (experimentId !== null) this.sonifier.follow(experimentId, present);
        void this.notices.attempt(() => this.prototypes.open(experimentId));
      });
    });
    $effect(() => {
      const experimentId = this.experiments.currentId;
      const on = this.settings.soundsInBackground;
      const all = this.#host.view === 'prototypes';
      watch(revision);
      if (!this.#placed) return;
      untrack(() => this.#background.want(on && experimentId !== null ? { experimentId, all } : null));
    });
    $effect(() => {
      const scope = this.scope;
      const trackId = this.selection.lead;
      const windowIndex = this.selection.windowIndex;
      watch(revision, this.predictionsVersion);
      untrack(() => void this.why.show(trackId === null ? null : { ...scope, trackId, windowIndex }));
    });
    $effect(() => {
      const source = this.player.source;
      const { libraryId, experimentId } = this.scope;
      watch(revision, this.predictionsVersion);
      untrack(() => void this.strip.show(libraryId, experimentId, source?.trackId ?? null));
    });
    $effect(() => {
      const { sort, sortTag, descending, search, filter } = this.tracks;
      const { taxonomyId, experimentId } = this.scope;
      // A list of chosen tracks may be long, and is of the moment.
      const lasting = { ...filter };
      delete lasting.trackIds;
      if (!this.#placed) return;
      keepPlace(this.libraryId, {
        sort,
        sortTag,
        descending,
        search,
        filter: lasting,
        taxonomyId,
        experimentId,
      });
    });
    $effect(() => {
      const defaults = this.pack?.sampler ?? null;
      untrack(() => (this.sonifier.defaults = defaults));
    });
  }
}
