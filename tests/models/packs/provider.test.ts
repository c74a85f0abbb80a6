import { beforeAll, describe, expect, it } from 'vitest';
import {
  checkProviders,
  inlineRunner,
  listProviders,
  readPack,
  type Pack,
} from '../../../models/packs/index.ts';
import type { Measurement, ProviderRunner } from '../../../models/packs/index.ts';
import { childRunner } from '../../../engine/packs/provider-runner.ts';
import { bundled } from '../../support/bundles.ts';
import { temporaryFolder } from '../../support/temporary.ts';
import { writeTinyPack } from '../../support/tiny-pack.ts';
import { softwareVulkanDriver } from '../../support/vulkan.ts';

let pack: Pack;
let entry = '';
beforeAll(async () => {
  pack = await readPack(await writeTinyPack(await temporaryFolder(), { seed: 13 }));
  entry = await bundled('engine/packs/provider-child.ts');
});

/** A runner with made-up results, to see how they are judged. */
const made = (results: Partial<Record<string, Measurement | Error>>): ProviderRunner => {
  return ({ provider }) => {
    const result = results[provider];
    return result instanceof Error || !result
      ? Promise.reject(result ?? new Error(`no ${provider}`))
      : Promise.resolve(result);
  };
};
const measurement = (windowsPerSecond: number, ...values: number[]): Measurement => ({
  outputs: [Float32Array.from(values)],
  windowsPerSecond,
});
const other = listProviders().find((provider) => provider !== 'cpu') ?? 'webgpu';

describe('listProviders', () => {
  it('always ends with the CPU', () => {
    expect(listProviders().at(-1)).toBe('cpu');
  });
});

describe('checkProviders', () => {
  it('measures the CPU in a process of its own and agrees with this one', async () => {
    const here = await inlineRunner(
      { packFolder: pack.folder, provider: 'cpu' },
      new AbortController().signal,
    );
    const child = await childRunner(entry)(
      { packFolder: pack.folder, provider: 'cpu' },
      new AbortController().signal,
    );
    expect(child.outputs).toEqual(here.outputs);
    expect(child.outputs).toHaveLength(4);
    const [report] = await checkProviders(pack, { providers: ['cpu'], runner: childRunner(entry) });
    expect(report).toMatchObject({
      provider: 'cpu',
      available: true,
      correct: true,
      maxAbsDifference: 0,
      chosen: true,
    });
    expect(report?.windowsPerSecond).toBeGreaterThan(1);
  });

  it('reports every offered provider, failures included, and never throws', async () => {
    const reports = await checkProviders(pack, { runner: childRunner(entry) });
    expect(reports.map((report) => report.provider)).toEqual(listProviders());
    expect(reports.filter((report) => report.chosen)).toHaveLength(1);
    for (const report of reports.filter((r) => !r.available)) {
      expect(report.message).toMatch(/^failed: /);
      expect(report.correct).toBeNull();
    }
  });

  it('chooses the fastest of the correct ones', async () => {
    const cpu = measurement(10, 1, 2, 3);
    const judge = async (result: Measurement | Error) =>
      checkProviders(pack, { providers: [other, 'cpu'], runner: made({ cpu, [other]: result }) });
    expect(await judge(measurement(20, 1, 2, 3.001))).toMatchObject([
      { provider: other, correct: true, chosen: true },
      { provider: 'cpu', correct: true, chosen: false },
    ]);
    expect(await judge(measurement(5, 1, 2, 3))).toMatchObject([{ chosen: false }, { chosen: true }]);
    expect(await judge(measurement(20, 1, 2, 3.1))).toMatchObject([
      { correct: false, chosen: false, available: true },
      { chosen: true },
    ]);
    expect(await judge(measurement(20, 1, 2, NaN))).toMatchObject([{ correct: false }, { chosen: true }]);
    expect(await judge(measurement(20, 1, 2))).toMatchObject([{ correct: false }, { chosen: true }]);
    expect(await judge(new Error('no device'))).toMatchObject([
      { available: false, correct: null, message: 'failed: no device' },
      { chosen: true },
    ]);
  });

  it('chooses nothing when the CPU itself fails', async () => {
    const runner = made({ [other]: measurement(20, 1), cpu: new Error('broken pack') });
    const reports = await checkProviders(pack, { providers: [other, 'cpu'], runner });
    expect(reports).toMatchObject([
      { correct: null, chosen: false },
      { available: false, chosen: false },
    ]);
  });

  it('names a provider that is not offered here', async () => {
    const absent = process.platform === 'win32' ? 'coreml' : 'dml';
    const reports = await checkProviders(pack, { providers: [absent], runner: inlineRunner });
    expect(reports).toMatchObject([
      { provider: absent, available: false },
      { provider: 'cpu', chosen: true },
    ]);
    expect(reports[0]?.message).toContain('not part of the installed ONNX Runtime');
  });

  it('gives up on a provider that hangs, and on one that crashes', async () => {
    const folder = await temporaryFolder();
    const { writeFile } = await import('node:fs/promises');
    const hanging = `${folder}/hang.mjs`;
    await writeFile(hanging, 'process.on("message", () => { for (;;); });');
    const crashing = `${folder}/crash.mjs`;
    await writeFile(
      crashing,
      'process.on("message", () => { process.stderr.write("driver fault\\n"); process.abort(); });',
    );
    const run =
      (file: string): ProviderRunner =>
      (request, signal) =>
        request.provider === 'cpu' ? inlineRunner(request, signal) : childRunner(file)(request, signal);

    const [hung] = await checkProviders(pack, { providers: [other], runner: run(hanging), timeoutMs: 1500 });
    expect(hung).toMatchObject({ available: false, message: 'failed: no answer within 1.5 s' });
    const [crashed] = await checkProviders(pack, { providers: [other], runner: run(crashing) });
    expect(crashed?.message).toMatch(/SIGABRT|status/);
  });

  it('throws only the reason of its signal', async () => {
    const reason = new Error('enough');
    const run = checkProviders(pack, { signal: AbortSignal.abort(reason), runner: inlineRunner });
    await expect(run).rejects.toBe(reason);
  });

  it('does not risk this process on other providers when there is no separate one', async () => {
    const reports = await checkProviders(pack, { providers: [other, 'cpu'] });
    expect(reports).toMatchObject([
      { available: false, correct: null },
      { provider: 'cpu', chosen: true },
    ]);
    expect(reports[0]?.message).toMatch(/^not checked/);
  });
});

const driver = softwareVulkanDriver();
describe.skipIf(driver === null)('webgpu through a software Vulkan driver', () => {
  it('runs every graph of the pack and agrees with the CPU', async () => {
    const environment = { VK_ICD_FILENAMES: driver ?? '', XDG_RUNTIME_DIR: await temporaryFolder() };
    const [report] = await checkProviders(pack, {
      providers: ['webgpu'],
      runner: childRunner(entry, environment),
      timeoutMs: 90_000,
    });
    expect(report).toMatchObject({ provider: 'webgpu', available: true, correct: true });
    // Exactly the CPU's numbers would mean that the nodes fell back to the CPU.
    expect(report?.maxAbsDifference).toBeGreaterThan(0);
    expect(report?.maxAbsDifference).toBeLessThan(1e-3);
  }, 120_000);
});
