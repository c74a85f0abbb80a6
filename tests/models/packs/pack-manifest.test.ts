import { execFileSync } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { compactPackFolder, readPack } from '../../../models/packs/index.ts';
import { temporaryFolder } from '../../support/temporary.ts';
import { writeTinyPack } from '../../support/tiny-pack.ts';

let folder = '';
let original: Record<string, unknown> = {};
beforeAll(async () => {
  folder = await writeTinyPack(await temporaryFolder(), { seed: 1 });
  original = JSON.parse(await readFile(join(folder, 'pack.json'), 'utf8')) as Record<string, unknown>;
});

/** Reads the tiny pack with a changed manifest. */
async function readChanged(change: (manifest: Record<string, unknown>) => void) {
  const manifest = structuredClone(original);
  change(manifest);
  const changed = await temporaryFolder();
  await writeFile(join(changed, 'pack.json'), JSON.stringify(manifest));
  return readPack(changed);
}
const graphs = (manifest: Record<string, unknown>) =>
  manifest['graphs'] as Record<string, { file: string; sha256: string; bytes: number }>;

describe('readPack', () => {
  it('reads a valid manifest and identifies it by the hash of its bytes', async () => {
    const pack = await readPack(folder);
    expect(pack.manifest).toMatchObject({ id: 'tiny', windowSamples: 4000, sampler: { steps: 4 } });
    expect(pack.sha256).toMatch(/^[0-9a-f]{64}$/);
    await writeFile(join(folder, 'pack.json'), JSON.stringify(original));
    expect((await readPack(folder)).sha256).not.toBe(pack.sha256);
  });

  it('identifies its encoder by what has a part in vectors, and by nothing else', async () => {
    const { encoderSha256 } = await readPack(folder);
    const changed = async (change: (manifest: Record<string, unknown>) => void): Promise<string> =>
      (await readChanged(change)).encoderSha256;
    const otherHash = (name: string) => (manifest: Record<string, unknown>) =>
      ((graphs(manifest)[name] ?? { sha256: '' }).sha256 = 'a'.repeat(64));
    for (const name of ['features', 'encoder', 'summary'])
      expect(await changed(otherHash(name))).not.toBe(encoderSha256);
    for (const name of ['denoiser', 'decoder']) expect(await changed(otherHash(name))).toBe(encoderSha256);
    expect(
      await changed((m) => {
        Object.assign(m, { version: '2.0.0', title: 'Other', quality: { knn: 1 } });
        Object.assign(m, { sampler: { steps: 9, guidance: 0 } });
      }),
    ).toBe(encoderSha256);
    expect(
      await changed((m) => Object.assign(m, { windowSeconds: 1, windowSamples: 8000, framesPerWindow: 50 })),
    ).not.toBe(encoderSha256);
    // A fused graph makes the vectors alone.
    const fused = await readPack(await writeTinyPack(await temporaryFolder(), { seed: 1, fused: true }));
    expect(fused.encoderSha256).not.toBe(encoderSha256);
  });

  it('tolerates a quality card and fields it does not know', async () => {
    const pack = await readChanged((manifest) => {
      manifest['quality'] = { philharmonia: { knn: 0.7, figures: [1, 2, { deep: true }] } };
      manifest['note'] = 'something new';
      manifest['levels'] = { rmsDbfs: [-40, -20, -10], centroidHz: [300, 1000, 4000] };
    });
    expect(pack.manifest.quality).toHaveProperty('philharmonia.figures');
    expect(pack.manifest.levels?.rmsDbfs).toEqual([-40, -20, -10]);
  });

  it.each<[string, (manifest: Record<string, unknown>) => void]>([
    ['another schema', (m) => (m['schema'] = 'archetone.pack/2')],
    ['a folder as id', (m) => (m['id'] = '../tiny')],
    ['no licence', (m) => (m['licence'] = ' ')],
    ['a window that does not fit the rate', (m) => (m['windowSamples'] = 4001)],
    ['frames that do not fit the rate', (m) => (m['framesPerWindow'] = 40)],
    ['no sampler in a generative pack', (m) => delete m['sampler']],
    ['no decoder in a generative pack', (m) => delete graphs(m)['decoder']],
    ['no way to embed', (m) => delete graphs(m)['summary']],
    ['an unknown graph', (m) => (graphs(m)['extra'] = { file: 'x.onnx', sha256: '0'.repeat(64), bytes: 1 })],
    ['a graph of a gigabyte', (m) => ((graphs(m)['encoder'] ?? { bytes: 0 }).bytes = 2 ** 30)],
    ['a short hash', (m) => ((graphs(m)['encoder'] ?? { sha256: '' }).sha256 = 'abc')],
  ])('refuses %s', async (_, change) => {
    await expect(readChanged(change)).rejects.toMatchObject({ name: 'PackError', code: 'manifest' });
  });

  it('takes phase retrieval that fits into memory, and no other', async () => {
    const withSize = (size: number) =>
      readChanged((m) => {
        Object.assign(m, {
          windowSeconds: 60,
          windowSamples: 480_000,
          frameRate: 1000,
          framesPerWindow: 60_000,
        });
        m['phaseRetrieval'] = { size, hop: 8, rounds: 10, momentum: 0.5 };
      });
    expect((await withSize(1024)).manifest.phaseRetrieval).toMatchObject({ size: 1024 });
    await expect(withSize(2048)).rejects.toMatchObject({
      code: 'manifest',
      message: expect.stringContaining('phaseRetrieval') as string,
    });
  });

  it.each([
    '../encoder.onnx',
    '/etc/encoder.onnx',
    'a/b.onnx',
    'a\\b.onnx',
    'C:x.onnx',
    '.hidden.onnx',
    'a..onnx',
    'nul.onnx',
  ])('refuses the path %s', async (file) => {
    const changed = readChanged((m) => ((graphs(m)['encoder'] ?? { file: '' }).file = file));
    await expect(changed).rejects.toMatchObject({ code: 'unsafe-path' });
  });

  it.skipIf(process.platform === 'win32')('opens nothing but a file', async () => {
    const pipe = await temporaryFolder();
    execFileSync('mkfifo', [join(pipe, 'pack.json')]);
    await expect(readPack(pipe)).rejects.toMatchObject({ code: 'unsafe-path', file: 'pack.json' });
    const folder = await temporaryFolder();
    await mkdir(join(folder, 'pack.json'));
    await expect(readPack(folder)).rejects.toMatchObject({ code: 'unsafe-path', file: 'pack.json' });
  });

  it('names what is missing or broken, with a hint', async () => {
    const empty = await temporaryFolder();
    await expect(readPack(empty)).rejects.toMatchObject({ code: 'missing', file: 'pack.json' });
    await writeFile(join(empty, 'pack.json'), '{ "schema": ');
    const broken = await readPack(empty).catch((error: unknown) => error);
    expect(broken).toMatchObject({ code: 'manifest', message: 'pack.json is not JSON' });
    expect(broken).toHaveProperty('hint', expect.stringMatching(/\w+/));
    await writeFile(join(empty, 'pack.json'), ' '.repeat(2 * 1024 * 1024));
    await expect(readPack(empty)).rejects.toMatchObject({ code: 'size' });
  });
});

describe('compactPackFolder', () => {
  it('looks only where it is told, and says where it looked', async () => {
    const packs = await temporaryFolder();
    expect(() => compactPackFolder(packs)).toThrow(packs);
    await mkdir(join(packs, 'compact'));
    await writeTinyPack(join(packs, 'compact'), { seed: 1, id: 'compact' });
    expect(compactPackFolder(packs)).toBe(join(packs, 'compact'));
    await rm(join(packs, 'compact', 'pack.json'));
    expect(() => compactPackFolder(packs)).toThrow('is not in');
  });
});
