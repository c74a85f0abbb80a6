import { connect, createServer, type Server, type Socket } from 'node:net';

/** A stretch of network between a client and a server on this machine, which may be slow, or cut for a while. */
export class CutProxy {
  readonly port: number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #cut = false;

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.port = port;
  }

  /** @param delayMs of every piece of data, each way */
  static start(target: number, delayMs = 0): Promise<CutProxy> {
    return new Promise((resolve) => {
      const server = createServer((client) => {
        if (proxy.#cut) {
          client.destroy();
          return;
        }
        const there = connect(target, '127.0.0.1');
        proxy.#join(client, there, delayMs);
        proxy.#join(there, client, delayMs);
      });
      let proxy: CutProxy;
      server.listen(0, '127.0.0.1', () => {
        const address = server.address();
        proxy = new CutProxy(server, typeof address === 'object' && address ? address.port : 0);
        resolve(proxy);
      });
    });
  }

  /** Nothing passes, and nobody gets in, until it is healed. */
  cut(): void {
    this.#cut = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  heal(): void {
    this.#cut = false;
  }

  close(): void {
    this.cut();
    this.#server.close();
  }

  #join(from: Socket, to: Socket, delayMs: number): void {
    this.#sockets.add(from);
    from.on('data', (data) => void setTimeout(() => to.write(data), delayMs));
    from.on('error', () => undefined);
    from.on('close', () => {
      this.#sockets.delete(from);
      to.destroy();
    });
  }
}
