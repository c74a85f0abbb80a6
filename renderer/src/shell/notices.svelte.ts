import { EngineError } from '../../../engine/api/errors.ts';

export interface NoticeAction {
  label: string;
  run: () => void;
}

export interface Notice {
  id: number;
  tone: 'info' | 'success' | 'error';
  message: string;
  hint: string;
  action: NoticeAction | null;
}

const readingTimeMs = 6000;

/** Short messages at the edge of the window. Errors stay until they are dismissed; the rest goes by itself. */
export class Notices {
  list = $state<Notice[]>([]);
  #last = 0;

  add(
    tone: Notice['tone'],
    message: string,
    options: { hint?: string; action?: NoticeAction | undefined } = {},
  ): void {
    // The same trouble reported by several calls is one trouble.
    const same = this.list.find((notice) => notice.tone === tone && notice.message === message);
    if (same) this.dismiss(same.id);
    const id = ++this.#last;
    this.list.push({ id, tone, message, hint: options.hint ?? '', action: options.action ?? null });
    if (tone !== 'error') setTimeout(() => this.dismiss(id), readingTimeMs);
  }

  dismiss(id: number): void {
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
