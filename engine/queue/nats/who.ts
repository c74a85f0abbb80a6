import { NoRespondersError, RequestError, type NatsConnection } from '@nats-io/transport-node';
import type { WorkerStatus } from '../../api/queue.ts';
import { readWorkerStatus } from '../protocol.ts';
import * as names from './names.ts';

/** How long answers are waited for: all that are there answer at once. */
const WAIT_MS = 1000;

/** Asks who works here. What is no answer of a worker is passed over. */
export async function whoIsThere(connection: NatsConnection): Promise<WorkerStatus[]> {
  const found = new Map<string, WorkerStatus>();
  try {
    const answers = await connection.requestMany(names.whoSubject, '', { maxWait: WAIT_MS });
    for await (const { data } of answers) {
      const status = readWorkerStatus(data);
      if (status) found.set(status.worker, status);
    }
  } catch (thrown) {
    const nobody =
      thrown instanceof NoRespondersError || (thrown instanceof RequestError && thrown.isNoResponders());
    if (!nobody) throw thrown;
  }
  return [...found.values()].sort((a, b) => (a.worker < b.worker ? -1 : 1));
}
