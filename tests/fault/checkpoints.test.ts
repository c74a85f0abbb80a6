import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { CheckpointError, openCheckpoint, type CheckpointErrorCode } from '../../models/checkpoint/index.ts';
import { inspectFiles } from '../../models/conversion/index.ts';
import { testFolder } from '../support/music.ts';
import { sharedFolder } from '../support/shared.ts';
import { PickleWriter, StoredZip, writeTorchFile } from '../support/torch-writer.ts';

/** A file that must be refused, what it is, and how. */
interface Hostile {
  what: string;
  make: (path: string) => void;
  code: CheckpointErrorCode;
  /** Name of the file; default `model.pt`. */
  name?: string;
}

const golden = sharedFolder('golden/pecmae/ckpt');
const ones = (_: string, elements: number): Float32Array => new Float32Array(elements).fill(1);
const good = (path: string): void =>
  writeTorchFile(
    path,
    [
      { name: 'a', shape: [64, 32] },
      { name: 'b', shape: [7] },
    ],
    { fill: ones },
  );

function bytesOfGood(path: string): Buffer {
  good(path);
  return readFileSync(path);
}

/** A zip with one pickle in it, and no data. */
function pickled(build: (writer: PickleWriter) => PickleWriter): (path: string) => void {
  return (path) => {
    const zip = new StoredZip(path);
    zip.add('archive/data.pkl', build(new PickleWriter().raw('\x80\x02')).raw('.').bytes());
    zip.add('archive/data/0', Buffer.alloc(16));
    zip.close();
  };
}

/** A tensor in a dict; `view` gives offset, sizes and strides, `numel` what the storage claims to have. */
function tensor(
  writer: PickleWriter,
  view: { offset?: number; shape: number[]; strides: number[]; numel?: number },
): PickleWriter {
  const { offset = 0, shape, strides, numel = 4 } = view;
  return writer
    .raw('}(')
    .text('a')
    .global('torch._utils', '_rebuild_tensor_v2')
    .raw('((')
    .text('storage')
    .global('torch', 'FloatStorage')
    .text('0')
    .text('cpu')
    .int(numel)
    .raw('tQ')
    .int(offset)
    .tuple(shape)
    .tuple(strides)
    .raw('\x89}tRu');
}

/** A pickle that asks `os.system` to build what it is asked for. */
const call = (writer: PickleWriter): PickleWriter =>
  writer.global('posix', 'system').raw('(').text('echo owned').raw('tR');

const files: readonly Hostile[] = [
  { what: 'an empty file', make: (p) => writeFileSync(p, ''), code: 'not-a-checkpoint' },
  {
    what: 'an HTML error page saved as .pt',
    make: (p) => writeFileSync(p, '<!DOCTYPE html><html><title>404</title></html>'),
    code: 'not-a-checkpoint',
  },
  {
    what: 'a text file',
    make: (p) => writeFileSync(p, 'Weights will follow soon.\n'),
    code: 'not-a-checkpoint',
  },
  {
    what: 'a JSON error of the hub',
    make: (p) => writeFileSync(p, '{"error":"Repository not found"}'),
    code: 'not-a-checkpoint',
  },
  {
    what: 'a Git LFS pointer',
    make: (p) =>
      writeFileSync(p, 'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 403000000\n'),
    code: 'not-a-checkpoint',
  },
  {
    what: 'a gzip file',
    make: (p) => writeFileSync(p, Buffer.from([0x1f, 0x8b, 8, 0, 0, 0])),
    code: 'not-a-checkpoint',
  },
  {
    what: 'a plain pickle',
    make: (p) => writeFileSync(p, new PickleWriter().raw('\x80\x04}.').bytes()),
    code: 'not-a-checkpoint',
  },
  {
    what: 'a tar file (torch before 0.1.10)',
    make: (p) => {
      const tar = Buffer.alloc(1024);
      tar.write('ustar', 257);
      writeFileSync(p, tar);
    },
    code: 'unsupported',
  },
  {
    what: 'a zip of something else',
    make: (p) => {
      const zip = new StoredZip(p);
      zip.add('word/document.xml', Buffer.from('<w/>'));
      zip.close();
    },
    code: 'not-a-checkpoint',
  },
  {
    what: 'a torch zip cut off in its data',
    make: (p) => writeFileSync(p, bytesOfGood(p).subarray(0, 3000)),
    code: 'truncated',
  },
  {
    what: 'a zip bomb: a compressed entry of 1 GB',
    make: (p) => {
      const zip = new StoredZip(p);
      zip.add('archive/data.pkl', Buffer.from('x'), { method: 8, size: 1e9 });
      zip.close();
    },
    code: 'unsupported',
  },
  {
    what: 'an entry larger than the file',
    make: (p) => {
      const zip = new StoredZip(p);
      zip.add('archive/data.pkl', Buffer.from('\x80\x02}.', 'latin1'));
      zip.add('archive/data/0', Buffer.alloc(16), { size: 2e9 });
      zip.close();
    },
    code: 'malformed',
  },
  {
    what: 'overlapping entries',
    make: (p) => {
      const zip = new StoredZip(p);
      zip.add('archive/data.pkl', Buffer.from('\x80\x02}.', 'latin1'));
      zip.add('archive/data/0', Buffer.alloc(64), { offset: 0 });
      zip.close();
    },
    code: 'malformed',
  },
  {
    what: 'two entries of one name',
    make: (p) => {
      const zip = new StoredZip(p);
      zip.add('archive/data.pkl', Buffer.from('\x80\x02}.', 'latin1'));
      zip.add('archive/data.pkl', Buffer.from('\x80\x02].', 'latin1'));
      zip.close();
    },
    code: 'malformed',
  },
  {
    what: 'path traversal in an entry',
    make: (p) => {
      const zip = new StoredZip(p);
      zip.add('../../etc/data.pkl', Buffer.from('\x80\x02}.', 'latin1'));
      zip.close();
    },
    code: 'malformed',
  },
  { what: 'a state dict built by a call of os.system', make: pickled(call), code: 'unsafe' },
  {
    what: 'the same with an instruction beyond the allowed ones (INST)',
    make: pickled((w) => w.raw('(').text('echo owned').raw('iposix\nsystem\n')),
    code: 'unsupported',
  },
  { what: 'an extension registry code (EXT1)', make: pickled((w) => w.raw('\x82\x01')), code: 'unsupported' },
  {
    what: 'a dict that contains itself (cyclic memo)',
    make: pickled((w) => w.raw('}q\0').text('a').raw('h\0s')),
    code: 'malformed',
  },
  {
    what: 'a reference to an object that is not there',
    make: pickled((w) => w.raw('h\x05')),
    code: 'malformed',
  },
  { what: 'a pickle that ends early', make: pickled((w) => w.raw('X\xff\xff\xff\x7f')), code: 'malformed' },
  {
    what: 'an absurd shape, by strides of 0',
    make: pickled((w) => tensor(w, { shape: [2 ** 40, 1000], strides: [0, 0] })),
    code: 'malformed',
  },
  {
    what: 'a shape beyond what can be counted',
    make: pickled((w) => tensor(w, { shape: [2 ** 50, 2 ** 50], strides: [1, 1] })),
    code: 'malformed',
  },
  {
    what: 'a negative offset',
    make: pickled((w) => tensor(w, { offset: -1, shape: [4], strides: [1] })),
    code: 'malformed',
  },
  {
    what: 'a view that leaves its storage',
    make: pickled((w) => tensor(w, { offset: 1, shape: [4], strides: [1] })),
    code: 'malformed',
  },
  {
    what: 'a storage that claims more than the file holds',
    make: pickled((w) => tensor(w, { shape: [1e6], strides: [1], numel: 1e6 })),
    code: 'malformed',
  },
  {
    what: 'a list named again and again (quadratic work)',
    make: pickled((w) => {
      w.raw('](');
      for (let i = 0; i < 10_000; i++) w.raw('K\x01');
      w.raw('eq\0');
      for (let i = 0; i < 10_000; i++) w.global('torch', 'Size').raw('h\0\x85R0');
      return w.raw('}');
    }),
    code: 'malformed',
  },
  {
    what: 'a safetensors header longer than the file',
    make: (p) =>
      writeFileSync(p, Buffer.concat([Buffer.from([255, 255, 255, 0, 0, 0, 0, 0]), Buffer.from('{"a":1}')])),
    code: 'malformed',
    name: 'model.safetensors',
  },
  {
    what: 'overlapping safetensors',
    make: (p) => {
      const header = Buffer.from(
        '{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}',
      );
      const length = Buffer.alloc(8);
      length.writeBigUInt64LE(BigInt(header.length));
      writeFileSync(p, Buffer.concat([length, header, Buffer.alloc(12)]));
    },
    code: 'malformed',
    name: 'model.safetensors',
  },
  { what: 'a different model', make: good, code: 'unknown-model' },
];

const goldenFiles: readonly Hostile[] = [
  {
    what: 'os.system beside a good tensor, offered as a model (reference material)',
    make: (p) => writeFileSync(p, readFileSync(golden.path('hostile_reduce_os_system.pt'))),
    code: 'unknown-model',
  },
  {
    what: 'a legacy stream cut off in its data',
    make: (p) => writeFileSync(p, readFileSync(golden.path('encodec_tiny_legacy.th')).subarray(0, 500_000)),
    code: 'truncated',
  },
  {
    what: 'a legacy stream cut off in its index',
    make: (p) => writeFileSync(p, readFileSync(golden.path('encodec_tiny_legacy.th')).subarray(0, 5000)),
    code: 'truncated',
  },
  {
    what: 'a trained prototype network',
    make: (p) => writeFileSync(p, readFileSync(golden.path('protonet_tiny/lightning.ckpt'))),
    code: 'unknown-model',
  },
  {
    what: 'EnCodec alone',
    make: (p) => writeFileSync(p, readFileSync(golden.path('encodec_tiny.th'))),
    code: 'incomplete',
  },
  ...(
    [
      ['a binary file as config.gin', '\0\x01\x02'],
      ['an HTML page as config.gin', '<!DOCTYPE html>\n<html><body>sign in</body></html>'],
      ['a config.gin with a window of a billion seconds', 'MAX_AUDIO_DURATION=1e9\n'],
      ['a config.gin with 7 heads on 48 numbers', 'NUM_ENCODER_HEADS=7\nMAX_AUDIO_DURATION=0.4\n'],
    ] as const
  ).map(([what, gin]): Hostile => ({
    what,
    make: (p) => {
      writeFileSync(p, readFileSync(golden.path('ecmae_v1_tiny/model.pt')));
      writeFileSync(join(p, '../config.gin'), gin);
    },
    code: 'bad-config',
  })),
];

const documented = resolve(import.meta.dirname, '../../docs/checkpoints-hostile.md');

describe('files that are no usable checkpoint', () => {
  const rows: string[] = [];
  let loudest = 0;

  beforeAll(() => {
    loudest = process.memoryUsage().rss;
  });

  async function isRefused({ what, make, code, name = 'model.pt' }: Hostile): Promise<void> {
    const path = join(testFolder(), name);
    make(path);
    const thrown: unknown = await inspectFiles([path]).catch((error: unknown) => error);
    expect(thrown).toBeInstanceOf(CheckpointError);
    if (!(thrown instanceof CheckpointError)) return;
    expect(thrown.code).toBe(code);
    expect(thrown.message).not.toMatch(/undefined|\[object/);
    expect(thrown.hint.length).toBeGreaterThan(10);
    if (code === 'unsafe') expect(thrown).toMatchObject({ global: 'posix.system', offset: 2 });
    rows.push(`| ${what} | ${code} | ${cell(thrown.message)} | ${cell(thrown.hint)} |`);
    // None of them may make the reader allocate what it claims to hold.
    expect(process.memoryUsage().rss - loudest).toBeLessThan(600e6);
  }

  it.each(files)('$what: $code', isRefused);
  it.skipIf(golden.missing).each(goldenFiles)('$what: $code', isRefused);

  it.skipIf(golden.missing)('the table in the documentation is what happens', async () => {
    const table = ['| file | code | what is said | what to do |', '| --- | --- | --- | --- |', ...rows].join(
      '\n',
    );
    const head =
      '# Files that are refused\n\nMade by tests/fault/checkpoints.test.ts; with ARCHETONE_WRITE_TABLES=1 it writes this page (then format it).\n';
    const page = `${head}\n${table}\n`;
    if (process.env['ARCHETONE_WRITE_TABLES']) await writeFile(documented, page);
    // How wide the columns are is the formatter's affair.
    const squeezed = (text: string): string =>
      text
        .replace(/[ \t]*\|[ \t]*/g, '|')
        .replace(/-{3,}/g, '---')
        .replace(/\\([_*])/g, '$1');
    expect(squeezed(await readFile(documented, 'utf8'))).toBe(squeezed(page));
  });
});

describe.skipIf(process.platform === 'win32')('a pipe in the place of a checkpoint', () => {
  it('is refused without being opened: nobody may ever write to it', async () => {
    const path = join(testFolder(), 'weights.pt');
    execFileSync('mkfifo', [path]);
    await expect(openCheckpoint(path)).rejects.toMatchObject({ name: 'CheckpointError', code: 'io' });
  });
});

describe('a tensor that only code could build', () => {
  it('is refused by name, and does not keep the others from being read', async () => {
    const path = join(testFolder(), 'model.pt');
    const zip = new StoredZip(path);
    const writer = new PickleWriter().raw('\x80\x02}(').text('bad');
    call(writer).text('hooked').global('functools', 'partial').raw('}\x85R').text('a');
    writer
      .global('torch._utils', '_rebuild_tensor_v2')
      .raw('((')
      .text('storage')
      .global('torch', 'FloatStorage');
    writer.text('0').text('cpu').int(4).raw('tQ').int(0).tuple([4]).tuple([1]).raw('\x89}tRu.');
    zip.add('archive/data.pkl', writer.bytes());
    zip.add('archive/data/0', Buffer.from(Float32Array.of(1, 2, 3, 4).buffer));
    zip.close();
    const checkpoint = await openCheckpoint(path);
    expect([...((await checkpoint.read('a')).data as Float32Array)]).toEqual([1, 2, 3, 4]);
    expect(checkpoint.refused.map(({ global }) => global)).toEqual(['posix.system', 'functools.partial']);
    await expect(checkpoint.read('bad')).rejects.toMatchObject({ code: 'unsafe', global: 'posix.system' });
    await expect(checkpoint.read('none')).rejects.toMatchObject({ code: 'missing-tensor' });
    await checkpoint.close();
  });
});

describe('memory', () => {
  it('reading the largest tensor takes less than 1.5 times its size, contiguous or transposed', async () => {
    const path = join(testFolder(), 'large.pt');
    const side = 6000;
    writeTorchFile(
      path,
      [
        { name: 'plain', shape: [side, side] },
        { name: 'turned', shape: [side, side], storage: 'plain', strides: [1, side] },
        { name: 'other', shape: [side, side] },
      ],
      { fill: (name, elements) => new Float32Array(elements).fill(name === 'plain' ? 1 : 2) },
    );
    const checkpoint = await openCheckpoint(path);
    for (const name of ['plain', 'turned', 'other']) {
      globalThis.gc?.();
      const before = process.memoryUsage().arrayBuffers;
      let peak = 0;
      const timer = setInterval(() => (peak = Math.max(peak, process.memoryUsage().arrayBuffers)), 1);
      const { data } = await checkpoint.read(name);
      clearInterval(timer);
      peak = Math.max(peak, process.memoryUsage().arrayBuffers);
      expect(data[side + 1]).toBe(name === 'other' ? 2 : 1);
      expect(peak - before).toBeLessThan(1.5 * side * side * 4);
    }
    await checkpoint.close();
  });
});

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}
