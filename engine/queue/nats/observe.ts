import { jetstreamManager } from '@nats-io/jetstream';
import type { QueueSettings } from '../settings.ts';
import type { QueueStatus } from '../status.ts';
import { connectNats } from './connect.ts';
import * as names from './names.ts';
import { whoIsThere } from './who.ts';

/**
 * Looks at a queue without touching it.
 * @throws EngineError `queue`, `bad-input`, `not-found`
 */
export async function observeQueue(settings: QueueSettings): Promise<QueueStatus> {
  const connection = await connectNats(settings, 'archetone observer');
  try {
    const manager = await jetstreamManager(connection);
    const libraries: QueueStatus['libraries'] = [];
    for await (const { config, state } of manager.streams.list()) {
      const tasks = names.tasksOf(config.name);
      if (!tasks) continue;
      let underWay = 0;
      for await (const { num_ack_pending } of manager.consumers.list(config.name))
        underWay += num_ack_pending;
      const answers = await manager.streams.info(names.answersStream(tasks.libraryId)).catch(() => null);
      libraries.push({
        ...tasks,
        waiting: Math.max(0, state.messages - underWay),
        underWay,
        answersToStore: answers?.state.messages ?? 0,
        bytes: state.bytes + (answers?.state.bytes ?? 0),
      });
    }
    return { server: connection.getServer(), libraries, workers: await whoIsThere(connection) };
  } finally {
    await connection.close();
  }
}
