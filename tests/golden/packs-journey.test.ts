import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { finished, importFolder, startTestEngine, tracksByPath } from '../support/engine.ts';
import { testFolder, tinyPacks, writeMusic } from '../support/music.ts';
import { sharedFolder } from '../support/shared.ts';
import { trainOn } from '../support/trained.ts';

const golden = sharedFolder('golden/pecmae/ckpt');

describe.skipIf(golden.missing)('a library on a pack from official checkpoints', () => {
  it('imports, trains, classifies and sonifies; a pack of the same encoder takes its embeddings over', async () => {
    const packFolders = [await tinyPacks(), testFolder()];
    const { client } = await startTestEngine({ packFolders });
    const add = async (paths: string[], id: string): Promise<void> => {
      const proposal = await client.call('packs.inspect', { origin: { kind: 'files', paths }, choices });
      const { jobId } = await client.call('packs.add', {
        origin: { kind: 'files', paths },
        choices: { ...choices, id },
        accepted: proposal.terms.map((terms) => terms.id),
      });
      expect(await finished(client, jobId, 'add-pack')).toMatchObject({ packId: id });
    };
    const choices = { encoderHeads: 4 };
    const autoencoder = golden.path('diffae_tiny/weights.pt');
    await add([autoencoder, golden.path('encodec_tiny.th')], 'official');
    await add([autoencoder], 'silent');

    const folder = writeMusic({ perClass: 6, seconds: 1 });
    const { library, result } = await importFolder(client, folder, { packId: 'official' });
    const libraryId = library.id;
    expect(library).toMatchObject({ packId: 'official' });
    // Windows of 0.4 s at 24 kHz, as the manifest says, not those of the pack that came along.
    expect(result.failed).toBe(0);
    expect(result.windows).toBe(18 * 3);

    const taxonomy = await client.call('taxonomies.create', { libraryId, source: { kind: 'folders' } });
    const experiment = await trainOn(client, libraryId, { taxonomyId: taxonomy.id });
    const { jobId } = await client.call('classify.library', { libraryId, experimentId: experiment.id });
    expect(await finished(client, jobId, 'classify')).toMatchObject({ tracks: 18 });
    const [prototype] = await client.call('prototypes.list', { libraryId, experimentId: experiment.id });
    expect(prototype).toBeDefined();
    const target = { kind: 'prototype' as const, experimentId: experiment.id, index: 0 };
    const sonified = await client.call('sonify.start', { libraryId, targets: [target], steps: 4 });
    const { sonifications } = await finished(client, sonified.jobId, 'sonify');
    expect(sonifications[0]?.sonification).toMatchObject({ steps: 4 });

    // Another pack of the same encoder: nothing is embedded anew, no sound and a sentence why. Nor when going back.
    const silent = await importFolder(client, folder, { packId: 'silent' });
    expect(silent.library).toMatchObject({ packId: 'silent' });
    expect(silent.result).toMatchObject({ imported: 0, unchanged: 18, failed: 0, windows: 0 });
    const [track] = [...(await tracksByPath(client, libraryId)).values()];
    const refused = await client.call('sonify.start', {
      libraryId,
      targets: [{ kind: 'track', trackId: track?.id ?? '' }],
    });
    await expect(finished(client, refused.jobId, 'sonify')).rejects.toMatchObject({
      code: 'pack',
      message: expect.stringMatching(/only makes embeddings/) as string,
    });
    const again = await importFolder(client, folder, { packId: 'official' });
    expect(again.result).toMatchObject({ imported: 0, unchanged: 18, failed: 0 });
    const resonified = await client.call('sonify.start', { libraryId, targets: [target], steps: 4 });
    expect((await finished(client, resonified.jobId, 'sonify')).sonifications).toHaveLength(1);

    await client.call('packs.remove', { packId: 'silent' });
    // Hand-made packs come after them.
    const left = (await client.call('packs.list', {})).map(({ id }) => id);
    expect(left.slice(0, 2)).toEqual(['compact', 'official']);
    expect(left).not.toContain('silent');
  });

  it('a wrong file fails with one sentence and leaves nothing', async () => {
    const packFolders = [await tinyPacks(), testFolder()];
    const { client } = await startTestEngine({ packFolders });
    const path = join(testFolder(), 'weights.pt');
    writeFileSync(path, '<html>Not found</html>');
    const before = await client.call('packs.list', {});
    const { jobId } = await client.call('packs.add', { origin: { kind: 'files', paths: [path] } });
    await expect(finished(client, jobId)).rejects.toMatchObject({
      code: 'pack',
      message: 'weights.pt: the file is a web page, not a checkpoint.',
    });
    expect(await client.call('packs.list', {})).toEqual(before);
  });
});
