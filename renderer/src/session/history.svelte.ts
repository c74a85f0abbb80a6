export interface Step {
  /** What was done, as the person would say it: “Delete prototype 3”. */
  title: string;
  undo: () => Promise<unknown>;
  redo: () => Promise<unknown>;
}

const capacity = 100;

/** What can be undone and redone, newest last. A step that fails to undo stays where it was. */
export class History {
  past = $state.raw<Step[]>([]);
  future = $state.raw<Step[]>([]);
  #busy = false;

  push(step: Step): void {
    this.past = [...this.past, step].slice(-capacity);
    this.future = [];
  }

  /** A step was taken back before anybody asked for it here: redo makes it again. */
  undone(step: Step): void {
    this.future = [...this.future, step].slice(-capacity);
  }

  async undo(): Promise<Step | null> {
    const step = this.past.at(-1);
    if (!step || this.#busy) return null;
    await this.#run(step.undo);
    // Not the newest one: something may have been done meanwhile.
    this.past = this.past.filter((known) => known !== step);
    this.future = [...this.future, step];
    return step;
  }

  async redo(): Promise<Step | null> {
    const step = this.future.at(-1);
    if (!step || this.#busy) return null;
    await this.#run(step.redo);
    this.future = this.future.filter((known) => known !== step);
    this.past = [...this.past, step];
    return step;
  }

  clear(): void {
    this.past = [];
    this.future = [];
  }

  async #run(work: () => Promise<unknown>): Promise<void> {
    this.#busy = true;
    try {
      await work();
    } finally {
      this.#busy = false;
    }
  }
}
