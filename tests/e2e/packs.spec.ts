import { cpSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, launch, temporaryFolder, test } from './support/app.ts';
import type { RunningApp } from './support/app.ts';
import { sharedFolder } from './support/shared.ts';
import { answerDialogs, go, screenshots } from './support/steps.ts';
import { headGraph, writeHead } from '../support/heads.ts';
import { essentiaJson, taggerGraph, writeNetwork } from '../support/networks.ts';

test.describe.configure({ mode: 'serial' });

const golden = sharedFolder('golden/pecmae/ckpt');

let running: RunningApp;
let userData: string;
let models: string;

test.skip(golden.missing, 'the reference checkpoints are not beside the repository');

test.beforeAll(async () => {
  userData = temporaryFolder('packs');
  models = temporaryFolder('packs-models');
  mkdirSync(join(models, 'ae'));
  cpSync(golden.path('diffae_tiny/weights.pt'), join(models, 'ae/weights.pt'));
  // The tiny EnCodecMAE has 4 heads, which the published configuration of an autoencoder does not say.
  writeFileSync(
    join(models, 'ae/config.gin'),
    'MAX_AUDIO_DURATION=0.4\nNUM_ENCODER_HEADS=4\nmodels.TransformerAEDiffusion.num_heads=6\n',
  );
  cpSync(golden.path('encodec_tiny.th'), join(models, 'encodec.th'));
  writeFileSync(join(models, 'page.pt'), '<!DOCTYPE html><html>sign in</html>');
  running = await launch(userData);
});

test.afterAll(async () => {
  await running.app.close();
  rmSync(userData, { recursive: true, force: true });
  rmSync(models, { recursive: true, force: true });
});

async function choose(name: string): Promise<void> {
  await answerDialogs(running.app, join(models, name));
  await running.page.getByTestId('add-pack-choose').click();
}

test('a wrong file gets one clear sentence, and nothing is left', async () => {
  const { page } = running;
  await go(page, 'packs');
  await expect(page.getByTestId('pack-licences').first()).toContainText('CC-BY-SA-4.0');
  await choose('page.pt');
  await expect(page.getByTestId('add-pack-problem')).toContainText(
    'page.pt: the file is a web page, not a checkpoint',
  );
  // The compact pack, five hand-made spaces and the random twin.
  await expect(page.getByTestId('pack')).toHaveCount(7);
});

test('an autoencoder and EnCodec become a generative pack, after the terms are accepted', async () => {
  const { page } = running;
  await choose('encodec.th');
  await expect(page.getByTestId('add-pack-problem')).toContainText('EnCodec alone makes no embeddings');
  await choose('ae/weights.pt');
  await expect(page.getByTestId('add-pack-result')).toContainText('embeds and sonifies');
  const start = page.getByTestId('add-pack-start');
  await expect(start).toBeDisabled();
  await page.getByTestId('add-pack-accept').check();
  await start.click();
  const card = page.locator('[data-testid=pack][data-pack=pecmae-0_4s]');
  await expect(card).toBeVisible({ timeout: 60_000 });
  await expect(card).toContainText('generative');
  await expect(card).toContainText('encodec.th');
  expect(readdirSync(join(userData, 'packs'))).toEqual(['pecmae-0_4s']);
  await card.getByTestId('pack-verify').click();
  await expect(card.getByTestId('pack-verification')).toHaveAttribute('data-ok', 'true', { timeout: 30_000 });
});

test('the same model in float16 stands beside it, and says what that costs', async () => {
  const { page } = running;
  await choose('ae/weights.pt');
  await page.getByTestId('add-pack-precision').selectOption('float16');
  await expect(page.getByTestId('add-pack-result')).toContainText('pecmae-0_4s-float16');
  await page.getByTestId('add-pack-accept').check();
  await page.getByTestId('add-pack-start').click();
  const card = page.locator('[data-testid=pack][data-pack=pecmae-0_4s-float16]');
  await expect(card).toBeVisible({ timeout: 60_000 });
  await expect(card).toContainText('precision.encoder.relativeRms');
  await card.getByTestId('pack-remove').click();
  await page.getByTestId('confirm').click();
  await expect(card).toHaveCount(0);
});

test('a network with its JSON becomes a pack behind a front-end, once its licence is accepted', async () => {
  const { page } = running;
  const sizes = { frames: 128, bands: 96, dim: 16, classes: 6 };
  const network = writeNetwork(models, 'effnet', taggerGraph(sizes).onnx, undefined);
  // The journey before left it at float16, which is for checkpoints.
  await page.getByTestId('add-pack-precision').selectOption('float32');
  await choose('effnet.onnx');
  await expect(page.getByTestId('add-pack-problem')).toContainText('effnet.json: the file cannot be read');
  writeFileSync(network.replace('.onnx', '.json'), JSON.stringify(essentiaJson()));
  await choose('effnet.onnx');
  await expect(page.getByTestId('add-pack-result')).toContainText('only embeds');
  await expect(page.getByTestId('add-pack-non-commercial')).toBeVisible();
  await page.getByTestId('add-pack-accept').check();
  await page.getByTestId('add-pack-start').click();
  const card = page.locator('[data-testid=pack][data-pack=discogs-effnet-bsdynamic]');
  await expect(card).toBeVisible({ timeout: 60_000 });
  await expect(card.getByTestId('pack-non-commercial')).toBeVisible();
  await screenshots(page, 'packs-network');

  // A head of it, from files of its own.
  writeHead(models, 'danceability', headGraph({ dim: 16, hidden: 12, classes: 2 }).onnx);
  await choose('danceability.onnx');
  await expect(page.getByTestId('add-head-result')).toContainText('danceable, not_danceable');
  await expect(page.getByTestId('add-head-of')).toHaveValue('discogs-effnet-bsdynamic');
  await screenshots(page, 'packs-head');
  await page.getByTestId('add-pack-accept').check();
  await page.getByTestId('add-pack-start').click();
  const head = card.locator('[data-head=danceability]');
  await expect(head).toBeVisible({ timeout: 60_000 });
  await head.scrollIntoViewIfNeeded();
  await screenshots(page, 'packs-heads');
  await head.getByTestId('head-remove').click();
  await page.getByTestId('confirm').click();
  await expect(head).toHaveCount(0);
  await card.getByTestId('pack-remove').click();
  await page.getByTestId('confirm').click();
  await expect(card).toHaveCount(0);
});

test('it can be removed', async () => {
  const { page } = running;
  const card = page.locator('[data-testid=pack][data-pack=pecmae-0_4s]');
  await card.getByTestId('pack-remove').click();
  await page.getByTestId('confirm').click();
  await expect(card).toHaveCount(0);
  // What is left of heads is an empty folder, which is no pack.
  expect(readdirSync(join(userData, 'packs')).filter((name) => name !== '.heads')).toEqual([]);
});
