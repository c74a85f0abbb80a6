import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { runCli } from '../support/cli.ts';
import { classSound, testFolder, writeMusic, writeSound } from '../support/music.ts';

const answerSchema = z.looseObject({
  report: z.looseObject({
    stale: z.boolean(),
    folds: z.number(),
    createdAt: z.string(),
    decisions: z.number(),
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

describe('a wrong label', { timeout: 200_000 }, () => {
  const WRONG = 'bass/bass_2.wav';
  let data: string;
  let taxonomy: string;

  beforeAll(async () => {
    const music = testFolder();
    const rows = ['path,labels'];
    for (const [c, name] of ['bass', 'mid', 'high'].entries())
      for (let i = 0; i < 6; i++) {
        const path = `${name}/${name}_${String(i)}.wav`;
        // Each of another length, so that none is taken for a copy of another.
        writeSound(join(music, path), classSound(name, 1.2 + 0.25 * i, 1000 * c + i));
        rows.push(`${path},${path === WRONG ? 'high' : name}`);
      }
    const table = join(testFolder(), 'labels.csv');
    writeFileSync(table, rows.join('\n'));
    data = join(testFolder(), 'data');
    taxonomy = `csv:${table}`;
    expect((await runCli(['import', music, '--library', data])).code).toBe(0);
  }, 200_000);

  const run = async (...args: string[]) => {
    const answer = await runCli(['mistakes', data, '--taxonomy', taxonomy, ...args, '--json']);
    expect([answer.code, answer.code === 0 ? '' : answer.stderr]).toEqual([0, '']);
    return answerSchema.parse(answer.json());
  };

  it('is accepted, written as a change, taken back and kept', async () => {
    const found = await run('--folds', '3');
    expect(found.mistakes).toMatchObject([{ given: 'high', suggested: 'bass' }]);
    const id = found.mistakes[0]?.id ?? '';
    const csv = join(testFolder(), 'changes.csv');
    const accepted = await run('--folds', '3', '--accept', id, '--csv', csv);
    expect(accepted).toMatchObject({ decided: [{ before: ['high'], after: ['bass'] }], mistakes: [] });
    expect(readFileSync(csv, 'utf8').split('\r\n')).toEqual([
      'path,before,after,decision,decided_at',
      expect.stringMatching(`^${WRONG},high,bass,accept,`),
      '',
    ]);
    const undone = await run('--folds', '3', '--undo');
    expect(undone.report.decisions).toBe(0);
    expect(undone.mistakes.map((mistake) => mistake.id)).toEqual([id]);
    const kept = await run('--folds', '3', '--keep', id);
    expect(kept).toMatchObject({ decided: [{ before: ['high'], after: ['high'] }], mistakes: [] });
    expect((await run('--folds', '3', '--again')).report.counts['likely-wrong']).toEqual({
      total: 1,
      left: 0,
    });
  });

  it('is looked for again where more folds are asked for, and only then', async () => {
    const first = await run('--folds', '2');
    expect((await run('--folds', '2')).report.createdAt).toBe(first.report.createdAt);
    const more = await run('--folds', '4');
    expect(more.report.folds).toBe(4);
    // 18 groups make no more folds; asking for the same once more computes nothing.
    const most = await run('--folds', '20');
    expect(most.report.folds).toBe(18);
    expect((await run('--folds', '20')).report.createdAt).toBe(most.report.createdAt);
  });
});
