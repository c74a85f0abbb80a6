/** Engine side of the embedder processes: runs in the engine process. */
import type { MessagePortMain } from 'electron';
import { endOf, type EmbedderEnd, type SpawnEmbedder } from '../engine/embedder/process.ts';
import type { Client } from '../engine/wire/contract.ts';
import type { MainContract } from './engine-contract.ts';

interface Entry {
  port: MessagePortMain | null;
  /** Said before the port was there. */
  waiting: unknown[];
  onMessage: (message: unknown) => void;
  onEnd: (end: EmbedderEnd) => void;
  gone: () => void;
}

/** Asks main for embedder processes: only main can start one. */
export class EmbedderBroker {
  private lastId = 0;
  private readonly entries = new Map<number, Entry>();

  constructor(private readonly main: Client<MainContract>) {}

  readonly spawn: SpawnEmbedder = (memoryLimit) => {
    const id = ++this.lastId;
    const entry: Entry = {
      port: null,
      waiting: [],
      onMessage: () => undefined,
      onEnd: () => undefined,
      gone: () => undefined,
    };
    this.entries.set(id, entry);
    this.main.call('embedder', { id, memoryLimit }).then(
      (code) => this.ended(id, code),
      () => this.ended(id, 1),
    );
    return {
      ended: new Promise((resolve) => (entry.gone = resolve)),
      post: (message) => {
        if (entry.port) entry.port.postMessage(message);
        else entry.waiting.push(message);
      },
      onMessage: (handler) => (entry.onMessage = handler),
      onEnd: (handler) => (entry.onEnd = handler),
      kill: () => {
        entry.onEnd = () => undefined;
        void this.main.call('endEmbedder', { id });
      },
    };
  };

  connected(id: number, port: MessagePortMain): void {
    const entry = this.entries.get(id);
    if (!entry) {
      port.close();
      return;
    }
    entry.port = port;
    port.on('message', (event) => entry.onMessage(event.data));
    port.start();
    for (const message of entry.waiting.splice(0)) port.postMessage(message);
  }

  private ended(id: number, code: number): void {
    const entry = this.entries.get(id);
    this.entries.delete(id);
    entry?.port?.close();
    entry?.gone();
    entry?.onEnd(endOf(code));
  }
}
