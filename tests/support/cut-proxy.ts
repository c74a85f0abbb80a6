import { connect, createServer, type Server, type Socket } from 'node:net';

/** After so long TCP sends again what was lost; twice as long when that is lost, too. */
const AGAIN_MS = 200;

/** A stretch of network between a client and a server on this machine, which may be slow, lose packets, or be cut for a while. */
export class CutProxy {
  readonly port: number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #cut = false;

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.port = port;
  }

  /**
   * @param delayMs of every piece of data, each way
   * @param isLost whether the next piece is lost: it and all behind it come later, as TCP has it
   * @param addresses where it listens, and where the target is
   */
  static start(
    target: number,
    delayMs = 0,
    isLost: () => boolean = () => false,
    addresses: { from?: string; to?: string } = {},
  ): Promise<CutProxy> {
    const { from = '127.0.0.1', to = '127.0.0.1' } = addresses;
    return new Promise((resolve) => {
      const server = createServer((client) => {
        if (proxy.#cut) {
          client.destroy();
          return;
        }
        const there = connect(target, to);
        proxy.#join(client, there, delayMs, isLost);
        proxy.#join(there, client, delayMs, isLost);
      });
      let proxy: CutProxy;
      server.listen(0, from, () => {
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

  #join(from: Socket, to: Socket, delayMs: number, isLost: () => boolean): void {
    this.#sockets.add(from);
    let last = 0;
    from.on('data', (data) => {
      let wait = delayMs;
      for (let again = AGAIN_MS; isLost(); again *= 2) wait += again;
      last = Math.max(last, performance.now() + wait);
      setTimeout(() => to.write(data), last - performance.now());
    });
    from.on('error', () => undefined);
    from.on('close', () => {
      this.#sockets.delete(from);
      to.destroy();
    });
  }
}
