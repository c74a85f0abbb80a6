import {
  type Mistake,
  type MistakeDecision,
  type MistakesReport,
  type MistakeTab,
  mistakeTabs,
  type queueOrders,
} from '../../../engine/api/mistakes.ts';
import type { EngineClient } from '../../../engine/api/contract.ts';
import type { Peaks } from '../../../engine/api/tracks.ts';
import { EngineError } from '../../../engine/api/errors.ts';
import type { JobWaiter } from '../jobs/jobs.svelte.ts';
import type { History } from '../session/history.svelte.ts';

type Decision = MistakeDecision['decision'];

/** What a run is told besides the taxonomy. */
export interface RunSettings {
  folds: number;
  groupBy: MistakesReport['groupBy'];
  seed: number;
}
export type QueueOrder = (typeof queueOrders)[number];

/** Waveforms that are kept. */
const mostPeaks = 400;
/** At most so many are shown at once; the next come as these are decided. */
const pageSize = 1000;

const doneTitles: Record<Decision, string> = {
  accept: 'Accept the suggested label of',
  keep: 'Keep the label of',
  change: 'Change the labels of',
  skip: 'Skip',
};

/** The report of the chosen taxonomy, one of its lists, and what is decided of it. */
export class Mistakes {
  report = $state.raw<MistakesReport | null>(null);
  /** What is left of the shown list, worst first. */
  list = $state.raw<Mistake[]>([]);
  tab = $state<MistakeTab>('likely-wrong');
  currentId = $state<string | null>(null);
  /** The report of the chosen taxonomy was asked for and is there, or is known not to be. */
  loaded = $state(false);
  /** How the next run is made. */
  settings = $state<RunSettings>({ folds: 5, groupBy: 'artist', seed: 1 });
  /** In which order the unsure ones come. */
  order = $state<QueueOrder>('margin');
  /** Labels that were set last, for “same as last”. */
  last = $state.raw<string[] | null>(null);
  /** All decisions are carried out and can be undone, or were refused: rows go before the engine has answered. */
  settled: Promise<void> = Promise.resolve();
  /** Decided, and not answered yet: a list that was read before the decision must not bring them back. */
  // Nothing shown depends on what is in it.
  // eslint-disable-next-line svelte/prefer-svelte-reactivity
  readonly #going = new Set<string>();
  // Nothing shown depends on what is in it.
  // eslint-disable-next-line svelte/prefer-svelte-reactivity
  readonly #peaks = new Map<string, Promise<Peaks | null>>();
  readonly #libraryId: string;
  readonly #engine: EngineClient;
  readonly #jobs: JobWaiter;
  readonly #history: History;
  #taxonomyId: string | null = null;
  #asked = 0;

  current = $derived(this.list.find(({ id }) => id === this.currentId) ?? null);

  constructor(libraryId: string, engine: EngineClient, jobs: JobWaiter, history: History) {
    this.#libraryId = libraryId;
    this.#engine = engine;
    this.#jobs = jobs;
    this.#history = history;
  }

  /** Shows the report of a taxonomy. */
  async open(taxonomyId: string | null): Promise<void> {
    if (taxonomyId !== this.#taxonomyId) {
      this.report = null;
      this.list = [];
      this.loaded = false;
    }
    this.#taxonomyId = taxonomyId;
    await this.reload();
  }

  async reload(): Promise<void> {
    const ask = ++this.#asked;
    const taxonomyId = this.#taxonomyId;
    if (taxonomyId === null) return;
    const of = { libraryId: this.#libraryId, taxonomyId };
    const { tab, order } = this;
    const [report, page] = await Promise.all([
      this.#engine.call('mistakes.report', of),
      this.#engine.call('mistakes.list', { ...of, tab, order, limit: pageSize }),
    ]);
    // Of several that are under way only the last one shows the present.
    if (ask !== this.#asked) return;
    this.report = report;
    this.list = page.mistakes.filter(({ id }) => !this.#going.has(id));
    this.loaded = true;
    if (!this.current) this.currentId = this.list[0]?.id ?? null;
  }

  async show(tab: MistakeTab): Promise<void> {
    this.tab = tab;
    this.list = [];
    this.currentId = null;
    await this.reload();
  }

  /** Looks for mistakes and shows what was found. @throws EngineError as the job failed, or `cancelled`. */
  async look(taxonomyId: string): Promise<void> {
    const { jobId } = await this.#engine.call('mistakes.compute', {
      ...{ libraryId: this.#libraryId, taxonomyId },
      ...this.settings,
    });
    await this.#jobs.wait(jobId);
    await this.reload();
    const { report } = this;
    const first = report && mistakeTabs.find((tab) => report.counts[tab].left > 0);
    if (first && report.counts[this.tab].left === 0) await this.show(first);
  }

  /** Shows the unsure ones in another order. */
  async sort(order: QueueOrder): Promise<void> {
    this.order = order;
    this.currentId = null;
    await this.reload();
  }

  /** Peaks of a track, kept of the few hundred that were read last; what could not be had is asked for anew. */
  peaks(trackId: string): Promise<Peaks | null> {
    const known = this.#peaks.get(trackId);
    if (known) return known;
    const asked = this.#engine.call('tracks.peaks', { libraryId: this.#libraryId, trackId });
    this.#peaks.set(trackId, asked);
    const [oldest] = this.#peaks.keys();
    if (this.#peaks.size > mostPeaks && oldest !== undefined) this.#peaks.delete(oldest);
    const forget = (): void => {
      if (this.#peaks.get(trackId) === asked) this.#peaks.delete(trackId);
    };
    void asked.then((peaks) => {
      if (peaks === null) forget();
    }, forget);
    return asked;
  }

  /** Leaves all copies but the first that is learned from out of training, and confirms the group; one step to undo. */
  async hide(mistake: Mistake): Promise<void> {
    const libraryId = this.#libraryId;
    const [, ...copies] = [mistake.track, ...mistake.others].filter(({ leftOut }) => !leftOut);
    const trackIds = copies.map(({ id }) => id);
    const leave = (ids: string[], leftOut: boolean): Promise<{ changed: string[] }> =>
      this.#engine.call('tracks.leaveOut', { libraryId, trackIds: ids, leftOut });
    let hidden: string[] = [];
    await this.#do(
      mistake,
      `Hide copies of ${mistake.track.title}`,
      { decision: 'keep', labels: [] },
      {
        before: async () => {
          hidden = [];
          if (trackIds.length > 0) hidden = (await leave(trackIds, true)).changed;
        },
        back: async () => {
          if (hidden.length > 0) await leave(hidden, false);
        },
      },
    );
  }

  /** The row that lies so many further on, within the list. */
  beside(step: number): Mistake | null {
    const place = this.list.findIndex(({ id }) => id === this.currentId);
    return this.list[Math.max(0, Math.min(this.list.length - 1, place + step))] ?? null;
  }

  /**
   * Decides and goes on to the next; can be undone. The row goes at once, and comes back when the engine refuses.
   * @param labels of `change`
   */
  async decide(mistake: Mistake, decision: Decision, labels: string[] = []): Promise<void> {
    if (decision === 'change') this.last = labels;
    if (decision === 'accept' && mistake.suggested !== null) this.last = [mistake.suggested];
    await this.#do(mistake, `${doneTitles[decision]} ${mistake.track.title}`, { decision, labels });
  }

  /** @param more done before the decision, and taken back with it or when it is refused */
  async #do(
    mistake: Mistake,
    title: string,
    { decision, labels }: { decision: Decision; labels: string[] },
    more?: { before: () => Promise<void>; back: () => Promise<void> },
  ): Promise<void> {
    const taxonomyId = this.#taxonomyId;
    if (taxonomyId === null) return;
    const of = { libraryId: this.#libraryId, taxonomyId };
    const place = this.list.findIndex(({ id }) => id === mistake.id);
    this.list = this.list.filter(({ id }) => id !== mistake.id);
    this.currentId = (this.list[place] ?? this.list.at(-1))?.id ?? null;
    let made = 0;
    const decide = async (): Promise<void> => {
      this.#going.add(mistake.id);
      try {
        await more?.before();
        const input = { ...of, mistakeId: mistake.id, decision, labels };
        made = (await this.#engine.call('mistakes.decide', input)).id;
      } catch (thrown) {
        await more?.back();
        throw thrown;
      } finally {
        this.#going.delete(mistake.id);
        await this.reload();
      }
    };
    const undo = async (): Promise<void> => {
      const newest = (await this.#engine.call('mistakes.decisions', of)).at(-1);
      // The engine takes the newest back, which may be one of the command line.
      if (newest?.id !== made)
        throw new EngineError(
          'bad-input',
          'Something else was decided since.',
          'Take the decisions back with archetone mistakes --undo.',
        );
      await this.#engine.call('mistakes.undo', of);
      await more?.back();
      this.currentId = mistake.id;
      await this.reload();
    };
    const done = decide();
    const earlier = this.settled;
    // In the order of the decisions, since the engine takes the newest back, however long each list takes to be read.
    // What was refused is nothing to wait for; whoever decided is told.
    this.settled = Promise.allSettled([done, earlier]).then(([{ status }]) => {
      if (status === 'fulfilled') this.#history.push({ title, undo, redo: decide });
    });
    await done;
    await this.settled;
  }

  /** Takes back the newest decision that is kept, of this session or an earlier one. */
  async undoKept(): Promise<MistakeDecision | null> {
    const taxonomyId = this.#taxonomyId;
    if (taxonomyId === null) return null;
    const undone = await this.#engine.call('mistakes.undo', { libraryId: this.#libraryId, taxonomyId });
    await this.reload();
    return undone;
  }
}
