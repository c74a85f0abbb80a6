import { exitCodes } from './exit-codes.ts';

/** Ctrl-C: the first one asks the command to stop and clean up, the second one ends the process. */
export class Interrupt {
  readonly #controller = new AbortController();
  readonly #onSignal = (): void => {
    if (this.#controller.signal.aborted) process.exit(exitCodes.cancelled);
    process.stderr.write('\nStopping … (Ctrl-C again to end at once)\n');
    this.#controller.abort();
  };

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  listen(): void {
    process.on('SIGINT', this.#onSignal);
    process.on('SIGTERM', this.#onSignal);
  }

  close(): void {
    process.off('SIGINT', this.#onSignal);
    process.off('SIGTERM', this.#onSignal);
  }
}
