/**
 * Worker entry: unpacks one Parquet file. A damaged file can claim runs of a thousand million values, which the library
 * that reads them would write one by one; a thread can be ended in the midst of that, the process cannot.
 */
import { readParquetDataset } from '../../models/datasets/parquet.ts';
import { Transfer } from '../wire/contract.ts';
import { serve } from '../wire/serve.ts';
import { insideWorker } from '../wire/transports/worker.ts';
import { datasetErrorCoding, parquetContract } from './parquet-protocol.ts';

serve(
  insideWorker(),
  parquetContract,
  {
    read: async ({ path, ...options }, { alive }) => {
      alive();
      const raw = await readParquetDataset(path, options, alive);
      return new Transfer(raw, [raw.features.buffer as ArrayBuffer, raw.labels.buffer as ArrayBuffer]);
    },
  },
  { toError: datasetErrorCoding },
);
