import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { noisePermutation } from '../../models/knn/index.ts';
import { goldenFolder } from './multilabelSupport.ts';

const schema = z.object({ n_train: z.number(), label_perm: z.array(z.number()) });

describe.skipIf(goldenFolder.missing)('label noise against the reference outputs', () => {
  it('replays the cumulative swaps of every data set from the seed alone', () => {
    const folder = goldenFolder.path('golden');
    const files = readdirSync(folder).filter((name) => /\.N\d+\.json\.gz$/.test(name));
    expect(files.length).toBeGreaterThan(20);
    for (const file of files) {
      const golden = schema.parse(JSON.parse(gunzipSync(readFileSync(join(folder, file))).toString('utf8')));
      const percent = Number(/\.N(\d+)\./.exec(file)?.[1]);
      const ours = noisePermutation(golden.n_train, { percent, seed: 123, variant: 'cumulative' });
      expect(Array.from(ours), file).toEqual(golden.label_perm);
    }
  });
});
