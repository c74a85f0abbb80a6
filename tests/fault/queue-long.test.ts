import { setTimeout as sleep } from 'node:timers/promises';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { expect, it } from 'vitest';
import { readAnswer, writeAnswer } from '../../engine/queue/protocol.ts';
import { Random } from '../../models/numerics/random.ts';
import { clockOff, runCli, type CliRun } from '../support/cli.ts';
import { CutProxy } from '../support/cut-proxy.ts';
import { importFolder, startTestEngine } from '../support/engine.ts';
import { testFolder, writeMusic } from '../support/music.ts';
import { contentsOf, libraryContents } from '../support/library-contents.ts';
import { hostsMissing, makeHosts } from '../support/hosts.ts';
import { natsMissing, NatsServer } from '../support/nats.ts';

/** How many faults; a test of some minutes, which is not run by itself. */
const FAULTS = Number(process.env['ARCHETONE_QUEUE_FAULTS'] ?? 0);
const SEED = Number(process.env['ARCHETONE_QUEUE_SEED'] ?? 1);
/** Exit code of a command that finds no server. */
const NO_QUEUE = 8;
const FAULTS_A_ROUND = 20;
const env = { ARCHETONE_EMBEDDER: '/none' };
/** Three years behind. */
const wrongClock = { ...env, ...clockOff(-3 * 365 * 24 * 3600 * 1000) };
/** Server and workers are hosts of their own, and a cut is a pulled cable. */
const ON_HOSTS = process.env['ARCHETONE_QUEUE_HOSTS'] === '1';
const why =
  natsMissing || FAULTS === 0
    ? 'set ARCHETONE_QUEUE_FAULTS, with nats-server installed'
    : ON_HOSTS
      ? hostsMissing
      : null;

/** A program that is started again whenever it was killed, until it ends by itself. */
class Restarted {
  readonly #args: readonly string[];
  readonly #env: Record<string, string>;
  readonly #within: readonly string[];
  #kill: (signal: NodeJS.Signals) => void = () => undefined;
  #over = false;
  readonly ended: Promise<CliRun>;

  constructor(args: readonly string[], own: Record<string, string> = env, within: readonly string[] = []) {
    this.#args = args;
    this.#env = own;
    this.#within = within;
    this.ended = this.#run().finally(() => (this.#over = true));
  }

  get isOver(): boolean {
    return this.#over;
  }

  kill(signal: NodeJS.Signals): void {
    this.#kill(signal);
  }

  end(): Promise<CliRun> {
    this.#over = true;
    this.#kill('SIGKILL');
    return this.ended;
  }

  async #run(): Promise<CliRun> {
    for (;;) {
      const run = await runCli(this.#args, {
        ...{ env: this.#env, within: this.#within },
        onStart: (kill) => (this.#kill = kill),
      });
      // An import that finds no server when it starts says so; whoever waits for it starts it again.
      const again = this.#args[0] === 'worker' || run.signal !== null || run.code === NO_QUEUE;
      if (this.#over || !again) return run;
    }
  }
}

it.skipIf(why !== null)(
  `survives ${FAULTS} faults, seed ${SEED}${ON_HOSTS ? ', on hosts of their own' : ''}${why === null ? '' : ` (skipped: ${why})`}`,
  { timeout: 60_000 + 10_000 * FAULTS },
  async () => {
    const random = new Random(SEED);
    const draw = (low: number, high: number): number => low + (high - low) * random.uniform();
    const music = writeMusic({ perClass: 12, seconds: 4 });
    const { client, engine, dataFolder } = await startTestEngine();
    await importFolder(client, music);
    await engine.close();
    const alone = libraryContents(dataFolder);
    const { hosts, here } = ON_HOSTS
      ? makeHosts(['server', 'near', 'far'])
      : { hosts: null, here: '127.0.0.1' };
    const server = await NatsServer.start('', testFolder(), hosts?.server);
    const network = new Random(SEED + 1);
    const lost = (): boolean => network.uniform() < 0.05;
    const addresses = { from: here, to: hosts?.server.address ?? here };
    const near = await CutProxy.start(server.port, 0, undefined, addresses);
    // The kernel has no netem: what is slow and loses is the proxy on the way, on hosts as well.
    const far = await CutProxy.start(server.port, 150, lost, addresses);
    const work = (proxy: CutProxy, name: 'near' | 'far'): Restarted =>
      new Restarted(
        [
          ...[
            'worker',
            '--queue',
            hosts && name === 'near' ? server.url : `nats://${here}:${proxy.port}`,
            '--name',
            name,
            '--cache',
            testFolder(),
          ],
          ...[
            '--batch',
            '4',
            '--threads',
            '1',
            '--tracks',
            '2',
            '--audio',
            name === 'far' ? 'sent' : 'either',
          ],
        ],
        name === 'far' ? wrongClock : env,
        hosts?.[name].within,
      );
    const workers = [work(near, 'near'), work(far, 'far')];
    const intruder = await Intruder.start(server.url, random);
    let importing: Restarted | null = null;
    const anyWorker = (signal: NodeJS.Signals): Promise<void> => {
      workers[random.integer(workers.length)]?.kill(signal);
      return Promise.resolve();
    };
    const kinds: Record<string, () => Promise<void>> = {
      'worker killed': () => anyWorker('SIGKILL'),
      'worker told to stop': () => anyWorker('SIGTERM'),
      'import killed': () => {
        importing?.kill('SIGKILL');
        return Promise.resolve();
      },
      'server killed': async () => {
        await server.kill();
        await sleep(draw(100, 2000));
        await server.start();
      },
      'network cut': async () => {
        const name = random.integer(2) === 0 ? 'near' : 'far';
        const proxy = name === 'near' ? near : far;
        if (hosts) hosts[name].unplug();
        else proxy.cut();
        await sleep(draw(100, 3000));
        if (hosts) hosts[name].plug();
        else proxy.heal();
      },
      'answers again, in another order': () => intruder.repeat(),
      'wrong answers': () => intruder.lie(),
    };
    const counts: Record<string, number> = {};
    for (let done = 0; done < FAULTS;) {
      const data = testFolder();
      importing = new Restarted([
        'import',
        music,
        '--library',
        data,
        '--queue',
        server.url,
        '--lease',
        '2',
        '--json',
      ]);
      for (let i = 0; i < FAULTS_A_ROUND && !importing.isOver && done < FAULTS; i++) {
        await sleep(draw(200, 1500));
        const names = Object.keys(kinds);
        const name = names[random.integer(names.length)] ?? '';
        await kinds[name]?.();
        counts[name] = (counts[name] ?? 0) + 1;
        done++;
      }
      const imported = await importing.ended;
      expect(imported.code, imported.stderr).toBe(0);
      // One that was killed while it made a library may have left an empty folder beside.
      const { library } = imported.json() as { library: { dataFolder: string } };
      expect(contentsOf(library.dataFolder)).toEqual(alone);
      console.info(`${done} faults`, JSON.stringify(counts));
    }
    await Promise.all(workers.map((worker) => worker.end()));
    await intruder.close();
    near.close();
    far.close();
    await server.kill();
  },
);

/** Somebody on the server who repeats what workers answered, late and in another order, and answers wrong in other names. */
class Intruder {
  readonly #connection: NatsConnection;
  readonly #random: Random;
  readonly #heard: { subject: string; data: Uint8Array }[] = [];
  #lies = 0;

  private constructor(connection: NatsConnection, random: Random) {
    this.#connection = connection;
    this.#random = random;
    connection.subscribe('archetone.1.answers.>', {
      callback: (_, { subject, data }) => {
        if (data.length > 0 && !subject.includes('.liar-')) this.#heard.push({ subject, data });
      },
    });
  }

  static async start(url: string, random: Random): Promise<Intruder> {
    const connection = await connect({ servers: url, maxReconnectAttempts: -1, reconnectTimeWait: 200 });
    return new Intruder(connection, random);
  }

  repeat(): Promise<void> {
    for (let i = 0; i < 10; i++)
      this.#publish(
        (subject) => subject,
        (data) => data,
      );
    return Promise.resolve();
  }

  lie(): Promise<void> {
    const name = `liar-${++this.#lies}`;
    this.#publish(
      (subject) => subject.replace(/(answers\.[^.]+\.)[^.]+/, `$1${name}`),
      (data) => {
        const answer = readAnswer(data);
        answer.numbers?.vectors.set(answer.numbers.vectors.map((value) => -value));
        return writeAnswer(answer);
      },
    );
    return Promise.resolve();
  }

  close(): Promise<void> {
    return this.#connection.close();
  }

  #publish(subjectOf: (subject: string) => string, dataOf: (data: Uint8Array) => Uint8Array): void {
    const heard = this.#heard[this.#random.integer(Math.max(1, this.#heard.length))];
    if (heard) this.#connection.publish(subjectOf(heard.subject), dataOf(heard.data));
  }
}
