export interface Step {
  /** What was done, as the person would say it: “Delete prototype 3”. */
  title: string;
  undo: () => Promise<unknown>;
  redo: () => Promise<unknown>;
}

const capacity = 100;

/**
 * What can be undone and redone, newest last. A step that fails to undo stays where it was. Asked while another step is under
 * way, the next one follows it.
 */
export class History {
  past = $state.raw<Step[]>([]);
  future = $state.raw<Step[]>([]);
  /** What is under way, and all that was asked meanwhile; null: nothing. */
  #going: Promise<void> | null = null;

  push(step: Step): void {
    this.past = [...this.past, step].slice(-capacity);
    this.future = [];
  }

  /** A step was taken back before anybody asked for it here: redo makes it again. */
  undone(step: Step): void {
    this.future = [...this.future, step].slice(-capacity);
  }

  /** @param only nothing is undone where another step is the newest by then */
  undo(only?: Step): Promise<Step | null> {
    return this.#next(async () => {
      const step = this.past.at(-1);
      if (!step || (only && step !== only)) return null;
      await step.undo();
      // Not the newest one: something may have been done meanwhile.
      this.past = this.past.filter((known) => known !== step);
      this.future = [...this.future, step];
      return step;
    });
  }

  redo(): Promise<Step | null> {
    return this.#next(async () => {
      const step = this.future.at(-1);
      if (!step) return null;
      await step.redo();
      this.future = this.future.filter((known) => known !== step);
      this.past = [...this.past, step];
      return step;
    });
  }

  clear(): void {
    this.past = [];
    this.future = [];
  }

  #next(work: () => Promise<Step | null>): Promise<Step | null> {
    // Where nothing is under way it is the step that is the newest now.
    const taken = this.#going ? this.#going.then(work) : work();
    const over = (): void => {
      if (this.#going === done) this.#going = null;
    };
    // One that failed is told to whoever asked for it, and keeps nobody else waiting.
    const done: Promise<void> = taken.then(over, over);
    this.#going = done;
    return taken;
  }
}
