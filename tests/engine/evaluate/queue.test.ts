import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { encodeWav } from '../../../models/audio/index.ts';
import { Random } from '../../../models/numerics/random.ts';
import { plainSteps, scenarioOf, scenarioOfPlain } from '../../../models/deformations/scenario.ts';
import { settled, startTestEngine, type TestEngine } from '../../support/engine.ts';
import { testFolder } from '../../support/music.ts';
import { natsMissing, NatsServer, withNats } from '../../support/nats.ts';
import { settingsOf, startTestWorker } from '../../support/queue-worker.ts';

let folder: string;
const yaml = `experiments:
  - task: { type: multiclass_classification }
    datasets:
      - name: tones
        type: folders
        dir: music
        deformations:
          - - { type: AddGaussianSNR, params: { min_snr_in_db: 5, max_snr_in_db: 15 } }
            - { type: Gain, params: { min_gain_in_db: -6, max_gain_in_db: -6 } }
    features: [chroma, mfcc]
    probes: [{ type: knn, k: 1 }]
    split: { kind: folds, folds: 2 }
    windows: 2
`;

beforeAll(() => {
  folder = testFolder();
  const random = new Random(1);
  for (const [name, hertz] of Object.entries({ a: 440, 'e-flat': 311.13 })) {
    mkdirSync(join(folder, 'music', name), { recursive: true });
    for (let i = 0; i < 3; i++) {
      const samples = Float32Array.from(
        { length: 12_000 },
        (_, n) => 0.3 * Math.sin((2 * Math.PI * hertz * n) / 24_000) + 0.02 * random.normal(),
      );
      writeFileSync(join(folder, 'music', name, `${i}.wav`), encodeWav(samples, 24_000, 'float32'));
    }
  }
  writeFileSync(join(folder, 'evaluation.yml'), yaml);
});

async function evaluate({ client }: TestEngine, overQueue = false): Promise<unknown> {
  const file = { kind: 'file' as const, path: join(folder, 'evaluation.yml') };
  const { jobId } = await client.call('evaluations.run', { file, overQueue });
  const job = await settled(client, jobId);
  if (job.error) throw new Error(job.error.message);
  return job.result;
}

/** Every file of vectors, by its name. */
function vectorsOf({ dataFolder }: TestEngine): Record<string, string> {
  const root = join(dataFolder, 'evaluations', '.vectors');
  const names = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.f32'),
  );
  return Object.fromEntries(
    names.sort().map((name) => [name, readFileSync(join(root, name)).toString('base64')]),
  );
}

describe.skipIf(natsMissing)(`an evaluation over a queue${withNats}`, () => {
  it(
    'has its vectors, clean and deformed, made by workers: the bytes of one machine',
    { timeout: 240_000 },
    async () => {
      const alone = await startTestEngine();
      const expected = await evaluate(alone);
      const server = await NatsServer.start();
      const worker = await startTestWorker(server.url, { audio: 'sent', packFolders: [] });
      const over = await startTestEngine({ queue: settingsOf(server.url) });
      expect(await evaluate(over)).toEqual(expected);
      // As the window has it: a queue is connected, and asked for.
      const connected = await startTestEngine();
      await connected.client.call('queue.connect', { server: server.url });
      expect(await evaluate(connected, true)).toEqual(expected);
      // 6 tracks, 2 spaces, clean and deformed, twice.
      expect(await worker.stop()).toMatchObject({ answered: 48, fileFailures: 0, refused: 0 });
      for (const one of [over, connected]) expect(vectorsOf(one)).toEqual(vectorsOf(alone));
      expect(Object.keys(vectorsOf(over))).toHaveLength(24);
      // What was begun there goes on here where the helpers are not asked any more.
      const { evaluationId } = expected as { evaluationId: string };
      await connected.client.call('queue.disconnect', {});
      const { jobId } = await connected.client.call('evaluations.resume', { evaluationId, overQueue: false });
      expect(await settled(connected.client, jobId)).toMatchObject({ state: 'done' });
    },
  );
});

it('sends deformations that need nothing else, and only these', () => {
  const scenario = scenarioOf([
    { type: 'AddGaussianSNR', params: { min_snr_in_db: 5, max_snr_in_db: 15 } },
    { type: 'Gain', params: { min_gain_in_db: -3, max_gain_in_db: -3 } },
  ]);
  const again = scenarioOfPlain(plainSteps(scenario) ?? []);
  expect({ ...again, steps: [] }).toEqual({ ...scenario, steps: [] });
  const compressed = scenarioOf([{ type: 'Mp3Compression', params: { min_bitrate: 64, max_bitrate: 64 } }]);
  expect(plainSteps(compressed)).toBeNull();
});
