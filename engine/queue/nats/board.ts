import {
  AckPolicy,
  DiscardPolicy,
  jetstream,
  JetStreamApiError,
  jetstreamManager,
  RetentionPolicy,
  StorageType,
  type JetStreamClient,
  type JetStreamManager,
  type JsMsg,
} from '@nats-io/jetstream';
import { nanos, type NatsConnection } from '@nats-io/transport-node';
import type { WorkerStatus } from '../../api/queue.ts';
import { queueLimits } from '../protocol.ts';
import type { QueueSettings } from '../settings.ts';
import type { DeliveredAnswer, TaskBoard } from '../transport.ts';
import { NatsAudio } from './audio.ts';
import { EngineError } from '../../wire/errors.ts';
import { withoutLogin } from './address.ts';
import { connectNats, disconnect, unprepared } from './connect.ts';
import { ServerFiles } from './files.ts';
import * as names from './names.ts';
import { hangsOut, patiently } from './patience.ts';
import { whoIsThere } from './who.ts';

/** Answers on their way at once: each at most a megabyte, larger ones lie in a store. */
const READ_AHEAD = 64;
/** An answer that was handed out and not stored comes again after so long; at once when the machine begins anew. */
const STORE_SECONDS = 120;
/** Packs, and what nobody fetched. */
const FILES_DAYS = 30;
/** The store's own retention ends before anybody would look again. */
const ANSWERS_DAYS = 14;

/** The queue of one library on a NATS server: a stream of tasks, each there at most once, and one of answers. */
export class NatsBoard implements TaskBoard {
  readonly #connection: NatsConnection;
  readonly #js: JetStreamClient;
  readonly #manager: JetStreamManager;
  readonly #libraryId: string;
  readonly #files: ServerFiles;
  readonly #largeAnswers: ServerFiles;
  readonly #audio: NatsAudio;
  readonly #signal: AbortSignal;
  readonly #server: string;

  private constructor(
    connection: NatsConnection,
    manager: JetStreamManager,
    { libraryId, server }: { libraryId: string; server: string },
    signal: AbortSignal,
  ) {
    this.#connection = connection;
    this.#server = withoutLogin(server);
    this.#signal = signal;
    this.#js = jetstream(connection);
    this.#manager = manager;
    this.#libraryId = libraryId;
    this.#files = new ServerFiles(this.#js, names.filesBucket);
    this.#largeAnswers = new ServerFiles(this.#js, names.answersBucket);
    this.#audio = new NatsAudio(connection, this.#js, libraryId);
  }

  /** Finds out whether the server lets anybody in. @throws EngineError `queue`, `bad-input`, `not-found` */
  static async reach(settings: QueueSettings): Promise<void> {
    const connection = await connectNats(settings, 'archetone');
    await connection.close();
  }

  /**
   * Connects, and makes what the library needs on the server.
   * @param signal ends waiting for a server that is away
   * @throws EngineError `queue`, `bad-input`, `not-found`
   */
  static async open(settings: QueueSettings, libraryId: string, signal: AbortSignal): Promise<NatsBoard> {
    const connection = await connectNats(settings, `archetone library ${libraryId}`);
    try {
      const manager = await jetstreamManager(connection);
      const board = new NatsBoard(connection, manager, { libraryId, server: settings.server }, signal);
      await board.#prepare(settings.leaseSeconds);
      return board;
    } catch (thrown) {
      await connection.close();
      throw unprepared(thrown, settings);
    }
  }

  async offer(key: string, task: Uint8Array, urgent: boolean): Promise<boolean> {
    const subject = names.taskSubject(this.#libraryId, urgent ? 'first' : 'later', key);
    return this.#patiently(async () => {
      try {
        await this.#js.publish(subject, task);
        return true;
      } catch (thrown) {
        if (hangsOut(thrown)) return false;
        throw thrown;
      }
    });
  }

  async *answers(signal: AbortSignal): AsyncGenerator<DeliveredAnswer, void> {
    const consumer = await this.#js.consumers.get(names.answersStream(this.#libraryId), 'library');
    const messages = await consumer.consume({ max_messages: READ_AHEAD });
    const stop = (): void => messages.stop();
    signal.addEventListener('abort', stop, { once: true });
    try {
      if (signal.aborted) return;
      for await (const message of messages) yield await this.#delivered(message);
    } finally {
      signal.removeEventListener('abort', stop);
      stop();
    }
  }

  async unread(): Promise<number> {
    const stream = names.answersStream(this.#libraryId);
    const { num_pending, num_ack_pending } = await this.#patiently(() =>
      this.#manager.consumers.info(stream, 'library'),
    );
    return num_pending + num_ack_pending;
  }

  putFile(sha256: string, path: string): Promise<void> {
    return this.#patiently(() => this.#files.put(sha256, path));
  }

  serveAudio(find: (contentHash: string) => string | null): void {
    this.#audio.serve(find);
  }

  dropAudio(contentHash: string): void {
    this.#audio.drop(contentHash);
  }

  setAside(worker: string): void {
    this.#connection.publish(names.asideSubject(this.#libraryId, worker));
  }

  workers(): Promise<WorkerStatus[]> {
    return whoIsThere(this.#connection);
  }

  async clear(): Promise<void> {
    await this.#manager.streams.purge(names.tasksStream(this.#libraryId));
  }

  async remove(): Promise<void> {
    for (const stream of [names.tasksStream(this.#libraryId), names.answersStream(this.#libraryId)])
      await this.#manager.streams.delete(stream).catch(() => undefined);
    await this.#audio.destroy().catch(() => undefined);
    await this.close();
  }

  async close(): Promise<void> {
    await disconnect(this.#connection);
  }

  async #patiently<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await patiently(this.#connection, work, this.#signal);
    } catch (thrown) {
      if (thrown instanceof JetStreamApiError && thrown.status === 404)
        throw lostStorage(this.#server, thrown);
      throw thrown;
    }
  }

  async #prepare(leaseSeconds: number): Promise<void> {
    const tasks = names.tasksStream(this.#libraryId);
    const answers = names.answersStream(this.#libraryId);
    const queue = {
      retention: RetentionPolicy.Workqueue,
      storage: StorageType.File,
      // One of a name at a time: offering what hangs out already changes nothing.
      ...{ max_msgs_per_subject: 1, discard: DiscardPolicy.New, discard_new_per_subject: true },
    };
    await this.#manager.streams.add({
      ...queue,
      name: tasks,
      subjects: (['first', 'later'] as const).map((urgency) =>
        names.taskSubject(this.#libraryId, urgency, '*'),
      ),
      max_msg_size: queueLimits.taskBytes,
    });
    await this.#manager.streams.add({
      ...queue,
      name: answers,
      subjects: [names.answerSubject(this.#libraryId, '*', '*')],
    });
    for (const urgency of ['first', 'later'] as const)
      await this.#manager.consumers.add(tasks, {
        durable_name: urgency,
        filter_subject: names.taskSubject(this.#libraryId, urgency, '*'),
        ack_policy: AckPolicy.Explicit,
        ack_wait: nanos(1000 * leaseSeconds),
        max_ack_pending: -1,
      });
    // Made anew: what an earlier process was given and did not store comes at once.
    await this.#manager.consumers.delete(answers, 'library').catch(() => undefined);
    await this.#manager.consumers.add(answers, {
      durable_name: 'library',
      ack_policy: AckPolicy.Explicit,
      ack_wait: nanos(1000 * STORE_SECONDS),
      max_ack_pending: -1,
    });
    await this.#files.create(FILES_DAYS);
    await this.#largeAnswers.create(ANSWERS_DAYS);
  }

  async #delivered(message: JsMsg): Promise<DeliveredAnswer> {
    const object = message.headers?.get(names.objectHeader) ?? '';
    const from = names.answerOf(message.subject);
    if (object === '') return { ...from, bytes: message.data, done: () => message.ack() };
    // One that is gone is no answer: what it says then is nonsense, and the task comes again.
    const bytes = await this.#patiently(() => this.#largeAnswers.fetchBytes(object, queueLimits.answerBytes));
    return {
      ...from,
      bytes: bytes ?? new Uint8Array(),
      done: () => {
        message.ack();
        void this.#largeAnswers.remove(object).catch(() => undefined);
      },
    };
  }
}

function lostStorage(server: string, cause: unknown): EngineError {
  return new EngineError(
    'queue',
    `The server at ${server} has lost what it kept: tasks, and answers that were not stored.`,
    'Look whether its storage is in a folder that lasts, and start again: what was stored here stays, the rest is done anew.',
    { cause },
  );
}
