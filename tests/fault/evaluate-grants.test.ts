import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { EngineClient } from '../../engine/api/contract.ts';
import { connectEngine } from '../../engine/api/client.ts';
import { portPair } from '../../engine/wire/transports/in-process.ts';
import { encodeWav } from '../../models/audio/index.ts';
import { settled, startTestEngine, type TestEngine } from '../support/engine.ts';
import { testFolder } from '../support/music.ts';

const yaml = (dataset: string): string => `experiments:
  - task: { type: multiclass_classification }
    datasets: [{ name: set, ${dataset} }]
    features: [chroma]
    probes: [{ type: knn, k: 1 }]
    split: { kind: folds, folds: 2 }
    windows: 1
`;

/** A folder of two classes of two sounds. */
function sounds(folder: string): string {
  for (const [name, hertz] of Object.entries({ a: 440, 'e-flat': 311.13 })) {
    mkdirSync(join(folder, name), { recursive: true });
    for (const loud of [0.1, 0.3]) {
      const tone = Float32Array.from({ length: 8000 }, (_, n) => loud * Math.sin((hertz * n) / 1273.24));
      writeFileSync(join(folder, name, `${loud}.wav`), encodeWav(tone, 8000, 'float32'));
    }
  }
  return folder;
}

describe('a window that was taken over', () => {
  let engine: TestEngine;
  let window: EngineClient;
  let chosen: string;
  let secret: string;
  const begin = (path: string, client = window): Promise<{ jobId: string }> =>
    client.call('evaluations.run', { file: { kind: 'file', path } });

  beforeAll(async () => {
    engine = await startTestEngine();
    const [here, there] = portPair();
    engine.engine.serve(there);
    window = connectEngine(here);
    chosen = join(testFolder(), 'chosen');
    mkdirSync(chosen);
    secret = sounds(join(testFolder(), 'secret'));
    engine.engine.grants.grant(chosen);
  });

  it.each([
    ['an absolute folder', () => `type: folders, dir: ${secret}`],
    ['a folder above', () => 'type: folders, dir: ..'],
    ['a link out of the chosen folder', () => 'type: folders, dir: link'],
    ['a table of labels elsewhere', () => `type: csv, dir: ., labels: ${join(secret, 'labels.csv')}`],
    [
      'a collection to test on elsewhere',
      () => `type: folders, dir: ., test_on: { name: x, type: folders, dir: ${secret} }`,
    ],
    [
      'an impulse response elsewhere',
      () =>
        `type: folders, dir: ., deformations: [[{ type: ApplyImpulseResponse, params: { ir_path: ${join(secret, 'a', '0.1.wav')} } }]]`,
    ],
  ])('saves an evaluation that names %s, and cannot run it', async (name, dataset) => {
    if (name.includes('link')) symlinkSync(secret, join(chosen, 'link'), 'junction');
    const file = join(chosen, `${name}.yml`);
    await window.call('evaluations.save', { content: yaml(dataset()), file });
    await expect(begin(file)).rejects.toMatchObject({
      code: 'not-permitted',
      hint: expect.stringContaining('choose it') as string,
    });
    // It does not even learn what is there.
    const { missing } = await window.call('evaluations.read', { file: { kind: 'file', path: file } });
    expect(missing).toHaveLength(1);
    // The command line is the person’s own.
    const { jobId } = await begin(file, engine.client);
    expect((await settled(engine.client, jobId)).error?.code).not.toBe('not-permitted');
  });

  it('names nothing outside the data set by a table of labels', async () => {
    writeFileSync(join(chosen, 'labels.csv'), 'path,labels\n../secret/a/0.1.wav,a\n');
    const file = join(chosen, 'table.yml');
    await window.call('evaluations.save', {
      content: yaml('type: csv, dir: ., labels: labels.csv'),
      file,
    });
    const { jobId } = await begin(file);
    expect((await settled(window, jobId)).error).toMatchObject({
      code: 'bad-input',
      message: expect.stringContaining('leads out of') as string,
    });
  });

  it('runs what a person chose, and no other file that takes its place', async () => {
    engine.engine.grants.grant(secret);
    const file = join(chosen, 'fine.yml');
    await window.call('evaluations.save', { content: yaml(`type: folders, dir: ${secret}`), file });
    const { jobId } = await begin(file);
    const job = await settled(window, jobId);
    expect(job).toMatchObject({ state: 'done', result: { kind: 'evaluate', cells: 2 } });
    // Chosen again or not: what was begun may be gone on with, in the next session too.
    const later = await engine.restart();
    const [here, there] = portPair();
    later.engine.serve(there);
    const next = connectEngine(here);
    const evaluationId = job.result?.kind === 'evaluate' ? job.result.evaluationId : '';
    const again = await next.call('evaluations.resume', { evaluationId });
    expect(await settled(next, again.jobId)).toMatchObject({ state: 'done' });
    const other = sounds(join(testFolder(), 'other'));
    renameSync(file, `${file}.old`);
    writeFileSync(file, yaml(`type: folders, dir: ${other}`));
    const swapped = await next.call('evaluations.resume', { evaluationId });
    expect((await settled(next, swapped.jobId)).error).toMatchObject({ code: 'not-permitted' });
    rmSync(file);
  });
});
