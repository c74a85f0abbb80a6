import { join } from 'node:path';
import { expect, it } from 'vitest';
import * as z from 'zod';
import { runCli } from '../support/cli.ts';
import { testFolder, writeMusic } from '../support/music.ts';

const listSchema = z.looseObject({
  prototypes: z.array(z.looseObject({ index: z.number(), class: z.string(), name: z.string() })),
});
const logSchema = z.looseObject({
  revisions: z.array(z.looseObject({ revision: z.number(), change: z.string(), name: z.string() })),
  current: z.number(),
  undo: z.number().nullable(),
  redo: z.number().nullable(),
});
const editSchema = z.looseObject({
  preview: z.looseObject({ change: z.string(), flipped: z.number() }),
  experiment: z.looseObject({ id: z.string(), revision: z.number() }).nullable(),
});

it(
  'lists, previews, edits, undoes and restores, each in a process of its own',
  { timeout: 600_000 },
  async () => {
    const music = writeMusic({ perClass: 5 });
    const data = join(testFolder(), 'data');
    await runCli(['import', music, '--library', data]);
    const trained = await runCli([
      ...['train', '--library', data, '--taxonomy', 'folders', '--prototypes', '2', '--steps', '30'],
      ...['--minimum-tracks', '3', '--json'],
    ]);
    expect(trained.code).toBe(0);
    const run = async (...args: string[]): Promise<unknown> => {
      const [name = '', ...rest] = args;
      const answer = await runCli(['prototypes', name, data, ...rest, '--json']);
      expect([answer.code, answer.stderr]).toEqual([0, expect.not.stringContaining('Error')]);
      return answer.json();
    };
    const list = async () => listSchema.parse(await run('list')).prototypes;
    const log = async () => logSchema.parse(await run('log'));

    const first = await list();
    expect(first.map((prototype) => prototype.class)).toEqual(['bass', 'bass', 'high', 'high', 'mid', 'mid']);
    const preview = editSchema.parse(await run('remove', '0', '--preview'));
    expect(preview).toMatchObject({ preview: { change: 'removed bass #1' }, experiment: null });
    expect(await list()).toEqual(first);

    expect(editSchema.parse(await run('merge', '0', '1')).experiment?.revision).toBe(2);
    await run('rename', '1', 'Bright');
    expect((await list()).map(({ name }) => name)).toEqual(['', 'Bright', '', '', '']);
    await run('name', '3', 'My own');
    expect(await log()).toMatchObject({ current: 3, undo: 2, redo: null });
    await run('undo');
    await run('undo');
    expect(await list()).toEqual(first);
    await run('redo');
    expect(await log()).toMatchObject({ current: 2, undo: 1, redo: 3 });
    await run('restore', '3');
    expect((await log()).revisions.map(({ change, name }) => [change, name])).toEqual([
      ['trained', ''],
      ['merged bass #1, bass #2', ''],
      ['called high #2 “Bright”', 'My own'],
    ]);
    const kept = editSchema.parse(await run('reassign', '1', 'mid', '--keep'));
    expect(kept.experiment?.revision).toBe(1);

    for (const [args, code] of [
      [['remove', data, '99'], 'not-found'],
      [['add', data, 'mid'], 'bad-input'],
      [['merge', data, '0', '1'], 'bad-input'],
      [['compare', data, 'latest:first', 'latest'], 'bad-input'],
    ] as const) {
      const refused = await runCli(['prototypes', ...args, '--json']);
      expect(refused.code).not.toBe(0);
      expect(refused.json(), args.join(' ')).toMatchObject({ error: { code } });
    }
    const text = await runCli(['prototypes', 'weight', data, '0', 'mid', '0.5', '--preview']);
    expect(text.stdout).toContain('balanced accuracy');
  },
);
