import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { inlineRunner, type ProviderRunner } from '../../models/packs/index.ts';
import type { PackInfo } from '../../engine/api/packs.ts';
import { handmadeSpaces } from '../../models/handmade/registry.ts';
import { PackService } from '../../engine/packs/service.ts';
import { finished, startTestEngine } from '../support/engine.ts';
import { testFolder } from '../support/music.ts';
import { writeTinyPack } from '../support/tiny-pack.ts';

async function service(packFolders: string[], dataFolder = testFolder()): Promise<PackService> {
  return PackService.open({ packFolders, dataFolder, threads: 1 });
}

const never = new AbortController().signal;

const own: readonly string[] = handmadeSpaces.map(({ id }) => id);

/** Without those that every installation builds itself. */
function installed(packs: PackService): PackInfo[] {
  return packs.list().filter(({ id }) => !own.includes(id));
}

describe('PackService', () => {
  it('lists packs of all folders, the first of equal ids, and flattens the quality card', async () => {
    const [own, added] = [testFolder(), testFolder()];
    await writeTinyPack(join(own, 'a'), { seed: 1, id: 'a' });
    await writeTinyPack(join(added, 'b'), { seed: 2, id: 'b', kind: 'embedding-only' });
    await writeTinyPack(join(added, 'other-a'), { seed: 3, id: 'a' });
    const manifestPath = join(own, 'a', 'pack.json');
    const manifest = JSON.parse(readFileSync(manifestPath, 'utf8')) as Record<string, unknown>;
    writeFileSync(
      manifestPath,
      JSON.stringify({ ...manifest, quality: { knn5: { accuracy: 0.5 }, note: 'x' } }),
    );
    const packs = await service([own, added]);
    expect(installed(packs).map(({ id, kind, embedded }) => [id, kind, embedded])).toEqual([
      ['a', 'generative', true],
      ['b', 'embedding-only', false],
    ]);
    expect(packs.list()[0]?.quality).toEqual([
      { name: 'knn5.accuracy', value: 0.5 },
      { name: 'note', value: 'x' },
    ]);
    expect(packs.list()[1]?.sampler).toBeNull();
  });

  it('names a pack whose manifest is broken, and goes on without it', async () => {
    const folder = testFolder();
    await writeTinyPack(join(folder, 'good'), { seed: 1, id: 'good' });
    await writeTinyPack(join(folder, 'bad'), { seed: 1, id: 'bad' });
    writeFileSync(join(folder, 'bad', 'pack.json'), '{');
    const packs = await service([folder]);
    expect(installed(packs).map(({ id }) => id)).toEqual(['good']);
    expect(packs.problems()).toMatchObject([{ folder: join(folder, 'bad') }]);
    expect(() => packs.get('bad')).toThrow(/JSON/);
    expect(() => packs.get('none')).toThrow(expect.objectContaining({ code: 'pack' }) as Error);
  });

  it('verifies: a changed file is named with what to do', async () => {
    const folder = testFolder();
    await writeTinyPack(join(folder, 'a'), { seed: 1, id: 'a' });
    const packs = await service([folder]);
    expect(await packs.verify('a', never)).toEqual({ packId: 'a', ok: true, problems: [] });
    const { graphs } = packs.get('a').manifest;
    const file = graphs.decoder?.file ?? '';
    appendFileSync(join(folder, 'a', file), 'x');
    const { ok, problems } = await packs.verify('a', never);
    expect(ok).toBe(false);
    expect(problems).toMatchObject([{ file }]);
    expect(problems[0]?.hint).not.toBe('');
  });

  it('shares one runtime, and uses a provider only once it proved to be correct and faster', async () => {
    const folder = testFolder();
    const data = testFolder();
    await writeTinyPack(join(folder, 'a'), { seed: 1, id: 'a' });
    const packs = await service([folder], data);
    const runtime = await packs.runtime('a');
    expect(await packs.runtime('a')).toBe(runtime);
    expect(runtime.provider).toBe('cpu');
    expect(packs.providers().find(({ provider }) => provider === 'cpu')?.correct).toBeNull();
    // The same computation under another name: correct, and said to be faster.
    const fast: ProviderRunner = async (request, signal) => {
      const measured = await inlineRunner({ ...request, provider: 'cpu' }, signal);
      return { ...measured, windowsPerSecond: request.provider === 'cpu' ? 1 : 2 };
    };
    const reports = await packs.check('a', { runner: fast });
    const chosen = reports.find((report) => report.chosen);
    expect(chosen?.correct).toBe(true);
    if (reports.length > 1) expect(chosen?.provider).not.toBe('cpu');
    expect((await service([folder], data)).providers()).toEqual(reports);
    const wrong: ProviderRunner = async (request, signal) => {
      const measured = await inlineRunner({ ...request, provider: 'cpu' }, signal);
      if (request.provider !== 'cpu') measured.outputs[0]?.fill(9);
      return { ...measured, windowsPerSecond: request.provider === 'cpu' ? 1 : 2 };
    };
    const again = await packs.check('a', { runner: wrong });
    expect(again.find((report) => report.chosen)?.provider).toBe('cpu');
    expect((await packs.runtime('a')).provider).toBe('cpu');
    await packs.close();
  });

  it('is reached through jobs', async () => {
    const { client } = await startTestEngine();
    const { jobId } = await client.call('packs.verify', { packId: 'compact' });
    expect((await finished(client, jobId, 'verify-pack')).verification.ok).toBe(true);
    await expect(client.call('packs.verify', { packId: 'none' })).rejects.toMatchObject({ code: 'pack' });
    expect((await client.call('packs.list', {}))[0]?.id).toBe('compact');
    expect((await client.call('providers.list', {})).some(({ chosen }) => chosen)).toBe(true);
  });
});
