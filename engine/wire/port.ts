/** What all transports have in common: an ordered channel of messages between two ends. */
export interface Port {
  /**
   * @param transfer buffers and ports that are moved instead of copied, where the transport can
   * @throws when the message cannot be cloned
   */
  post(message: unknown, transfer?: readonly Transferable[]): void;
  /** Ports that came with a message are handed over beside it where the transport keeps them apart. */
  onMessage(handler: (message: unknown, ports: readonly unknown[]) => void): void;
  /** A message came that could not be read; which one it was nobody knows. */
  onUnreadable(handler: () => void): void;
  /** The other end is gone, with the reason where there is one. Called once, also when it is gone already. */
  onClose(handler: (reason?: Error) => void): void;
  close(): void;
}

/** The handlers of one port; transports tell it what happens. */
export class PortListeners {
  readonly #message: ((message: unknown, ports: readonly unknown[]) => void)[] = [];
  readonly #unreadable: (() => void)[] = [];
  readonly #close: ((reason?: Error) => void)[] = [];
  #closed: { reason: Error | undefined } | null = null;

  get closed(): boolean {
    return this.#closed !== null;
  }

  readonly onMessage = (handler: (message: unknown, ports: readonly unknown[]) => void): void => {
    this.#message.push(handler);
  };

  readonly onUnreadable = (handler: () => void): void => {
    this.#unreadable.push(handler);
  };

  readonly onClose = (handler: (reason?: Error) => void): void => {
    const closed = this.#closed;
    if (closed) queueMicrotask(() => handler(closed.reason));
    else this.#close.push(handler);
  };

  /** Nothing is heard after the end: what a message began then, nobody could end. */
  message(message: unknown, ports: readonly unknown[] = []): void {
    if (this.#closed) return;
    for (const handler of this.#message) handler(message, ports);
  }

  unreadable(): void {
    for (const handler of this.#unreadable) handler();
  }

  /** Only the first call counts. */
  close(reason?: Error): void {
    if (this.#closed) return;
    this.#closed = { reason };
    for (const handler of this.#close) handler(reason);
  }
}
