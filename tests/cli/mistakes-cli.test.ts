import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { runCli } from '../support/cli.ts';
import { testFolder, writeMusic } from '../support/engine.ts';

const answerSchema = z.looseObject({
  report: z.looseObject({
    stale: z.boolean(),
    accuracy: z.number().nullable(),
    counts: z.record(z.string(), z.object({ total: z.number(), left: z.number() })),
  }),
  mistakes: z.array(
    z.looseObject({ id: z.string(), given: z.string().nullable(), suggested: z.string().nullable() }),
  ),
  decided: z.array(z.looseObject({ before: z.array(z.string()), after: z.array(z.string()) })),
});

it(
  'finds mistakes, keeps what is confirmed, accepts, takes back and writes labels',
  { timeout: 120_000 },
  async () => {
    const music = writeMusic({ perClass: 5 });
    const [data, out] = [join(testFolder(), 'data'), testFolder()];
    await runCli(['import', music, '--library', data]);
    const run = async (...args: string[]) => {
      // By the words of the file names: “hit” and “long” are of one length each, and are nothing that can be heard.
      const { stdout, stderr, code } = await runCli(['mistakes', data, '--folds', '2', ...args, '--json']);
      expect([code, stderr.includes('Error')]).toEqual([0, false]);
      return answerSchema.parse(JSON.parse(stdout));
    };
    const first = await run('--tab', 'unsure');
    expect(first.report).toMatchObject({ stale: false });
    const labels = join(out, 'labels.csv');
    await run('--labels', labels);
    expect(readFileSync(labels, 'utf8').split('\r\n').slice(0, 2)).toEqual([
      'path,labels',
      'bass/bass_hit_0.wav,bass',
    ]);
    const wrong = await runCli(['mistakes', data, '--accept', 'likely-wrong:none:x', '--json']);
    expect(wrong.code).not.toBe(0);
    expect(wrong.json()).toMatchObject({ error: { code: 'not-found' } });
    const none = await runCli(['mistakes', data, '--undo', '--json']);
    expect(none.json()).toMatchObject({ error: { code: 'not-found' } });
    const text = await runCli(['mistakes', data, '--folds', '2']);
    expect(text.stdout).toContain('copies stay together');
  },
);
