import { getContext } from 'svelte';
import type { EngineClient } from '../../../engine/api/contract.ts';
import type { AppInfo, EngineEvent, LibrarySummary } from '../../../engine/api/domain.ts';
import { EngineError } from '../../../engine/api/errors.ts';
import type { ShellApi } from '../../../engine/api/shell.ts';
import type { ViewId } from './command-list.ts';
import { CorpusCardData } from '../reduce/corpus.svelte.ts';
import { EngineConnection } from './engine.svelte.ts';
import { Experiments } from '../session/experiments.svelte.ts';
import { History } from '../session/history.svelte.ts';
import { InspectedReduction } from '../reduce/inspected.svelte.ts';
import { Jobs } from '../jobs/jobs.svelte.ts';
import { Libraries } from './libraries.svelte.ts';
import { Notices } from './notices.svelte.ts';
import { Packs } from '../packs/packs.svelte.ts';
import { Player } from '../player/player.svelte.ts';
import { MapData } from '../map/projection.svelte.ts';
import { Prototypes } from '../prototypes/prototypes.svelte.ts';
import { Reductions } from '../reduce/reductions.svelte.ts';
import { Selection } from '../session/selection.svelte.ts';
import { Settings } from './settings.svelte.ts';
import { Sonifier } from '../session/sonifier.svelte.ts';
import { Taxonomies } from '../session/taxonomies.svelte.ts';
import { Throttle } from '../ui/throttle.ts';
import { TrackTable } from '../library/tracks.svelte.ts';
import type { TrackScope } from '../library/tracks.svelte.ts';
import { Why } from '../why/why.svelte.ts';
import { WindowClassStrip } from '../player/window-classes.svelte.ts';

export const appContext = Symbol('app');

/** The state of the window, for components. */
export function useApp(): App {
  return getContext<App>(appContext);
}

/** Puts the parts of the window's state together and passes the engine's events on to them; holds no data itself. */
export class App {
  readonly engine = new EngineConnection();
  readonly notices = new Notices();
  readonly history = new History();
  readonly settings = new Settings();
  readonly selection = new Selection();
  readonly jobs = new Jobs(this.engine);
  readonly libraries = new Libraries(this.engine);
  readonly tracks = new TrackTable(this.engine, this.notices);
  readonly taxonomies = new Taxonomies(this.engine, this.history);
  readonly experiments = new Experiments(this.engine, this.jobs);
  readonly prototypes = new Prototypes(this.engine, this.experiments, this.history);
  readonly reductions = new Reductions(this.engine, this.jobs, this.history);
  readonly corpus = new CorpusCardData(this.engine);
  readonly inspected = new InspectedReduction(this.engine);
  readonly compared = new InspectedReduction(this.engine);
  readonly packs = new Packs(this.engine, this.jobs);
  readonly sonifier = new Sonifier(this.engine, this.jobs);
  readonly player = new Player(this.engine, this.notices, this.settings);
  readonly why = new Why(this.engine);
  readonly strip = new WindowClassStrip(this.engine, this.notices);
  readonly map = new MapData(this.engine);

  view = $state<ViewId>('welcome');
  info = $state.raw<AppInfo | null>(null);
  /** Counts changes of predictions and labels, for views that show what is derived from them. */
  predictionsVersion = $state(0);
  tracksVersion = $state(0);
  shortcutsOpen = $state(false);

  #connectedBefore = false;

  #tracksChanged = new Throttle(400, () => {
    this.tracksVersion += 1;
    this.tracks.invalidate();
    void this.notices.attempt(() => this.libraries.refresh());
  });
  #predictionsChanged = new Throttle(400, () => {
    this.predictionsVersion += 1;
    this.tracks.invalidate();
  });

  /** A study tells of every reduction it has made. */
  #reductionsChanged = new Throttle(500, () => void this.notices.attempt(() => this.reductions.reload()));

  constructor(readonly shell: ShellApi) {}

  get scope(): TrackScope | null {
    const libraryId = this.libraries.currentId;
    if (libraryId === null) return null;
    return { libraryId, taxonomyId: this.taxonomies.currentId, experimentId: this.experiments.currentId };
  }

  /** A new engine process is there: listens to it and reads everything anew. */
  async connected(client: EngineClient): Promise<void> {
    const again = this.#connectedBefore;
    this.#connectedBefore = true;
    this.engine.accept(client);
    void this.#listen(client);
    await this.notices.attempt(async () => {
      const [info] = await Promise.all([
        client.call('app.info', {}),
        this.jobs.reload(),
        this.libraries.reload(),
        this.packs.reload(),
      ]);
      this.info = info;
    });
    if (again) {
      this.notices.add('info', 'The engine is running again.', {
        hint: 'Imports continue with the next file.',
      });
      await this.#reloadLibrary();
    }
  }

  async #listen(client: EngineClient): Promise<void> {
    try {
      for await (const event of client.stream('events', {})) this.handle(event);
    } catch (thrown) {
      // When the engine ended, `connected` listens to the next one.
      if (EngineError.from(thrown).code !== 'engine-restarted') this.notices.error(thrown);
    }
  }

  handle(event: EngineEvent): void {
    switch (event.type) {
      case 'job':
        this.jobs.apply(event.job);
        // Nobody waits for an import; whoever started another kind of job is told by `jobs.wait`.
        if (event.job.kind === 'import' && event.job.state === 'failed' && event.job.error) {
          this.notices.error(EngineError.fromData(event.job.error));
        }
        break;
      case 'train-progress':
        this.experiments.addPoint(event.jobId, event.point);
        break;
      case 'libraries-changed':
        void this.notices.attempt(() => this.libraries.reload());
        break;
      case 'library-changed':
        if (event.libraryId === this.libraries.currentId) this.#changed(event.what);
        break;
    }
  }

  #changed(what: Extract<EngineEvent, { type: 'library-changed' }>['what']): void {
    switch (what) {
      case 'tracks':
        this.#tracksChanged.call();
        break;
      case 'taxonomies':
        void this.notices.attempt(() => this.taxonomies.reload());
        this.#predictionsChanged.call();
        break;
      case 'experiments':
        void this.notices.attempt(() => this.experiments.reload());
        break;
      case 'reductions':
        this.#reductionsChanged.call();
        break;
      case 'predictions':
        this.#predictionsChanged.call();
        break;
    }
  }

  async openFolder(folder: string): Promise<void> {
    await this.notices.attempt(async () => this.#enter(await this.libraries.openFolder(folder)));
  }

  async openDemo(): Promise<void> {
    await this.notices.attempt(async () => this.#enter(await this.libraries.openDemo()));
  }

  async openKnown(libraryId: string): Promise<void> {
    await this.notices.attempt(async () => this.#enter(await this.libraries.openKnown(libraryId)));
  }

  async chooseFolder(): Promise<void> {
    const folder = await this.shell.chooseFolder('Open a folder of music');
    if (folder !== null) await this.openFolder(folder);
  }

  /** Starts an import of what is new or changed in the open library. */
  async rescan(): Promise<void> {
    const libraryId = this.libraries.currentId;
    if (libraryId === null) return;
    await this.notices.attempt(() => this.engine.call('import.start', { libraryId }));
  }

  /** Changes how many windows of each track are embedded, and embeds anew what that changes. */
  async setWindows(windows: 'all' | number): Promise<void> {
    const library = this.libraries.current;
    if (!library) return;
    await this.notices.attempt(async () => {
      await this.libraries.setWindows(library, windows);
      await this.rescan();
    });
  }

  async #enter(library: LibrarySummary): Promise<void> {
    this.settings.change({ lastLibraryId: library.id });
    this.selection.clear();
    this.history.clear();
    this.map.clear();
    this.player.open(library.id);
    this.sonifier.open(library.id);
    this.sonifier.defaults = this.packs.get(library.packId)?.sampler ?? null;
    this.view = 'library';
    await this.#reloadLibrary();
    const { ready, pending } = library.tracks;
    const unread = ready === 0 || pending > 0;
    if (unread && !this.jobs.running('import', library.id)) await this.rescan();
  }

  async #reloadLibrary(): Promise<void> {
    const libraryId = this.libraries.currentId;
    if (libraryId === null) return;
    await this.notices.attempt(() =>
      Promise.all([
        this.taxonomies.open(libraryId),
        this.experiments.open(libraryId),
        this.reductions.open(libraryId),
      ]),
    );
    this.predictionsVersion += 1;
  }

  /** Leaves the library that is open; its data stays. */
  closeLibrary(): void {
    this.player.open(null);
    this.selection.clear();
    this.map.clear();
    this.libraries.currentId = null;
    this.view = 'welcome';
  }
}
