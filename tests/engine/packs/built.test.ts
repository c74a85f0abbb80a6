import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { PackService } from '../../../engine/packs/service.ts';
import { GraphBuilder } from '../../../models/onnx/builder.ts';
import { compactPackFolder, randomTwin, readPack } from '../../../models/packs/index.ts';
import { startTestEngine } from '../../support/engine.ts';
import { testFolder, tinyPacks } from '../../support/music.ts';

const signal = new AbortController().signal;
const handmade = ['log-mel', 'mfcc', 'chroma', 'modulation', 'scattering'];

describe('packs that are built here', () => {
  it('are listed with every installation, written when first used, and never removed', async () => {
    const dataFolder = testFolder();
    const service = await PackService.open({ packFolders: [await tinyPacks()], dataFolder });
    expect(service.list().map(({ id }) => id)).toEqual(['compact', ...handmade]);
    const { folder, sha256 } = service.get('chroma');
    expect(existsSync(folder)).toBe(false);
    const runtime = await service.runtime('chroma');
    expect(await runtime.embed(new Float32Array(96_000), 1)).toHaveLength(24);
    expect((await readPack(folder)).sha256).toBe(sha256);
    expect((await service.verify('log-mel', signal)).ok).toBe(true);
    await expect(service.remove('chroma')).rejects.toMatchObject({ code: 'pack' });
    await service.close();
  });

  it.skipIf(process.arch !== 'x64')('are listed without building a graph', async () => {
    const build = vi.spyOn(GraphBuilder.prototype, 'build');
    const service = await PackService.open({ packFolders: [await tinyPacks()], dataFolder: testFolder() });
    build.mockClear();
    expect(service.list()).toHaveLength(6);
    service.encoderOf('none');
    service.featureGroups('mfcc');
    expect(build).not.toHaveBeenCalled();
    await service.runtime('chroma');
    expect(build).toHaveBeenCalledTimes(1);
    await service.close();
  });

  it('are written anew where another state of the application left other files', async () => {
    const options = { packFolders: [await tinyPacks()], dataFolder: testFolder() };
    const earlier = await PackService.open(options);
    const { folder, sha256 } = earlier.get('chroma');
    await earlier.runtime('chroma');
    await earlier.close();
    const manifest = join(folder, 'pack.json');
    writeFileSync(manifest, readFileSync(manifest, 'utf8').replace('"title":', '"title": "Other", "was":'));
    const service = await PackService.open(options);
    const runtime = await service.runtime('chroma');
    expect(await runtime.embed(new Float32Array(96_000), 1)).toHaveLength(24);
    expect((await readPack(folder)).sha256).toBe(sha256);
    await service.close();
  });

  it('name the twin of the compact pack by the hashes that shuffling gives', async () => {
    const compact = compactPackFolder();
    const service = await PackService.open({ packFolders: [join(compact, '..')], dataFolder: testFolder() });
    const twin = service.find('random-twin');
    const { manifest } = await randomTwin(await readPack(compact), 1);
    expect(twin?.manifest.graphs).toEqual(manifest.graphs);
    expect(twin?.manifest.kind).toBe('embedding-only');
    const runtime = await service.runtime('random-twin');
    expect(await runtime.embed(new Float32Array(96_000).fill(0.1), 1)).toHaveLength(256);
    await service.close();
  });

  it('make further spaces of a library', async () => {
    const { client } = await startTestEngine();
    const packs = await client.call('packs.list', {});
    expect(packs.filter(({ embedded }) => embedded).map(({ id }) => id)).toEqual(['compact', ...handmade]);
  });
});
