/**
 * Worker entry: reads one label file and finds the tracks it names. Files of millions of rows keep a processor busy for
 * seconds, and one may hold anything; a thread can be limited and ended, the engine cannot.
 */
import { serve } from '../wire/serve.ts';
import { insideWorker } from '../wire/transports/worker.ts';
import { labelContract } from './label-protocol.ts';
import { readLabelRows } from './label-rows.ts';
import { LabelTableBuilder } from './label-table.ts';

serve(insideWorker(), labelContract, {
  read: async ({ path, paths, folder }, { alive }) => {
    alive();
    const table = new LabelTableBuilder(paths, folder);
    for await (const rows of readLabelRows(path)) {
      for (const row of rows) table.add(row);
      alive();
    }
    return table.finish();
  },
});
