/** Engine side of the helper processes: runs in the engine process. */
import type { MessagePortMain } from 'electron';
import type { HelperProcess, SpawnHelper } from '../engine/helpers/process.ts';
import type { Client } from '../engine/wire/contract.ts';
import { PortListeners } from '../engine/wire/port.ts';
import type { Port } from '../engine/wire/port.ts';
import { ProcessExit } from '../engine/wire/transports/child-process.ts';
import { electronPort } from '../engine/wire/transports/utility-process.ts';
import type { HelperKind, MainContract } from './engine-contract.ts';

interface Entry {
  port: Port | null;
  /** Said before the port was there. */
  waiting: unknown[];
  listeners: PortListeners;
  gone: () => void;
}

/** Asks main for helper processes: only main can start one. */
export class HelperBroker {
  private lastId = 0;
  private readonly entries = new Map<number, Entry>();

  constructor(private readonly main: Client<MainContract>) {}

  spawn(kind: HelperKind): SpawnHelper {
    return (memoryLimit) => this.start(kind, memoryLimit);
  }

  private start(kind: HelperKind, memoryLimit: number): HelperProcess {
    const id = ++this.lastId;
    const listeners = new PortListeners();
    const entry: Entry = { port: null, waiting: [], listeners, gone: () => undefined };
    this.entries.set(id, entry);
    this.main.call('helper', { id, kind, memoryLimit }).then(
      (code) => this.ended(id, code),
      () => this.ended(id, null),
    );
    return {
      ended: new Promise((resolve) => (entry.gone = resolve)),
      port: {
        post: (message) => {
          if (entry.port) entry.port.post(message);
          else entry.waiting.push(message);
        },
        onMessage: listeners.onMessage,
        onUnreadable: listeners.onUnreadable,
        // Told by main, with the code: the port itself closes without a reason.
        onClose: listeners.onClose,
        close: () => void this.main.call('endHelper', { id }),
      },
    };
  }

  connected(id: number, transferred: MessagePortMain): void {
    const entry = this.entries.get(id);
    if (!entry) {
      transferred.close();
      return;
    }
    const port = electronPort(transferred);
    entry.port = port;
    port.onMessage((message) => entry.listeners.message(message));
    for (const message of entry.waiting.splice(0)) port.post(message);
  }

  private ended(id: number, code: number | null): void {
    const entry = this.entries.get(id);
    this.entries.delete(id);
    entry?.port?.close();
    entry?.gone();
    entry?.listeners.close(new ProcessExit(code, null));
  }
}
