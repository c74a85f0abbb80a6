import { EngineError } from '../../../engine/api/errors.ts';

export interface NoticeAction {
  label: string;
  run: () => void;
}

export interface Notice {
  id: number;
  /** `warning`: something of the person's was put aside, or does not hold: nobody may miss it for having looked away. */
  tone: 'info' | 'success' | 'warning' | 'error';
  message: string;
  hint: string;
  action: NoticeAction | null;
}

const SLOW_MS = 60_000;
/** How long a message is shown, in milliseconds; one that is pointed at or focused stays. */
const readingTimeMs = { info: 6_000, success: 6_000, warning: SLOW_MS, error: SLOW_MS } as const;
/** Unique over all lists: the window shows its own beside those of the open library. */
let last = 0;
/** More at once would cover the window. */
const mostShown = 4;

/** Short messages at the edge of the window, which go by themselves: warnings and errors slowly, the rest soon. */
export class Notices {
  list = $state.raw<Notice[]>([]);
  // eslint-disable-next-line svelte/prefer-svelte-reactivity -- nothing that is shown depends on it
  readonly #timers = new Map<number, ReturnType<typeof setTimeout>>();

  add(
    tone: Notice['tone'],
    message: string,
    options: { hint?: string; action?: NoticeAction | undefined } = {},
  ): void {
    // The same trouble reported by several calls is one trouble.
    const same = this.list.find((notice) => notice.tone === tone && notice.message === message);
    if (same) this.dismiss(same.id);
    const id = (last += 1);
    const { hint = '', action } = options;
    // An offer is taken once.
    const once = action && { label: action.label, run: () => this.#take(id, action) };
    const notice: Notice = { id, tone, message, hint, action: once ?? null };
    this.list = [...this.list, notice];
    this.release(id);
    if (this.list.length > mostShown) this.dismiss(this.#leastOf(this.list.slice(0, -1)) ?? id);
  }

  /** Which one makes room for another: what would go soon anyway, or else the oldest. */
  #leastOf(shown: Notice[]): number | undefined {
    return (shown.find(({ tone }) => readingTimeMs[tone] < SLOW_MS) ?? shown[0])?.id;
  }

  #take(id: number, action: NoticeAction): void {
    action.run();
    this.dismiss(id);
  }

  /** Keeps a message while a person reads it. */
  hold(id: number): void {
    clearTimeout(this.#timers.get(id));
  }

  /** Lets a message go after its time. */
  release(id: number): void {
    const notice = this.list.find((known) => known.id === id);
    if (!notice) return;
    this.hold(id);
    this.#timers.set(
      id,
      setTimeout(() => this.dismiss(id), readingTimeMs[notice.tone]),
    );
  }

  clear(): void {
    for (const { id } of this.list) this.dismiss(id);
  }

  dismiss(id: number): void {
    this.hold(id);
    this.#timers.delete(id);
    this.list = this.list.filter((notice) => notice.id !== id);
  }

  /** Shows what went wrong, with what to do next. What the person cancelled is no error. */
  error(thrown: unknown): void {
    const error = EngineError.from(thrown);
    if (error.code === 'cancelled') return;
    this.add('error', error.message, { hint: error.hint });
  }

  /** Runs something whose failure must be seen. @returns its value, or undefined when it failed. */
  async attempt<T>(work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (thrown) {
      this.error(thrown);
      return undefined;
    }
  }
}
