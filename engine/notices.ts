import type { EventBus } from './events.ts';

const MOST = 50;

/** What the engine put aside or left out, told to every shell: those that are there, and those that come later. */
export class Notices {
  readonly #events: EventBus;
  readonly #messages: string[] = [];

  constructor(events: EventBus) {
    this.#events = events;
  }

  readonly add = (message: string): void => {
    if (this.#messages.includes(message)) return;
    this.#messages.push(message);
    if (this.#messages.length > MOST) this.#messages.shift();
    this.#events.emit({ type: 'notice', message });
  };

  all(): string[] {
    return [...this.#messages];
  }
}
