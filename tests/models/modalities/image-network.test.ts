import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ImageCard } from '../../../models/modalities/image-card.ts';
import { openImageNetwork } from '../../../models/modalities/image-network.ts';
import type { Pixels } from '../../../models/modalities/picture.ts';
import { Random } from '../../../models/numerics/random.ts';
import { GraphBuilder } from '../../../models/onnx/builder.ts';
import { temporaryFolder } from '../../support/temporary.ts';

const [W, H, D] = [12, 8, 5];
const random = new Random(7);
const weights = random.normals(3 * D);
const noise = Uint8Array.from({ length: 3 * 31 * 17 }, () => Math.floor(256 * random.uniform()));
const picture: Pixels = { width: 31, height: 17, rgb: noise };

const json = (change: Partial<ImageCard> = {}): object => ({
  ...{ schema: 'archetone.image/1', name: 'random', input: 'pixels', output: 'map' },
  ...{ width: W, height: H, layout: 'nchw', divisor: 255, mean: [0.5, 0.4, 0.3], std: [0.2, 0.3, 0.4] },
  ...change,
});

/** A convolution of one pixel with random weights, and ReLU: `[1, D, h, w]`. */
function convolution(change: { constant?: boolean; nan?: boolean } = {}): Uint8Array {
  const g = new GraphBuilder('image');
  const x = g.input('pixels', 'float32', [1, 3, H, W]);
  const rows = g.transpose(g.reshape(x, [3, H * W]), [1, 0]);
  let y = g.max(g.matMul(rows, g.floats(weights, [3, D])), 0);
  if (change.constant) y = g.mul(y, 0);
  if (change.nan) y = g.log(g.sub(g.mul(y, 0), 1));
  g.output('map', g.reshape(g.transpose(y, [1, 0]), [1, D, H, W]), [1, D, H, W]);
  g.output('sum', g.reduceSum(y, [0, 1], false), []);
  return g.build();
}

async function written(graph: Uint8Array, card: object | string | null): Promise<string> {
  const path = join(await temporaryFolder(), 'network.onnx');
  writeFileSync(path, graph);
  if (card !== null)
    writeFileSync(path.replace('.onnx', '.json'), typeof card === 'string' ? card : JSON.stringify(card));
  return path;
}

/** Worked out from the description: middle part, mean of what falls onto each pixel, affine, convolution, ReLU, mean. */
function twin({ width, height, rgb }: Pixels, bgr: boolean): number[] {
  const scale = Math.min(width / W, height / H);
  const [cw, ch] = [Math.round(scale * W), Math.round(scale * H)];
  const [left, top] = [Math.floor((width - cw) / 2), Math.floor((height - ch) / 2)];
  const [mean, std] = [
    [0.5, 0.4, 0.3],
    [0.2, 0.3, 0.4],
  ];
  const sums = new Array<number>(D).fill(0);
  for (let y = 0; y < H; y++)
    for (let x = 0; x < W; x++) {
      const from = [top + Math.floor((y * ch) / H), left + Math.floor((x * cw) / W)] as const;
      const to = [top + Math.floor(((y + 1) * ch) / H), left + Math.floor(((x + 1) * cw) / W)] as const;
      const values = [0, 1, 2].map((c) => {
        const own: number[] = [];
        for (let row = from[0]; row < Math.max(from[0] + 1, to[0]); row++)
          for (let column = from[1]; column < Math.max(from[1] + 1, to[1]); column++)
            own.push(rgb[3 * (row * width + column) + (bgr ? 2 - c : c)] ?? NaN);
        const sample = own.reduce((a, b) => a + b, 0) / own.length;
        return (sample / 255 - (mean[c] ?? NaN)) / (std[c] ?? NaN);
      });
      for (let d = 0; d < D; d++) {
        const sum = values.reduce((total, value, c) => total + value * (weights[c * D + d] ?? NaN), 0);
        sums[d] = (sums[d] ?? 0) + Math.max(0, sum) / (W * H);
      }
    }
  return sums;
}

describe('an image network that somebody brought', () => {
  it.each(['rgb', 'bgr'] as const)('describes a picture as its twin does (%s)', async (channels) => {
    const network = await openImageNetwork(await written(convolution(), json({ channels })));
    expect(network.dim).toBe(D);
    expect(network.sha256).toMatch(/^[0-9a-f]{64}$/);
    const found = await network.describe(picture);
    twin(picture, channels === 'bgr').forEach((value, d) => expect(found[d]).toBeCloseTo(value, 5));
    await network.close();
  });

  it('looks at pictures of one pixel, and of odd shapes', async () => {
    const network = await openImageNetwork(await written(convolution(), json({ fit: 'squash' })));
    for (const [width, height] of [
      [1, 1],
      [1, 40],
      [300, 2],
    ] as const) {
      const rgb = new Uint8Array(3 * width * height).fill(200);
      expect((await network.describe({ width, height, rgb })).every(Number.isFinite)).toBe(true);
    }
    await network.close();
  });

  it('refuses a picture that it answers with another length', async () => {
    const g = new GraphBuilder('image');
    const x = g.reshape(g.input('pixels', 'float32', [1, 3, H, W]), [1, 3 * H * W]);
    // Shorter where all is dark.
    const bright = g.cast(g.greater(g.topK(x, 1, { largest: true }).values, 0), 'int64');
    const length = g.add(g.reshape(bright, [1]), g.integers([2]));
    g.output('map', g.slice(x, g.integers([0]), length, 1), [1, 'length']);
    const network = await openImageNetwork(await written(g.build(), json()));
    expect(await network.describe(picture)).toHaveLength(3);
    const dark = { ...picture, rgb: new Uint8Array(picture.rgb.length) };
    await expect(network.describe(dark)).rejects.toThrow(/differ in length/);
    await network.close();
  });

  it.skipIf(process.platform === 'win32')('is not waited for where it is a pipe', async () => {
    const path = await written(convolution(), null);
    const pipe = path.replace('.onnx', '.json');
    execFileSync('mkfifo', [pipe]);
    await expect(openImageNetwork(path)).rejects.toThrow(/is no description of a network/);
    rmSync(pipe);
    rmSync(path);
    writeFileSync(pipe, JSON.stringify(json()));
    execFileSync('mkfifo', [path]);
    await expect(openImageNetwork(path)).rejects.toThrow(/there is no file/);
  });

  it.each([
    ['no JSON', convolution(), null, /there is no .*network\.json/],
    ['no JSON at all', convolution(), '{', /is no JSON/],
    ['a JSON of another kind', convolution(), { schema: 'archetone.network/1' }, /does not fit: schema/],
    ['deviations of 0', convolution(), json({ std: [1, 0, 1] }), /std must be above 0/],
    ['no ONNX', new TextEncoder().encode('hello'), json(), /not an ONNX model/],
    ['another input', convolution(), json({ input: 'image' }), /takes “pixels”/],
    ['another output', convolution(), json({ output: 'z' }), /no float32 output “z”; it has “map”, “sum”/],
    [
      'another size',
      convolution(),
      json({ width: 16 }),
      /takes \[1, 3, 8, 12\], its JSON says \[1, 3, 8, 16\]/,
    ],
    ['another layout', convolution(), json({ layout: 'nhwc' }), /its JSON says \[1, 8, 12, 3\]/],
    ['a single number', convolution(), json({ output: 'sum' }), /no vector, tokens or map/],
    ['one answer to all', convolution({ constant: true }), json(), /the same whatever picture/],
    ['answers that are none', convolution({ nan: true }), json(), /not finite/],
  ])('is refused with %s', async (_, graph, card, message) => {
    await expect(openImageNetwork(await written(graph, card))).rejects.toMatchObject({
      name: 'CheckpointError',
      message: expect.stringMatching(message) as string,
    });
  });
});
