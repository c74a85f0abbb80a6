import { join } from 'node:path';
import { expect, it } from 'vitest';
import * as z from 'zod';
import { runCli } from '../support/cli.ts';
import { testFolder, writeMusic } from '../support/music.ts';

const trainedSchema = z.looseObject({ experiment: z.looseObject({ id: z.string() }) });
const share = z.looseObject({ value: z.number() });
const comparedSchema = z.looseObject({
  firstId: z.string(),
  secondId: z.string(),
  tracks: z.number(),
  metrics: z.array(z.looseObject({ id: z.string(), first: share, second: share, difference: share })),
});

it('compares two experiments, as JSON and as a table', { timeout: 600_000 }, async () => {
  const data = join(testFolder(), 'data');
  await runCli(['import', writeMusic({ perClass: 6 }), '--library', data]);
  const train = async (steps: string): Promise<string> => {
    const answer = await runCli([
      ...['train', '--library', data, '--taxonomy', 'folders', '--prototypes', '2', '--steps', steps],
      ...['--minimum-tracks', '3', '--json'],
    ]);
    expect(answer.code).toBe(0);
    return trainedSchema.parse(answer.json()).experiment.id;
  };
  const [first, second] = [await train('1'), await train('40')];

  const json = await runCli(['compare', first, 'latest', '--library', data, '--json']);
  expect(json.code).toBe(0);
  const compared = comparedSchema.parse(json.json());
  expect(compared).toMatchObject({ firstId: first, secondId: second });
  expect(compared.metrics.map(({ id }) => id)).toEqual(['accuracy', 'macroF1']);
  for (const { first: a, second: b, difference } of compared.metrics)
    expect(difference.value).toBeCloseTo(b.value - a.value, 12);

  const text = await runCli(['compare', first, second, '--library', data]);
  expect(text.stdout).toContain(`${String(compared.tracks)} test tracks of both, 3 classes`);
  expect(text.stdout).toMatch(/McNemar: \d+ right in A only, \d+ in B only, p = /);
  expect(text.stdout).toMatch(/steps +1 +40/);

  const repeated = await runCli(['compare', first, second, '--library', data, '--splits', '2']);
  expect(repeated.code).toBe(0);
  expect(repeated.stdout).toMatch(/Both trained again on 2 splits.*\n.*B − A.*\naccuracy +/);

  const notes = ['--name', 'Forty steps', '--notes', 'For the talk', '--pin'];
  expect((await runCli(['experiments', 'describe', first, '--library', data, ...notes])).code).toBe(0);
  const list = (await runCli(['experiments', 'list', '--library', data])).stdout.split('\n');
  expect(list[1]).toMatch(new RegExp(`^${first} +\\* +Forty steps .*For the talk$`));
  expect(list[2]).toMatch(new RegExp(`^${second} `));
  expect((await runCli(['experiments', 'describe', first, '--library', data])).code).toBe(2);

  expect((await runCli(['compare', first, first, '--library', data])).code).toBe(2);
  expect((await runCli(['compare', first, 'nothing', '--library', data])).code).toBe(3);
});
