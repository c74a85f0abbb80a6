/**
 * Worker entry: reads one label file and finds the tracks it names. Files of millions of rows keep a processor busy for
 * seconds, and one may hold anything; a thread can be limited and ended, the engine cannot.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { EngineError } from '../api/errors.ts';
import type { LabelReply, LabelRequest } from './label-protocol.ts';
import { readLabelRows } from './label-rows.ts';
import { LabelTableBuilder } from './label-table.ts';

if (parentPort === null) throw new Error('The label worker must run in a worker thread');
const port = parentPort;
// Written by label-thread.ts of the same build, nobody else.
const { path, paths, folder } = workerData as LabelRequest;
const send = (reply: LabelReply): void => port.postMessage(reply);

send({ type: 'progress', rows: 0 });
try {
  const table = new LabelTableBuilder(paths, folder);
  for await (const rows of readLabelRows(path)) {
    for (const row of rows) table.add(row);
    send({ type: 'progress', rows: table.rows });
  }
  send({ type: 'read', table: table.finish() });
} catch (error) {
  if (!(error instanceof EngineError)) throw error;
  send({ type: 'refused', error: error.toData() });
}
