import { afterAll } from 'vitest';
import { testFolder } from './engine.ts';
import { freePort, NatsProcess } from './nats-server.ts';

export { freePort, natsMissing, withNats } from './nats-server.ts';

const running = new Set<NatsServer>();
afterAll(async () => {
  for (const server of running) await server.kill();
});

/** A server with a folder of its own, which ends with the test file. */
export class NatsServer extends NatsProcess {
  /** @param config more of the server's configuration */
  static async start(config = '', folder = testFolder()): Promise<NatsServer> {
    const server = new NatsServer(folder, await freePort(), config);
    await server.start();
    return server;
  }

  override async start(): Promise<void> {
    running.add(this);
    await super.start();
  }

  override async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    running.delete(this);
    await super.kill(signal);
  }
}
