import type {
  EvaluationFileInfo,
  EvaluationSummary,
  EvaluationTable,
} from '../../../engine/api/evaluations.ts';
import type { Input } from '../../../engine/api/contract.ts';
import type { EngineConnection } from '../shell/engine.svelte.ts';
import { firstForm, formOf, folderName, testFolderName, type FormState } from './form.ts';

type EvaluationFile = Input<'evaluations.run'>['file'];

/** A file that was opened, before it is run. */
export interface OpenedFile {
  file: EvaluationFile;
  info: EvaluationFileInfo;
  places: Record<string, string>;
}

/** Evaluations that were begun, the one that is looked at, and the next one. They belong to no library. */
export class Evaluations {
  list = $state.raw<EvaluationSummary[]>([]);
  currentId = $state<string | null>(null);
  table = $state.raw<EvaluationTable | null>(null);
  form = $state<FormState>({ ...firstForm });
  /** Whether the helpers are to make the vectors, where some are connected. */
  overQueue = $state(false);
  opened = $state.raw<OpenedFile | null>(null);
  jobId = $state<string | null>(null);
  readonly #engine: EngineConnection;

  constructor(engine: EngineConnection) {
    this.#engine = engine;
  }

  async reload(): Promise<void> {
    this.list = await this.#engine.call('evaluations.list', {});
    if (!this.list.some(({ evaluationId }) => evaluationId === this.currentId))
      this.currentId = this.list[0]?.evaluationId ?? null;
    await this.show(this.currentId);
  }

  async show(evaluationId: string | null): Promise<void> {
    this.currentId = evaluationId;
    const table =
      evaluationId === null ? null : await this.#engine.call('evaluations.table', { evaluationId });
    // Another may have been asked for meanwhile.
    if (this.currentId === evaluationId) this.table = table;
  }

  /** Reads a file anew, with what is known of its places. */
  async open(file: EvaluationFile, places: Record<string, string> = {}): Promise<void> {
    const info = await this.#engine.call('evaluations.read', { file, places });
    this.opened = { file, info, places };
  }

  /** The file that the form stands for, and where its sounds are; null while something is missing. */
  async composed(
    libraryId: string | null,
  ): Promise<{ file: EvaluationFile; places: Record<string, string> } | null> {
    const form = formOf(this.form, libraryId);
    if (form === null) return null;
    const { text } = await this.#engine.call('evaluations.compose', form);
    const { folder, dataset, testOn, labels, labelsPath } = this.form;
    const places = {
      ...(dataset !== 'library' && folder !== null ? { [folderName(folder)]: folder } : {}),
      ...(dataset === 'file' && labels === 'xml' && labelsPath !== null
        ? { [folderName(labelsPath)]: labelsPath }
        : {}),
      ...(form.testOn && testOn?.folder != null ? { [testFolderName(this.form)]: testOn.folder } : {}),
    };
    return { file: { kind: 'text', name: `${form.name}.yml`, content: text }, places };
  }

  /** @returns the job */
  async run(file: EvaluationFile, places: Record<string, string>, overQueue: boolean): Promise<string> {
    const { jobId } = await this.#engine.call('evaluations.run', { file, places, overQueue });
    this.jobId = jobId;
    return jobId;
  }

  async resume(evaluationId: string, overQueue: boolean): Promise<string> {
    const { jobId } = await this.#engine.call('evaluations.resume', { evaluationId, overQueue });
    this.jobId = jobId;
    return jobId;
  }

  async remove(evaluationId: string): Promise<void> {
    await this.#engine.call('evaluations.remove', { evaluationId });
    await this.reload();
  }
}
