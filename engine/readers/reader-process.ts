import type { Confinement } from '../api/app.ts';
import { endOf, type HelperEnd, type HelperProcess, type SpawnHelper } from '../helpers/process.ts';
import { connect } from '../wire/connect.ts';
import type { Client, Connection } from '../wire/contract.ts';
import { readersContract, type ReadersConfig, type ReadersContract } from './contract.ts';

/** A reader process ended while it was at work. */
export class ReaderLost extends Error {
  readonly end: HelperEnd;

  constructor(end: HelperEnd, cause: Error | undefined) {
    super('the process that reads files ended', { cause });
    this.end = end;
  }
}

/** One reader process that was started. */
export class ReaderProcess {
  /** What keeps it in. @throws Error when it does not start */
  readonly confinement: Promise<Confinement>;
  readonly #client: Connection<ReadersContract>;
  readonly #process: HelperProcess;
  #up = false;
  #gone = false;

  constructor(spawn: SpawnHelper, memoryLimit: number, config: ReadersConfig) {
    this.#process = spawn(memoryLimit);
    this.#client = connect(this.#process.port, readersContract, {
      lost: (reason) => {
        this.#gone = true;
        // One that never came up says nothing about a file.
        return this.#up
          ? new ReaderLost(endOf(reason), reason)
          : new Error(`The process that reads files does not start: ${reason?.message ?? 'no reason given'}`);
      },
    });
    this.confinement = this.#client.call('start', config).then((confinement) => {
      this.#up = true;
      return confinement;
    });
    // Whoever asked for something is told.
    this.confinement.catch(() => undefined);
  }

  /** What it is asked by, once it has started: one that ends before says nothing about a file. @throws Error when it does not start */
  async ready(): Promise<Client<ReadersContract>> {
    await this.confinement;
    return this.#client;
  }

  get gone(): boolean {
    return this.#gone;
  }

  async close(): Promise<void> {
    this.#client.close();
    await this.#process.ended;
  }
}
