/**
 * Worker entry: reads one data set. A damaged file can keep its reader busy for hours (Parquet can claim runs of a thousand
 * million values), and large ones take seconds; a thread can be ended in the midst of that, the process cannot.
 */
import { readDataset } from '../../models/datasets/read.ts';
import { readParquetDataset } from '../../models/datasets/parquet.ts';
import { Transfer } from '../wire/contract.ts';
import { serve } from '../wire/serve.ts';
import { insideWorker } from '../wire/transports/worker.ts';
import { datasetContract, datasetErrorCoding } from './dataset-protocol.ts';

/** The readers of text pause at times, when this is heard; that of Parquet says by itself that it goes on. */
const SIGN_OF_LIFE_MS = 500;

serve(
  insideWorker(),
  datasetContract,
  {
    read: async ({ path, ...options }, { alive, signal }) => {
      alive();
      const signs = setInterval(alive, SIGN_OF_LIFE_MS);
      try {
        const dataset = await readDataset(path, { ...options, signal }, (file, source) =>
          readParquetDataset(file, source, alive),
        );
        const { features, labels } = dataset;
        return new Transfer(dataset, [features.buffer as ArrayBuffer, labels.buffer as ArrayBuffer]);
      } finally {
        clearInterval(signs);
      }
    },
  },
  { toError: datasetErrorCoding },
);
