import { setTimeout as sleep } from 'node:timers/promises';
import { JetStreamApiError, jetstreamManager, type JetStreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import type { QueueStatus } from '../../api/queue.ts';
import { EngineError } from '../../wire/errors.ts';
import { PROTOCOL } from '../protocol.ts';
import type { QueueSettings } from '../settings.ts';
import { withoutLogin } from './address.ts';
import { connectNats, unprepared } from './connect.ts';
import * as names from './names.ts';
import { isAway } from './patience.ts';
import { whoIsThere } from './who.ts';

/** Beside the second that the workers' answers are waited for. */
const EVERY_MS = 1000;

/**
 * Looks at a queue without touching it.
 * @throws EngineError `queue`, `bad-input`, `not-found`
 */
export async function observeQueue(settings: QueueSettings): Promise<QueueStatus> {
  for await (const status of watchQueue(settings)) return status;
  throw new EngineError('internal', 'A queue was not looked at.');
}

/**
 * Looks at a queue every two seconds, over one connection, until it is aborted.
 * @throws EngineError `queue` also when the server goes away; `bad-input`, `not-found`
 */
export async function* watchQueue(
  settings: QueueSettings,
  signal?: AbortSignal,
): AsyncGenerator<QueueStatus, void> {
  const connection = await connectNats(settings, 'archetone observer');
  try {
    const manager = await jetstreamManager(connection);
    while (signal?.aborted !== true) {
      yield await look(connection, manager);
      await sleep(EVERY_MS, undefined, { signal }).catch(() => undefined);
    }
  } catch (thrown) {
    if (connection.isClosed() || isAway(thrown))
      throw new EngineError(
        'queue',
        `The queue at ${withoutLogin(settings.server)} does not answer any more.`,
        'Check that its server runs and that the network reaches it.',
        { cause: thrown },
      );
    throw unprepared(thrown, settings);
  } finally {
    await connection.close();
  }
}

async function look(connection: NatsConnection, manager: JetStreamManager): Promise<QueueStatus> {
  const libraries: QueueStatus['libraries'] = [];
  for await (const { config, state } of manager.streams.list()) {
    const tasks = names.tasksOf(config.name);
    if (!tasks) continue;
    const underWay = await underWayIn(manager, config.name);
    // The library was done while it was looked at.
    if (underWay === null) continue;
    const answers = await manager.streams.info(names.answersStream(tasks.libraryId)).catch(() => null);
    libraries.push({
      ...tasks,
      ours: tasks.protocol === PROTOCOL,
      waiting: Math.max(0, state.messages - underWay),
      underWay,
      answersToStore: answers?.state.messages ?? 0,
      bytes: state.bytes + (answers?.state.bytes ?? 0),
    });
  }
  return { server: connection.getServer(), libraries, workers: await whoIsThere(connection) };
}

/** Tracks that workers have; null: the stream is not there any more. */
async function underWayIn(manager: JetStreamManager, stream: string): Promise<number | null> {
  let underWay = 0;
  try {
    for await (const { num_ack_pending } of manager.consumers.list(stream)) underWay += num_ack_pending;
  } catch (thrown) {
    if (thrown instanceof JetStreamApiError && thrown.status === 404) return null;
    throw thrown;
  }
  return underWay;
}
