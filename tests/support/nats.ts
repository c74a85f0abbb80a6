import { afterFile } from './after-file.ts';
import { testFolder } from './music.ts';
import { freePort, NatsProcess } from './nats-server.ts';

export { freePort, natsMissing, withNats } from './nats-server.ts';

/** A server with a folder of its own, which ends with the test file. */
export class NatsServer extends NatsProcess {
  /** @param config more of the server's configuration */
  static async start(
    config = '',
    folder = testFolder(),
    place?: { address: string; within: readonly string[] },
  ): Promise<NatsServer> {
    const server = new NatsServer(folder, await freePort(), config, place);
    afterFile(() => server.kill());
    await server.start();
    return server;
  }
}
