import {
  jetstream,
  JetStreamApiError,
  jetstreamManager,
  type JetStreamClient,
  type JetStreamManager,
} from '@nats-io/jetstream';
import { createInbox, headers, type NatsConnection } from '@nats-io/transport-node';
import { setTimeout as sleep } from 'node:timers/promises';
import type { WorkerStatus } from '../../api/queue.ts';
import { PROTOCOL } from '../protocol.ts';
import type { QueueSettings } from '../settings.ts';
import type { LeasedTask, WorkSource } from '../transport.ts';
import { audioAnswers } from './audio.ts';
import { connectNats, disconnect } from './connect.ts';
import { ServerFiles } from './files.ts';
import { leasedTask } from './lease.ts';
import * as names from './names.ts';
import { hangsOut, isAway, patiently } from './patience.ts';

/** How long a request for work waits at the server. */
const WAIT_MS = 2000;
/** How long the list of libraries is believed. */
const LIST_MS = 5000;
/** So long a library's machine may be away, or its part of the server full, before its audio is given up. */
const AUDIO_MS = 60_000;
const AUDIO_RETRY_MS = 2000;
/** A message of the server may also hold headers. */
const ENVELOPE_BYTES = 4096;
/** The server has no task: an empty answer, with this status or the next one. */
const NO_TASK = [404, 408, 409];

export interface NatsSourceOptions {
  settings: QueueSettings;
  /** A token of subjects. */
  worker: string;
  /** Works for these only; null: for every library that there is. */
  libraries: readonly string[] | null;
  /** Told once of libraries whose machine speaks another version. */
  onOtherProtocol: (libraryId: string, protocol: number) => void;
  /** Told of libraries that found this worker's answers wrong. */
  onSetAside: (libraryId: string) => void;
}

/** Where a worker gets its work from a NATS server. */
export class NatsSource implements WorkSource {
  readonly #connection: NatsConnection;
  readonly #js: JetStreamClient;
  readonly #manager: JetStreamManager;
  readonly #options: NatsSourceOptions;
  readonly #files: ServerFiles;
  readonly #largeAnswers: ServerFiles;
  readonly #strangers = new Set<string>();
  /** Libraries that do not want this worker's answers. */
  readonly #unwanted = new Set<string>();
  #libraries: readonly string[] = [];
  #listed = -Infinity;
  #turn = 0;

  private constructor(connection: NatsConnection, manager: JetStreamManager, options: NatsSourceOptions) {
    this.#connection = connection;
    this.#js = jetstream(connection);
    this.#manager = manager;
    this.#options = options;
    this.#files = new ServerFiles(this.#js, names.filesBucket);
    this.#largeAnswers = new ServerFiles(this.#js, names.answersBucket);
  }

  /** @throws EngineError `queue`, `bad-input`, `not-found` */
  static async open(options: NatsSourceOptions): Promise<NatsSource> {
    const connection = await connectNats(options.settings, `archetone worker ${options.worker}`);
    // Whether there is JetStream at all, the libraries' machines find out: a worker may have no right to ask.
    const manager = await jetstreamManager(connection, { checkAPI: false });
    return new NatsSource(connection, manager, options);
  }

  /** Resolves when the connection is gone for good. */
  get closed(): Promise<Error | null> {
    return this.#connection.closed().then((error) => error ?? null);
  }

  async take(signal: AbortSignal): Promise<LeasedTask | null> {
    const known = await this.#known(signal).catch((thrown: unknown) => {
      if (signal.aborted) return [];
      throw thrown;
    });
    const libraries = known.filter((libraryId) => !this.#unwanted.has(libraryId));
    for (const libraryId of libraries) {
      const task = await this.#ask(libraryId, 'first', 0);
      if (task || signal.aborted) return task;
    }
    // No library is always asked first.
    const at = this.#turn++ % Math.max(1, libraries.length);
    const inTurn = [...libraries.slice(at), ...libraries.slice(0, at)];
    for (const libraryId of inTurn.slice(0, -1)) {
      const task = await this.#ask(libraryId, 'later', 0);
      if (task || signal.aborted) return task;
    }
    const last = inTurn.at(-1);
    if (last !== undefined) return this.#ask(last, 'later', WAIT_MS);
    await sleep(WAIT_MS, undefined, { signal }).catch(() => undefined);
    return null;
  }

  async answer({ libraryId, key }: LeasedTask, answer: Uint8Array, signal: AbortSignal): Promise<void> {
    const subject = names.answerSubject(libraryId, this.#options.worker, key);
    const most = (this.#connection.info?.max_payload ?? 1024 * 1024) - ENVELOPE_BYTES;
    const publish = async (): Promise<void> => {
      try {
        if (answer.length <= most) {
          await this.#js.publish(subject, answer);
          return;
        }
        const described = headers();
        described.set(names.objectHeader, await this.#largeAnswers.putBytes(answer));
        await this.#js.publish(subject, new Uint8Array(), { headers: described });
      } catch (thrown) {
        // It is there already, of an earlier attempt.
        if (hangsOut(thrown)) return;
        // Nobody listens to this subject: the library's machine has all it wants.
        if (isAway(thrown) && !(await this.#wants(libraryId))) return;
        throw thrown;
      }
    };
    await patiently(this.#connection, publish, signal);
  }

  async fetchAudio(
    libraryId: string,
    contentHash: string,
    path: string,
    signal: AbortSignal,
  ): Promise<boolean> {
    const files = new ServerFiles(this.#js, names.audioBucket(libraryId));
    const until = performance.now() + AUDIO_MS;
    while (performance.now() < until) {
      signal.throwIfAborted();
      try {
        const reply = await this.#connection.request(names.audioSubject(libraryId), contentHash, {
          timeout: AUDIO_MS,
        });
        if (reply.string() === audioAnswers.none) return false;
        if (reply.string() === audioAnswers.ready)
          return await patiently(this.#connection, () => files.fetch(contentHash, path), signal);
      } catch (thrown) {
        if (!isAway(thrown)) throw thrown;
      }
      await sleep(AUDIO_RETRY_MS, undefined, { signal });
    }
    return false;
  }

  present(status: () => WorkerStatus): void {
    this.#connection.subscribe(names.whoSubject, {
      callback: (error, message) => {
        if (error === null) message.respond(JSON.stringify(status()));
      },
    });
    this.#connection.subscribe(names.asideSubject('*', this.#options.worker), {
      callback: (error, message) => {
        if (error) return;
        const libraryId = names.libraryOfAside(message.subject);
        this.#unwanted.add(libraryId);
        this.#options.onSetAside(libraryId);
      },
    });
  }

  fetchFile(sha256: string, path: string, signal: AbortSignal): Promise<boolean> {
    return patiently(this.#connection, () => this.#files.fetch(sha256, path), signal);
  }

  async close(): Promise<void> {
    await disconnect(this.#connection);
  }

  /** Whether a library still has a place for answers; one that is done has none. */
  async #wants(libraryId: string): Promise<boolean> {
    this.#listed = -Infinity;
    try {
      await this.#manager.streams.info(names.answersStream(libraryId));
      return true;
    } catch (thrown) {
      return !(thrown instanceof JetStreamApiError && thrown.status === 404);
    }
  }

  async #known(signal: AbortSignal): Promise<readonly string[]> {
    const { libraries, onOtherProtocol } = this.#options;
    if (libraries !== null) return libraries;
    if (performance.now() - this.#listed < (this.#libraries.length > 0 ? LIST_MS : WAIT_MS))
      return this.#libraries;
    const found: string[] = [];
    await patiently(
      this.#connection,
      async () => {
        found.length = 0;
        for await (const stream of this.#manager.streams.names('archetone.>')) {
          const tasks = names.tasksOf(stream);
          if (tasks === null) continue;
          if (tasks.protocol === PROTOCOL) found.push(tasks.libraryId);
          else if (!this.#strangers.has(stream)) {
            this.#strangers.add(stream);
            onOtherProtocol(tasks.libraryId, tasks.protocol);
          }
        }
      },
      signal,
    );
    this.#listed = performance.now();
    this.#libraries = found;
    return found;
  }

  /** @param waitMs how long the server keeps the request; 0: it says at once that there is nothing */
  async #ask(libraryId: string, urgency: names.Urgency, waitMs: number): Promise<LeasedTask | null> {
    const subject = `$JS.API.CONSUMER.MSG.NEXT.${names.tasksStream(libraryId)}.${urgency}`;
    const request = waitMs === 0 ? { batch: 1, no_wait: true } : { batch: 1, expires: 1e6 * waitMs };
    try {
      const reply = await this.#connection.request(subject, JSON.stringify(request), {
        timeout: waitMs + 5000,
        // A task comes under its own subject, by which a shared inbox would not know it.
        ...{ noMux: true, reply: createInbox() },
      });
      if (reply.data.length === 0 && NO_TASK.includes(reply.headers?.code ?? 0)) return null;
      return leasedTask(this.#connection, reply, libraryId);
    } catch (thrown) {
      if (!isAway(thrown)) throw thrown;
      // The library is done, or the server away: its list is asked for again.
      this.#listed = -Infinity;
      await sleep(500);
      return null;
    }
  }
}
