import { closeSync, openSync, writeSync } from 'node:fs';
import { crc32 } from 'node:zlib';

/** A tensor to be written; tensors with one `storage` share their numbers. */
export interface TorchTensor {
  name: string;
  shape: readonly number[];
  /** Default: the tensor's own name. */
  storage?: string;
  /** Where it begins in its storage; default 0. */
  offset?: number;
  /** Default: row-major. */
  strides?: readonly number[];
}

export interface TorchFileOptions {
  /** Whether the state dict is the value of `state_dict` (default) or the top object, as in EnCodec's file. */
  wrapped?: boolean;
  /** Bytes of a storage, given its name and the number of its elements. */
  fill: (storage: string, elements: number) => Float32Array;
}

const ALIGNMENT = 64;

/**
 * Writes float32 tensors as `torch.save` does since 1.6: a zip of stored entries whose local headers are empty, with the
 * data 64-byte aligned. Storages are made and written one by one.
 */
export function writeTorchFile(
  path: string,
  tensors: readonly TorchTensor[],
  { wrapped = true, fill }: TorchFileOptions,
): void {
  const storages = new Map<string, { key: string; elements: number }>();
  for (const tensor of tensors) {
    const name = tensor.storage ?? tensor.name;
    const end = (tensor.offset ?? 0) + product(tensor.shape);
    const known = storages.get(name);
    if (known) known.elements = Math.max(known.elements, end);
    else storages.set(name, { key: String(storages.size), elements: end });
  }
  const zip = new StoredZip(path);
  zip.add('archive/data.pkl', pickleOf(tensors, storages, wrapped));
  zip.add('archive/byteorder', Buffer.from('little'));
  for (const [name, { key, elements }] of storages) {
    const data = fill(name, elements);
    zip.add(`archive/data/${key}`, Buffer.from(data.buffer, data.byteOffset, data.byteLength));
  }
  zip.add('archive/version', Buffer.from('3\n'));
  zip.close();
}

function pickleOf(
  tensors: readonly TorchTensor[],
  storages: ReadonlyMap<string, { key: string; elements: number }>,
  wrapped: boolean,
): Buffer {
  const out = new PickleWriter();
  const dict = (): PickleWriter => out.global('collections', 'OrderedDict').raw(')R');
  out.raw('\x80\x02');
  if (wrapped) out.raw('}(').text('state_dict');
  dict().raw('(');
  for (const tensor of tensors) {
    const storage = storages.get(tensor.storage ?? tensor.name);
    if (!storage) throw new Error(`no storage for ${tensor.name}`);
    out.text(tensor.name).global('torch._utils', '_rebuild_tensor_v2').raw('((').text('storage');
    out.global('torch', 'FloatStorage').text(storage.key).text('cpu').int(storage.elements).raw('tQ');
    out
      .int(tensor.offset ?? 0)
      .tuple(tensor.shape)
      .tuple(tensor.strides ?? rowMajor(tensor.shape))
      .raw('\x89');
    dict().raw('tR');
  }
  out.raw('u');
  if (wrapped) out.raw('u');
  return out.raw('.').bytes();
}

/** Just enough of a pickler to write what torch writes, and what it never would. */
export class PickleWriter {
  readonly #parts: Buffer[] = [];

  raw(instructions: string): this {
    this.#parts.push(Buffer.from(instructions, 'latin1'));
    return this;
  }
  text(text: string): this {
    const bytes = Buffer.from(text);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(bytes.length);
    this.raw('X');
    this.#parts.push(length, bytes);
    return this;
  }
  int(value: number): this {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(BigInt(value));
    this.raw('\x8a\x08');
    this.#parts.push(bytes);
    return this;
  }
  tuple(values: readonly number[]): this {
    this.raw('(');
    for (const value of values) this.int(value);
    return this.raw('t');
  }
  global(module: string, name: string): this {
    return this.raw(`c${module}\n${name}\n`);
  }
  bytes(): Buffer {
    return Buffer.concat(this.#parts);
  }
}

/** A zip of uncompressed entries, written as it grows. */
export class StoredZip {
  readonly #file: number;
  readonly #central: Buffer[] = [];
  #at = 0;

  constructor(path: string) {
    this.#file = openSync(path, 'w');
  }

  /** @param changes what the directory claims instead of the truth, for files that lie */
  add(name: string, data: Buffer, changes: { method?: number; size?: number; offset?: number } = {}): void {
    const encoded = Buffer.from(name);
    const header = 30 + encoded.length;
    const pad = (ALIGNMENT - ((this.#at + header + 4) % ALIGNMENT)) % ALIGNMENT;
    const local = Buffer.alloc(header + 4 + pad, 'Z');
    local.fill(0, 0, 30);
    local.writeUInt32LE(0x04034b50, 0);
    // Sizes and checksum follow the data, says this flag, as in torch's files.
    local.writeUInt16LE(0x0808, 6);
    local.writeUInt16LE(encoded.length, 26);
    local.writeUInt16LE(4 + pad, 28);
    encoded.copy(local, 30);
    local.write('FB', header, 'latin1');
    local.writeUInt16LE(pad, header + 2);
    const size = changes.size ?? data.length;
    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(0x02014b50, 0);
    entry.writeUInt16LE(0x0808, 8);
    entry.writeUInt16LE(changes.method ?? 0, 10);
    entry.writeUInt32LE(crc32(data), 16);
    entry.writeUInt32LE(changes.method ? data.length : size, 20);
    entry.writeUInt32LE(size, 24);
    entry.writeUInt16LE(encoded.length, 28);
    entry.writeUInt32LE(changes.offset ?? this.#at, 42);
    this.#central.push(entry, encoded);
    this.#write(local);
    this.#write(data);
  }

  close(): void {
    const central = Buffer.concat(this.#central);
    const end = Buffer.alloc(22);
    end.writeUInt32LE(0x06054b50, 0);
    end.writeUInt16LE(this.#central.length / 2, 8);
    end.writeUInt16LE(this.#central.length / 2, 10);
    end.writeUInt32LE(central.length, 12);
    end.writeUInt32LE(this.#at, 16);
    this.#write(central);
    this.#write(end);
    closeSync(this.#file);
  }

  #write(bytes: Buffer): void {
    for (let done = 0; done < bytes.length;) done += writeSync(this.#file, bytes, done);
    this.#at += bytes.length;
  }
}

function rowMajor(shape: readonly number[]): number[] {
  return shape.map((_, axis) => product(shape.slice(axis + 1)));
}

function product(sizes: readonly number[]): number {
  return sizes.reduce((total, size) => total * size, 1);
}
