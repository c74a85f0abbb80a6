import { rename, symlink, truncate, unlink, writeFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import protobuf from 'protobufjs/minimal.js';
import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../../models/onnx/builder.ts';
import { openRuntime, readPack, verifyPack } from '../../../models/packs/index.ts';
import { referencesExternalData } from '../../../models/onnx/external-data.ts';
import { temporaryFolder } from '../../support/temporary.ts';
import { TINY, writeTinyPack, type TinyPackOptions } from '../../support/tiny-pack.ts';

async function tinyPack(options: Partial<TinyPackOptions> = {}) {
  return readPack(await writeTinyPack(await temporaryFolder(), { seed: 3, ...options }));
}

describe('verifyPack', () => {
  it('reports every graph of a good pack', async () => {
    const pack = await tinyPack({ fused: true });
    const report = await verifyPack(pack);
    expect(report.graphs.map((graph) => graph.name).sort()).toEqual([
      'decoder',
      'denoiser',
      'embed',
      'encoder',
      'features',
      'summary',
    ]);
    expect(report).toMatchObject({ packId: 'tiny', sha256: pack.sha256 });
  });

  it('accepts an embedding-only pack', async () => {
    await expect(verifyPack(await tinyPack({ kind: 'embedding-only' }))).resolves.toBeDefined();
  });

  it('finds a missing, a cut, a changed and a linked file', async () => {
    const pack = await tinyPack();
    const path = join(pack.folder, 'encoder.onnx');
    const bytes = await readFile(path);

    const changed = Uint8Array.from(bytes);
    changed[1000] = (changed[1000] ?? 0) ^ 1;
    await writeFile(path, changed);
    await expect(verifyPack(pack)).rejects.toMatchObject({ code: 'hash', file: 'encoder.onnx' });

    await truncate(path, 100);
    await expect(verifyPack(pack)).rejects.toMatchObject({ code: 'size', file: 'encoder.onnx' });

    await unlink(path);
    await expect(verifyPack(pack)).rejects.toMatchObject({ code: 'missing', file: 'encoder.onnx' });

    await writeFile(join(pack.folder, 'elsewhere'), bytes);
    await symlink(join(pack.folder, 'elsewhere'), path);
    await expect(verifyPack(pack)).rejects.toMatchObject({ code: 'unsafe-path', file: 'encoder.onnx' });

    await unlink(path);
    await rename(join(pack.folder, 'elsewhere'), path);
    await expect(verifyPack(pack)).resolves.toBeDefined();
  });

  it('stops when told to', async () => {
    const reason = new Error('stop');
    await expect(verifyPack(await tinyPack(), AbortSignal.abort(reason))).rejects.toBe(reason);
  });

  it('refuses bytes that are no model, though the hash fits', async () => {
    const text = new TextEncoder().encode('This is not a model.');
    const pack = await tinyPack({ replace: { encoder: text } });
    await expect(verifyPack(pack)).rejects.toMatchObject({ code: 'graph', file: 'encoder.onnx' });
  });

  it.each<[string, RegExp, (g: GraphBuilder) => void]>([
    [
      'a wrong input name',
      /inputs are frames/,
      (g) => identity(g, 'frames', 'hidden', ['batch', TINY.T, TINY.F]),
    ],
    [
      'a wrong output name',
      /no output named hidden/,
      (g) => identity(g, 'features', 'out', ['batch', TINY.T, TINY.F]),
    ],
    ['a wrong rank', /features is/, (g) => identity(g, 'features', 'hidden', ['batch', TINY.F])],
    ['a wrong size', /features is/, (g) => identity(g, 'features', 'hidden', ['batch', TINY.T, 7])],
    ['a fixed batch', /features is/, (g) => identity(g, 'features', 'hidden', [1, TINY.T, TINY.F])],
  ])('refuses a graph with %s', async (_, message, build) => {
    const g = new GraphBuilder('wrong');
    build(g);
    const pack = await tinyPack({ replace: { encoder: g.build() } });
    await expect(verifyPack(pack)).rejects.toMatchObject({
      code: 'graph',
      message: expect.stringMatching(message) as string,
    });
  });
});

describe('external data', () => {
  it('is refused at verification and when the graph is used', async () => {
    const plain = await tinyPack();
    const model = await readFile(join(plain.folder, 'encoder.onnx'));
    const pack = await tinyPack({ replace: { encoder: withExternalTensor(model) } });
    await expect(verifyPack(pack)).rejects.toMatchObject({ code: 'external-data', file: 'encoder.onnx' });
    const runtime = await openRuntime(pack);
    await expect(runtime.embed(new Float32Array(TINY.S), 1)).rejects.toMatchObject({ code: 'external-data' });
    await runtime.close();
  });

  it('is found in the body of a branch and in a function, and only there where it is', () => {
    const tensor = message([14, 1]);
    const inBranch = message([7, message([1, message([5, message([6, message([5, tensor])])])])]);
    const inFunction = message(
      [7, message([1, message([])])],
      [25, message([7, message([5, message([5, tensor])])])],
    );
    const inside = message([7, message([5, message([14, 0])])]);
    expect(referencesExternalData(inBranch)).toBe(true);
    expect(referencesExternalData(inFunction)).toBe(true);
    expect(referencesExternalData(inside)).toBe(false);
  });

  it('ends on damaged and on endlessly nested bytes', () => {
    let nested = message([14, 0]);
    for (let i = 0; i < 500; i++) nested = message([1, message([5, message([6, nested])])]);
    expect(() => referencesExternalData(message([7, nested]))).toThrow('nests too deeply');
    // Nodes of two bytes each, of which reading would make objects.
    const many = new Uint8Array(2 ** 24).map((_, i) => (i % 2 === 0 ? 0x0a : 0));
    expect(() => referencesExternalData(message([7, many]))).toThrow('more parts than any network');
    expect(() => referencesExternalData(Uint8Array.of(0x3a, 0x7f, 0x01))).toThrow('ends early');
    expect(() => referencesExternalData(new Uint8Array(0))).toThrow('no graph');
  });
});

/** Encodes a protobuf message from field numbers with varints or nested messages. */
function message(...fields: ([] | [number, number | Uint8Array])[]): Uint8Array {
  const writer = protobuf.Writer.create();
  for (const [field, value] of fields) {
    if (field === undefined) continue;
    if (typeof value === 'number') writer.uint32(field * 8).int32(value);
    else writer.uint32(field * 8 + 2).bytes(value ?? new Uint8Array());
  }
  return writer.finish();
}

/** A second `graph` field is merged into the first: the model now holds one more tensor, kept in /etc/passwd. */
function withExternalTensor(model: Uint8Array): Uint8Array {
  const location = message(
    [1, new TextEncoder().encode('location')],
    [2, new TextEncoder().encode('/etc/passwd')],
  );
  const tensor = message([1, 1], [2, 1], [8, new TextEncoder().encode('secret')], [13, location], [14, 1]);
  return Buffer.concat([model, message([7, message([5, tensor])])]);
}

function identity(g: GraphBuilder, input: string, output: string, dims: (string | number)[]): void {
  g.output(output, g.input(input, 'float32', dims), dims);
}
