import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { createServer, connect } from 'node:net';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { testFolder } from './engine.ts';

/** Debian puts the server where not every user looks. */
const PROGRAM = ['nats-server', '/usr/sbin/nats-server'].find(
  (program) => spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0,
);

/** Tests that need a NATS server say in their name why they are skipped. */
export const natsMissing = PROGRAM === undefined;
export const withNats = natsMissing ? ' (skipped: nats-server is not installed)' : '';

const running = new Set<NatsServer>();
afterAll(async () => {
  for (const server of running) await server.kill();
});

/** A server of a test's own, with its folder, which may be killed and started again. */
export class NatsServer {
  readonly url: string;
  readonly port: number;
  readonly #folder = testFolder();
  readonly #config: string;
  #process: ChildProcess | null = null;

  private constructor(port: number, config: string) {
    this.port = port;
    this.url = `nats://127.0.0.1:${port}`;
    this.#config = join(this.#folder, 'server.conf');
    writeFileSync(
      this.#config,
      `host: 127.0.0.1\nport: ${port}\njetstream { store_dir: ${JSON.stringify(join(this.#folder, 'store'))} }\n${config}\n`,
    );
  }

  /** @param config more of the server's configuration */
  static async start(config = ''): Promise<NatsServer> {
    const server = new NatsServer(await freePort(), config);
    await server.start();
    return server;
  }

  async start(): Promise<void> {
    this.#process = spawn(PROGRAM ?? 'nats-server', ['-c', this.#config], { stdio: 'ignore' });
    running.add(this);
    while (!(await this.#answers())) {
      if (this.#process.exitCode !== null) throw new Error('nats-server ended');
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    running.delete(this);
    const child = this.#process;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await ended;
  }

  #answers(): Promise<boolean> {
    return new Promise((resolve) => {
      const socket = connect(this.port, '127.0.0.1');
      socket.once('data', () => {
        socket.destroy();
        resolve(true);
      });
      socket.once('error', () => resolve(false));
    });
  }
}

export function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}
