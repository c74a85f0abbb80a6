import type { EngineClient } from '../../../engine/api/contract.ts';
import type { AppInfo, EngineEvent } from '../../../engine/api/app.ts';
import type { DemoName, LibrarySummary } from '../../../engine/api/libraries.ts';
import { EngineError } from '../../../engine/api/errors.ts';
import type { ShellApi } from '../../../engine/api/shell.ts';
import { Helpers } from '../helpers/helpers.svelte.ts';
import { Jobs } from '../jobs/jobs.svelte.ts';
import { Packs } from '../packs/packs.svelte.ts';
import { Recordings } from '../recording/recordings.svelte.ts';
import { forgetPlace } from '../session/place.ts';
import { LibrarySession } from '../session/library-session.svelte.ts';
import { Evaluations } from '../evaluate/evaluations.svelte.ts';
import { viewIds, type ViewId } from './command-list.ts';
import { EngineConnection } from './engine.svelte.ts';
import { Libraries } from './libraries.svelte.ts';
import { Notices } from './notices.svelte.ts';
import { Settings } from './settings.svelte.ts';

/** What happened while no engine was there is told when it is not older than this. */
const NEWS_MS = 60_000;

/** The state of the window that outlives libraries, the library that is open, and where the engine's events go. */
export class App {
  readonly engine = new EngineConnection();
  /** Messages that concern no library; those of a library are its session's. */
  readonly notices = new Notices();
  readonly settings = new Settings(this.engine);
  readonly jobs = new Jobs(this.engine);
  readonly libraries = new Libraries(this.engine);
  readonly packs = new Packs(this.engine, this.jobs);
  readonly evaluations = new Evaluations(this.engine);
  readonly helpers = new Helpers(this.engine);
  readonly recordings = new Recordings(this.engine);

  view = $state<ViewId>('welcome');
  info = $state.raw<AppInfo | null>(null);
  shortcutsOpen = $state(false);
  /** The library that a backup is being chosen for. */
  restoring = $state.raw<LibrarySummary | null>(null);
  /** It is being chosen what of the tracks is exported. */
  exporting = $state(false);
  /** The window is too narrow for a view and something beside it. */
  narrow = $state(false);
  /** In a narrow window the inspector stands in the view’s place: only when asked for, and it is not kept. */
  #inspectorOver = $state(false);
  /** Files of the library hang at the pointer; dropped on the window itself they are nothing new. */
  draggingOut = false;
  /** The library that is open. */
  session = $state.raw<LibrarySession | null>(null);

  #connectedBefore = false;
  /** Counts wishes for another library, so that only the last one is met. */
  #wishes = 0;

  constructor(readonly shell: ShellApi) {}

  get inspectorOpen(): boolean {
    return this.narrow ? this.#inspectorOver : this.settings.inspector;
  }

  showInspector(open: boolean): void {
    if (this.narrow) this.#inspectorOver = open;
    else this.settings.change({ inspector: open });
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
        this.#reloadLibraries(),
        this.packs.reload(),
        this.settings.load(),
        this.helpers.load(),
      ]);
      this.info = info;
    });
    for (const { error, finishedAt } of this.jobs.list) {
      // Ended the process, and was stopped for it before there was anybody to tell.
      const fresh = finishedAt !== null && Date.now() - Date.parse(finishedAt) < NEWS_MS;
      if (error?.code === 'engine-restarted' && fresh) this.notices.error(EngineError.fromData(error));
    }
    // After crashes in a row nothing is opened by itself: it may be what they came from.
    if (!again && this.info?.safeStart !== true) await this.#resume();
    for (const message of this.info?.notices ?? []) this.notices.add('warning', message);
    if (this.info?.safeStart === true) {
      const paused = this.jobs.active.filter((job) => job.state === 'paused');
      this.notices.add('error', 'The engine ended three times within a minute.', {
        hint:
          paused.length === 0
            ? 'It is running again.'
            : 'It is running again without what was under way, which may be what ended it.',
        action:
          paused.length === 0
            ? undefined
            : {
                label: `Resume ${paused.length === 1 ? `“${paused[0]?.title ?? ''}”` : `${paused.length} jobs`}`,
                run: () =>
                  void this.notices.attempt(() => Promise.all(paused.map(({ id }) => this.jobs.resume(id)))),
              },
      });
    } else if (again) {
      this.notices.add('info', 'The engine is running again.', {
        hint: 'Imports continue with the next file.',
      });
    }
    if (again) await this.session?.load();
  }

  /** Opens what was open when the window was closed, in the view that was looked at. */
  async #resume(): Promise<void> {
    const { lastLibraryId, lastView } = this.settings;
    // Whoever was quicker and chose another library has it.
    if (this.#wishes > 0 || lastLibraryId === null) return;
    // The list says what is wrong with a damaged one, and offers the way back.
    if (this.libraries.get(lastLibraryId)?.problem !== null) return;
    await this.openKnown(lastLibraryId);
    const view = viewIds.find((id) => id === lastView);
    // Nor is a person who went elsewhere meanwhile brought back.
    if (this.session && this.view === 'library' && view !== undefined && view !== 'welcome') this.view = view;
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
          const notices = this.#sessionOf(event.job.libraryId)?.notices ?? this.notices;
          notices.error(EngineError.fromData(event.job.error));
        }
        break;
      case 'train-progress':
        this.#sessionOf(this.jobs.get(event.jobId)?.libraryId)?.trained(event.jobId, event.point);
        break;
      case 'file-classified':
        this.#sessionOf(event.libraryId)?.tray.classified(event.jobId, event.file);
        break;
      case 'first-sound':
        this.#sessionOf(event.libraryId)?.sonifier.first(event);
        break;
      case 'sound':
        this.#sessionOf(event.libraryId)?.sonifier.made(event);
        break;
      case 'notice':
        this.notices.add('warning', event.message);
        break;
      case 'preferences-changed':
        this.settings.adopt(event.preferences);
        break;
      case 'libraries-changed':
        void this.notices.attempt(() => this.#reloadLibraries());
        break;
      case 'library-restored':
        void this.#reopen(event.libraryId);
        break;
      case 'library-changed':
        this.#sessionOf(event.libraryId)?.changed(event.what);
        break;
    }
  }

  #sessionOf(libraryId: string | null | undefined): LibrarySession | null {
    return this.session?.libraryId === libraryId ? this.session : null;
  }

  async #reloadLibraries(): Promise<void> {
    await this.libraries.reload();
    // Removed here, on the command line or by another window.
    const open = this.session;
    if (open && !this.libraries.get(open.libraryId)) this.closeLibrary();
  }

  async openFolder(folder: string): Promise<void> {
    await this.#enter(() => this.libraries.openFolder(folder));
  }

  async openDemo(demo: DemoName = 'instruments'): Promise<void> {
    await this.#enter(() => this.libraries.openDemo(demo));
  }

  async openKnown(libraryId: string): Promise<void> {
    await this.#enter(() => this.libraries.openKnown(libraryId));
  }

  /** Opens a library whose folder has moved. */
  async relink(libraryId: string, folder: string): Promise<void> {
    await this.#enter(() => this.libraries.relink(libraryId, folder));
  }

  async chooseFolder(): Promise<void> {
    const folder = await this.shell.chooseFolder('Open a folder of music');
    if (folder !== null) await this.openFolder(folder);
  }

  /** Forgets a library. Its data goes; its audio files are never touched. */
  async removeLibrary(libraryId: string): Promise<void> {
    // Left first: what is under way for it is given up, and nothing dead is shown should removing fail.
    if (this.#sessionOf(libraryId)) this.closeLibrary();
    await this.libraries.remove(libraryId);
    forgetPlace(libraryId);
  }

  async #enter(open: () => Promise<LibrarySummary>): Promise<void> {
    const wish = (this.#wishes += 1);
    const library = await this.notices.attempt(open);
    if (!library || wish !== this.#wishes) return;
    this.settings.change({ lastLibraryId: library.id });
    if (!this.#sessionOf(library.id)) {
      this.session?.close();
      this.session = new LibrarySession(library, this);
    }
    const session = this.session;
    this.view = 'library';
    await session?.load();
    const { ready, pending } = library.tracks;
    const unread = ready === 0 || pending > 0;
    if (unread && !this.jobs.running('import', library.id)) await session?.rescan();
  }

  /** Begins anew with a library that was put back: what could be undone and what was selected are of another state of it. */
  async #reopen(libraryId: string): Promise<void> {
    const open = this.#sessionOf(libraryId);
    if (!open) return;
    const { view } = this;
    open.close();
    this.session = null;
    await this.openKnown(libraryId);
    if (this.#sessionOf(libraryId) && view !== 'welcome') this.view = view;
  }

  /** Leaves the library that is open; its data stays. */
  closeLibrary(): void {
    this.#wishes += 1;
    this.session?.close();
    this.session = null;
    this.settings.change({ lastLibraryId: null });
    this.view = 'welcome';
  }
}
