import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { createServer, connect } from 'node:net';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Debian puts the server where not every user looks. */
const PROGRAM = ['nats-server', '/usr/sbin/nats-server'].find(
  (program) => spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0,
);

/** Tests that need a NATS server say in their name why they are skipped. */
export const natsMissing = PROGRAM === undefined;
export const withNats = natsMissing ? ' (skipped: nats-server is not installed)' : '';

/** A server of a test's own, which may be killed and started again, and lose its storage. */
export class NatsProcess {
  readonly url: string;
  readonly port: number;
  /** Where the server keeps what it is given. */
  readonly store: string;
  readonly #config: string;
  readonly #address: string;
  readonly #within: readonly string[];
  #process: ChildProcess | null = null;

  /**
   * @param config more of the server's configuration
   * @param place another host than this one, and what stands in front of a command that runs there
   */
  constructor(
    folder: string,
    port: number,
    config = '',
    { address, within }: { address: string; within: readonly string[] } = {
      address: '127.0.0.1',
      within: [],
    },
  ) {
    this.port = port;
    this.#address = address;
    this.#within = within;
    this.url = `nats://${address}:${port}`;
    this.store = join(folder, 'store');
    this.#config = join(folder, 'server.conf');
    writeFileSync(
      this.#config,
      `host: ${address}\nport: ${port}\njetstream { store_dir: ${JSON.stringify(this.store)} }\n${config}\n`,
    );
  }

  async start(): Promise<void> {
    const [program, ...rest] = [...this.#within, PROGRAM ?? 'nats-server', '-c', this.#config];
    this.#process = spawn(program, rest, { stdio: 'ignore' });
    while (!(await this.#answers())) {
      if (this.#process.exitCode !== null) throw new Error('nats-server ended');
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const child = this.#process;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await ended;
  }

  #answers(): Promise<boolean> {
    return new Promise((resolve) => {
      const socket = connect(this.port, this.#address);
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
