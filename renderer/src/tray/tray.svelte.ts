import { SvelteMap } from 'svelte/reactivity';
import type { FileClassification } from '../../../engine/api/classify.ts';
import type { EngineClient } from '../../../engine/api/contract.ts';
import { EngineError, type EngineErrorData } from '../../../engine/api/errors.ts';
import type { Jobs } from '../jobs/jobs.svelte.ts';
import type { Experiments } from '../session/experiments.svelte.ts';
import { fileName } from '../ui/paths.ts';

/** What classified a file, or is to. */
export interface Classifier {
  experimentId: string;
  revision: number;
}

export interface TrayFile {
  path: string;
  name: string;
  by: Classifier;
  waiting: boolean;
  /** Null while it is waited for, and where it was given up. */
  result: FileClassification | null;
  /** Why the file was not looked at; what is wrong with the file itself is in the result. */
  problem: EngineErrorData | null;
}

/** Files that were asked for together. */
interface Run {
  by: Classifier;
  paths: readonly string[];
}

const isBelow = (path: string, folder: string): boolean =>
  path.startsWith(folder) && /^[\\/]/.test(path.slice(folder.length));

/** Files beside the library that are classified by its experiment; they are not taken into it. */
export class Tray {
  open = $state(false);
  /** The panel that records from the microphone is shown. */
  recording = $state(false);
  /** The file whose reasons are shown. */
  selectedPath = $state<string | null>(null);
  readonly #byPath = new SvelteMap<string, TrayFile>();
  readonly #runs = new SvelteMap<string, Run>();
  readonly #libraryId: string;
  readonly #engine: EngineClient;
  readonly #experiments: Experiments;
  readonly #jobs: Pick<Jobs, 'wait' | 'cancel'>;

  list = $derived([...this.#byPath.values()]);
  selected = $derived(this.selectedPath === null ? null : (this.#byPath.get(this.selectedPath) ?? null));
  /** The job that is under way, or waits. */
  jobId = $derived([...this.#runs.keys()][0] ?? null);
  /** Not classified, or by something else than what is chosen now. */
  outdated = $derived(
    this.list.filter(({ waiting, problem, by }) => !waiting && (problem !== null || !this.isOfChosen(by))),
  );

  constructor(
    libraryId: string,
    engine: EngineClient,
    experiments: Experiments,
    jobs: Pick<Jobs, 'wait' | 'cancel'>,
  ) {
    this.#libraryId = libraryId;
    this.#engine = engine;
    this.#experiments = experiments;
    this.#jobs = jobs;
  }

  isOfChosen({ experimentId, revision }: Classifier): boolean {
    const { current } = this.#experiments;
    return current?.id === experimentId && current.revision === revision;
  }

  /** Classifies files, and those in folders, by the chosen experiment; what is there already is classified anew. */
  async add(paths: readonly string[]): Promise<void> {
    const experiment = this.#experiments.current;
    // eslint-disable-next-line svelte/prefer-svelte-reactivity -- it lives within this line
    const asked = [...new Set(paths)];
    if (!experiment || asked.length === 0) return;
    const run: Run = { by: { experimentId: experiment.id, revision: experiment.revision }, paths: asked };
    this.open = true;
    for (const path of asked) this.#put(path, run.by, { waiting: true, result: null, problem: null });
    this.selectedPath = asked[0] ?? null;
    let jobId: string | null = null;
    try {
      const input = { libraryId: this.#libraryId, experimentId: experiment.id, paths: asked };
      ({ jobId } = await this.#engine.call('classify.files', input));
      this.#runs.set(jobId, run);
      // All of them were taken out before there was a job to give up.
      if (!asked.some((path) => this.#byPath.get(path)?.by === run.by)) await this.#jobs.cancel(jobId);
      const { result } = await this.#jobs.wait(jobId);
      if (result?.kind !== 'classify') return;
      for (const file of result.files) this.#take(run, file);
      this.#leaveFolders(run, result.files);
    } catch (thrown) {
      const { code, message, hint } = EngineError.from(thrown);
      const given =
        code === 'cancelled'
          ? { code, message: 'Not classified: it was cancelled.', hint: 'Classify it again.' }
          : { code, message, hint };
      this.#giveUp(run, given);
    } finally {
      if (jobId !== null) this.#runs.delete(jobId);
    }
  }

  /** One more file of a job is done. */
  classified(jobId: string, file: FileClassification): void {
    const run = this.#runs.get(jobId);
    if (run) this.#take(run, file);
  }

  /** Classifies again what was given up, or was classified by something else than what is chosen now. */
  async again(): Promise<void> {
    const { selectedPath } = this;
    const again = this.add(this.outdated.map(({ path }) => path));
    this.selectedPath = selectedPath;
    await again;
  }

  /** Gives up what is under way; what is classified stays. */
  async cancel(): Promise<void> {
    for (const jobId of [...this.#runs.keys()]) await this.#jobs.cancel(jobId);
  }

  /** Takes a file out; nothing happens to the file itself. */
  remove(path: string): void {
    const place = this.list.findIndex((file) => file.path === path);
    if (place < 0) return;
    const beside = this.list[place + 1] ?? this.list[place - 1] ?? null;
    if (this.selectedPath === path) this.selectedPath = beside?.path ?? null;
    this.#byPath.delete(path);
  }

  /** Empties the tray and gives up what is under way. */
  async clear(): Promise<void> {
    this.#byPath.clear();
    this.selectedPath = null;
    await this.cancel();
  }

  #put(path: string, by: Classifier, state: Pick<TrayFile, 'waiting' | 'result' | 'problem'>): void {
    this.#byPath.set(path, { path, name: fileName(path), by, ...state });
  }

  #take({ by, paths }: Run, result: FileClassification): void {
    const { path } = result;
    const known = this.#byPath.get(path);
    // Taken out meanwhile, or asked for anew; a file of a folder comes unasked, while the folder is there.
    const wanted = known
      ? known.by === by
      : paths.some((folder) => isBelow(path, folder) && this.#byPath.get(folder)?.by === by);
    if (wanted) this.#put(path, by, { waiting: false, result, problem: null });
  }

  /** A folder gives way to its files. */
  #leaveFolders(run: Run, files: readonly FileClassification[]): void {
    for (const folder of run.paths) {
      const file = this.#byPath.get(folder);
      if (file?.by !== run.by || !file.waiting) continue;
      const first = files.find(({ path }) => isBelow(path, folder));
      if (!first) continue;
      this.#byPath.delete(folder);
      if (this.selectedPath === folder) this.selectedPath = first.path;
    }
    this.#giveUp(run, {
      code: 'empty-folder',
      message: 'There are no audio files in this folder.',
      hint: 'Drop another one.',
    });
  }

  #giveUp({ by, paths }: Run, problem: EngineErrorData): void {
    for (const path of paths) {
      const file = this.#byPath.get(path);
      if (file?.by === by && file.waiting) this.#put(path, by, { waiting: false, result: null, problem });
    }
  }
}
