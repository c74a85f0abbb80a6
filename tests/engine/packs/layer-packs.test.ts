import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { LayerPacks } from '../../../engine/packs/layer-packs.ts';
import { compactPackFolder, readPack, verifyPack } from '../../../models/packs/index.ts';
import { testFolder } from '../../support/music.ts';

it('go with their pack, and are written again where they are asked for again', async () => {
  const folder = testFolder();
  // Of another pack, and no layer.
  for (const other of ['compacter-layer-blocks-1-0123456789abcdef', 'compact-layer-like-1.0.0'])
    mkdirSync(join(folder, other));
  const layers = new LayerPacks(folder);
  const compact = await readPack(compactPackFolder());
  const made = await layers.of(compact, 2);
  expect(layers.find(made.manifest.id)).toBe(made);
  expect(readdirSync(folder)).toHaveLength(3);

  await layers.removeAll('compact');
  expect(layers.find(made.manifest.id)).toBeNull();
  expect(readdirSync(folder).sort()).toEqual([
    'compact-layer-like-1.0.0',
    'compacter-layer-blocks-1-0123456789abcdef',
  ]);

  const again = await layers.of(compact, 2);
  expect(again.sha256).toBe(made.sha256);
  await verifyPack(again);
  await layers.keepOnly(new Set([again.sha256]));
  expect(layers.find(again.manifest.id)).toBe(again);
  expect(readdirSync(folder)).toHaveLength(2);
  await layers.keepOnly(new Set());
  expect(readdirSync(folder)).toEqual(['compact-layer-like-1.0.0']);
});
