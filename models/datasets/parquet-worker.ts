/**
 * Worker entry: unpacks one Parquet file. A damaged file can claim runs of a thousand million values, which the library
 * that reads them would write one by one; a thread can be ended in the midst of that, the process cannot.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { DatasetError } from './errors.ts';
import { readParquetDataset } from './parquet.ts';
import { toWire, type ParquetReply, type ParquetRequest } from './parquet-protocol.ts';

if (parentPort === null) throw new Error('The Parquet worker must run in a worker thread');
const port = parentPort;
// Written by parquet-thread.ts of the same build, nobody else.
const { path, options } = workerData as ParquetRequest;

function send(reply: ParquetReply, transfer: ArrayBuffer[] = []): void {
  port.postMessage(reply, transfer);
}

send({ type: 'progress' });
try {
  const raw = await readParquetDataset(path, options, () => send({ type: 'progress' }));
  send({ type: 'read', raw }, [raw.features.buffer as ArrayBuffer, raw.labels.buffer as ArrayBuffer]);
} catch (error) {
  if (!(error instanceof DatasetError)) throw error;
  send({ type: 'refused', error: toWire(error) });
}
