import { cpSync, existsSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { download } from '../../../engine/packs/add/download.ts';
import { addPack, proposePack, type AddPackOptions } from '../../../engine/packs/add/add.ts';
import type { HubAddresses } from '../../../engine/packs/add/hub.ts';
import { PackService } from '../../../engine/packs/service.ts';
import { readPack } from '../../../models/packs/index.ts';
import { testFolder } from '../../support/music.ts';
import { startHub, type HubFile, type TestHub } from '../../support/model-hub.ts';
import { sharedFolder } from '../../support/shared.ts';
import { writeTinyPack } from '../../support/tiny-pack.ts';

const hubs: TestHub[] = [];
afterEach(async () => {
  await Promise.all(hubs.splice(0).map((hub) => hub.close()));
});

async function hub(files: Record<string, HubFile>, licence?: string): Promise<TestHub> {
  const started = await startHub(files, licence);
  hubs.push(started);
  return started;
}

const quick = { retryDelays: [10, 10] };

describe('download', () => {
  function payload(size: number): { path: string; bytes: Buffer } {
    const bytes = Buffer.alloc(size, 0).map((_, i) => (i * 31) & 0xff);
    const path = join(testFolder(), 'payload.bin');
    writeFileSync(path, bytes);
    return { path, bytes: Buffer.from(bytes) };
  }

  it('goes on where the connection broke, by Range, and never fetches a byte twice', async () => {
    const { path, bytes } = payload(300_000);
    const server = await hub({ 'f.bin': { path, breakAfter: [100_000, 50_000] } });
    const target = join(testFolder(), 'f.bin');
    await download(`${server.url}/f.bin`, target, quick);
    expect(readFileSync(target).equals(bytes)).toBe(true);
    expect(server.requests).toEqual(['GET /f.bin', 'GET /f.bin bytes=100000-', 'GET /f.bin bytes=150000-']);
    expect(existsSync(`${target}.part`)).toBe(false);
  });

  it('keeps what arrived when it is cancelled, and goes on with it later', async () => {
    const { path, bytes } = payload(200_000);
    const server = await hub({ 'f.bin': { path, breakAfter: [80_000] } });
    const target = join(testFolder(), 'f.bin');
    const controller = new AbortController();
    const running = download(`${server.url}/f.bin`, target, {
      signal: controller.signal,
      retryDelays: [60_000],
      onProgress: (done) => {
        if (done === 80_000) setTimeout(() => controller.abort(), 200);
      },
    });
    await expect(running).rejects.toMatchObject({ name: 'AbortError' });
    expect(existsSync(target)).toBe(false);
    await download(`${server.url}/f.bin`, target, quick);
    expect(readFileSync(target).equals(bytes)).toBe(true);
    expect(server.requests.at(-1)).toBe('GET /f.bin bytes=80000-');
  });

  it('starts over when the file on the server is another one now', async () => {
    const first = payload(200_000);
    const server = await hub({ 'f.bin': { path: first.path, breakAfter: [80_000] } });
    const target = join(testFolder(), 'f.bin');
    await expect(download(`${server.url}/f.bin`, target, { retryDelays: [] })).rejects.toMatchObject({
      code: 'unreadable',
      message: expect.stringMatching(/interrupted/) as string,
    });
    writeFileSync(first.path, Buffer.alloc(150_000, 7));
    await download(`${server.url}/f.bin`, target, quick);
    expect(readFileSync(target).equals(Buffer.alloc(150_000, 7))).toBe(true);
  });

  it('says what to do when there is no such file or no such server', async () => {
    const server = await hub({});
    await expect(download(`${server.url}/none`, join(testFolder(), 'x'), quick)).rejects.toMatchObject({
      message: expect.stringMatching(/There is no file at/) as string,
    });
    await server.close();
    await expect(download(`${server.url}/none`, join(testFolder(), 'x'), quick)).rejects.toMatchObject({
      message: expect.stringMatching(/interrupted: .*(ECONNREFUSED|refused)/) as string,
    });
  });
});

const golden = sharedFolder('golden/pecmae/ckpt');
const autoencoder = (): string => golden.path('diffae_tiny/weights.pt');
const codec = (): string => golden.path('encodec_tiny.th');
const terms = ['encodecmae2wav', 'encodecmae', 'encodec'];

describe.skipIf(golden.missing)('adding a pack', () => {
  function options(changes: Partial<AddPackOptions> & Pick<AddPackOptions, 'origin'>): AddPackOptions {
    return {
      choices: { encoderHeads: 4 },
      accepted: terms,
      packsFolder: join(testFolder(), 'packs'),
      addresses: nowhere,
      signal: new AbortController().signal,
      report: () => undefined,
      ...changes,
    };
  }
  const nowhere: HubAddresses = { hub: 'http://127.0.0.1:9', encodec: 'http://127.0.0.1:9/e.th' };
  const files = () => ({ kind: 'files' as const, paths: [autoencoder(), codec()] });

  it('proposes without writing, and wants the terms accepted', async () => {
    const proposal = await proposePack(files(), { encoderHeads: 4 }, nowhere);
    expect(proposal).toMatchObject({
      files: [
        { name: 'weights.pt', model: 'EnCodecMAE diffusion autoencoder' },
        { name: 'encodec_tiny.th', model: 'EnCodec 24 kHz' },
      ],
      pack: { id: 'pecmae-0_4s', kind: 'generative', soundless: null },
      downloadBytes: null,
    });
    expect(proposal.terms.map(({ id }) => id)).toEqual(terms);
    const half = await proposePack(files(), { encoderHeads: 4, precision: 'float16' }, nowhere);
    expect(half.pack).toMatchObject({
      id: 'pecmae-0_4s-float16',
      title: 'PECMAE, windows of 0.4 s, float16',
    });
    const refused = options({ origin: files(), accepted: ['encodec'] });
    await expect(addPack(refused)).rejects.toMatchObject({
      code: 'bad-input',
      message: expect.stringMatching(/terms are not accepted/) as string,
    });
    expect(readdirSync(refused.packsFolder)).toEqual([]);
  });

  it('adds, refuses the same name twice, removes', async () => {
    const embedded = testFolder();
    await writeTinyPack(join(embedded, 'compact'), { seed: 1, id: 'compact' });
    const add = options({ origin: files() });
    const { packId } = await addPack(add);
    const service = await PackService.open({
      packFolders: [embedded, add.packsFolder],
      dataFolder: testFolder(),
      threads: 1,
    });
    expect(service.addFolder).toBe(add.packsFolder);
    expect(
      service
        .list()
        .slice(0, 2)
        .map(({ id, embedded: own, sources }) => [id, own, sources.length]),
    ).toEqual([
      ['compact', true, 0],
      [packId, false, 2],
    ]);
    expect(await service.verify(packId, add.signal)).toMatchObject({ ok: true });
    await expect(addPack(add)).rejects.toMatchObject({
      message: expect.stringMatching(/there is a pack pecmae-0_4s already/) as string,
    });
    await service.runtime(packId);
    await expect(service.remove('compact')).rejects.toMatchObject({
      message: expect.stringMatching(/comes with Archetone/) as string,
    });
    await service.remove(packId);
    expect(service.list().map(({ id }) => id)).not.toContain(packId);
    expect(readdirSync(add.packsFolder)).toEqual([]);
    await service.close();
  });

  it('leaves nothing when it is cancelled on the way', async () => {
    for (const stopAt of ['encoder', 'decoder', 'self-test']) {
      const controller = new AbortController();
      const add = options({
        origin: files(),
        signal: controller.signal,
        report: ({ current }) => {
          if (current === stopAt) controller.abort();
        },
      });
      await expect(addPack(add)).rejects.toMatchObject({ name: 'AbortError' });
      expect(readdirSync(add.packsFolder)).toEqual([]);
    }
  });

  it('goes on with the graphs that a process finished before it died', async () => {
    const saved = join(testFolder(), 'work');
    const controller = new AbortController();
    const add = options({
      origin: files(),
      signal: controller.signal,
      report: ({ current }) => {
        if (current !== 'denoiser') return;
        cpSync(join(add.packsFolder, '.adding-pecmae-0_4s'), saved, { recursive: true });
        controller.abort();
      },
    });
    await expect(addPack(add)).rejects.toMatchObject({ name: 'AbortError' });
    // What a crash leaves: the folder under its working name, of a process that is gone, with half a graph.
    const work = join(add.packsFolder, '.adding-pecmae-0_4s');
    const state = JSON.parse(readFileSync(join(saved, 'work.json'), 'utf8')) as object;
    writeFileSync(join(saved, 'work.json'), JSON.stringify({ ...state, process: 2 ** 30 }));
    writeFileSync(join(saved, 'denoiser.onnx'), 'half');
    const before = new Date(2001, 1, 1);
    utimesSync(join(saved, 'features.onnx'), before, before);
    writeFileSync(join(saved, 'summary.onnx'), 'damaged');
    cpSync(saved, work, { recursive: true, preserveTimestamps: true });

    const { packId } = await addPack(options({ origin: files(), packsFolder: add.packsFolder }));
    const folder = join(add.packsFolder, packId);
    expect(statSync(join(folder, 'features.onnx')).mtime).toEqual(before);
    expect(readFileSync(join(folder, 'summary.onnx')).length).toBeGreaterThan(1000);
    expect(readdirSync(add.packsFolder)).toEqual([packId]);
    expect(readdirSync(folder)).not.toContain('work.json');
    const fresh = options({ origin: files() });
    await addPack(fresh);
    const graphs = async (packs: string) => (await readPack(join(packs, packId))).manifest.graphs;
    expect(await graphs(add.packsFolder)).toEqual(await graphs(fresh.packsFolder));
  });

  it('downloads from a hub with an interruption, checks, converts, and cleans up', async () => {
    const folder = 'lpepino/encodecmae2wav/models/DiffTransformerAE2L8L1CLS-4s';
    const server = await hub(
      {
        [`${folder}/weights.pt`]: { path: autoencoder(), breakAfter: [400_000] },
        [`${folder}/config.gin`]: { path: golden.path('diffae_tiny/config.gin') },
        'encodec/encodec_24khz.th': { path: codec() },
      },
      'mit',
    );
    const addresses = { hub: server.url, encodec: `${server.url}/encodec/encodec_24khz.th` };
    const origin = { kind: 'hub' as const, id: 'pecmae-4s' };
    const proposal = await proposePack(origin, {}, addresses);
    expect(proposal).toMatchObject({ pack: null, downloadBytes: 1121169 + 256 + 1028353 });
    expect(proposal.terms.at(-1)).toMatchObject({
      licence: 'mit',
      url: `${server.url}/lpepino/encodecmae2wav`,
    });
    const add = options({ origin, addresses, accepted: proposal.terms.map(({ id }) => id) });
    const { packId } = await addPack(add);
    expect(readdirSync(add.packsFolder).sort()).toEqual(['.downloads', packId]);
    expect(readdirSync(join(add.packsFolder, '.downloads'))).toEqual([]);
    const { manifest } = await readPack(join(add.packsFolder, packId));
    expect(manifest.windowSeconds).toBe(0.4);
    expect(manifest.sources).toMatchObject([
      {
        file: 'weights.pt',
        url: `${server.url}/${folder.replace('2wav/', '2wav/resolve/main/')}/weights.pt`,
      },
      { file: 'config.gin', bytes: 256 },
      { file: 'encodec_24khz.th', bytes: 1028353 },
    ]);
    expect(server.requests.filter((line) => line.includes('weights.pt bytes=400000-'))).toHaveLength(1);
  });

  it('does not keep a download that is no model, nor one with another hash than its name promises', async () => {
    const page = join(testFolder(), 'weights.pt');
    writeFileSync(page, '<!DOCTYPE html><title>Sign in</title>');
    const server = await hub({
      'a/b/weights.pt': { path: page },
      'e/encodec_24khz-00000000.th': { path: codec() },
    });
    const addresses = { hub: server.url, encodec: `${server.url}/e/encodec_24khz-00000000.th` };
    const accepted = [...terms, `${server.url}/a/b`];
    const add = options({ origin: { kind: 'hub', id: 'a/b' }, addresses, accepted });
    await expect(addPack(add)).rejects.toMatchObject({
      message: expect.stringMatching(/web page/) as string,
    });
    expect(readdirSync(join(add.packsFolder, '.downloads'))).toEqual([]);

    const folder = 'lpepino/encodecmae2wav/models/DiffTransformerAE2L8L1CLS-4s';
    const other = await hub({
      [`${folder}/weights.pt`]: { path: autoencoder() },
      'e/encodec_24khz-00000000.th': { path: codec() },
    });
    const wrong = options({
      origin: { kind: 'hub', id: 'pecmae-4s' },
      addresses: { hub: other.url, encodec: `${other.url}/e/encodec_24khz-00000000.th` },
      accepted: [...terms, `${other.url}/lpepino/encodecmae2wav`],
    });
    await expect(addPack(wrong)).rejects.toMatchObject({
      message: expect.stringMatching(/does not begin with 00000000/) as string,
    });
    expect(readdirSync(join(wrong.packsFolder, '.downloads', 'pecmae-4s'))).toEqual(['weights.pt']);
  });
});
