import { CheckpointError } from './errors.ts';
import { build, isKnown, KnownGlobal, storageDtype } from './globals.ts';
import { malformed, PickleReader } from './pickle-reader.ts';
import { Opaque, StorageRef, TensorView, type PlainValue, type StoredDtype } from './values.ts';

/** A global that the file asks for and that is not on the allow-list. It was not called. */
export interface RefusedGlobal {
  /** `module.name`. */
  global: string;
  /** Byte of the pickle at which it is first named. */
  offset: number;
}

export interface Unpickled {
  value: PlainValue;
  /** First byte after the pickle. */
  end: number;
  refused: RefusedGlobal[];
  /** Element type of every storage that is mentioned, whether or not a tensor that is kept uses it. */
  storages: ReadonlyMap<string, StoredDtype>;
}

/** A node of the pickle machine's stack. */
type Node = PlainValue | KnownGlobal;

const MAX_PROTOCOL = 5;
const MAX_DEPTH = 1_000_000;
const MAX_WORK = 16_000_000;

/**
 * Reads one pickle of protocol 2–5 as inert data. Dicts, lists, tuples (as lists), sets (as lists), scalars, text
 * and bytes become themselves; tensors become views of storages that nobody has read yet; whatever else the file
 * asks for becomes an {@link Opaque} mark. No instruction can import, look up or call anything.
 *
 * @param start where the pickle begins in `bytes`.
 * @throws CheckpointError `malformed` or `unsupported` with the offset; PickleCutOff when the bytes end first.
 */
export function unpickle(bytes: Uint8Array, start = 0): Unpickled {
  const machine = new Machine(new PickleReader(bytes, start));
  const value = machine.run();
  return { value, end: machine.reader.position, refused: machine.refused(), storages: machine.storages };
}

class Machine {
  readonly reader: PickleReader;
  readonly storages = new Map<string, StoredDtype>();
  #stack: Node[] = [];
  readonly #marks: Node[][] = [];
  readonly #memo = new Map<number, Node>();
  readonly #refused = new Map<string, RefusedGlobal>();
  #at = 0;
  #work = 0;

  constructor(reader: PickleReader) {
    this.reader = reader;
  }

  run(): PlainValue {
    for (;;) {
      this.#at = this.reader.position;
      const code = this.reader.byte();
      if (code === STOP) return this.#plain(this.#pop());
      const instruction = instructions.get(code);
      if (instruction === undefined) {
        throw new CheckpointError(
          'unsupported',
          `the checkpoint's index uses the pickle instruction 0x${code.toString(16).padStart(2, '0')} at byte ${this.#at}`,
          'Only plain PyTorch checkpoints are read: get the file from its publisher again, or a safetensors file.',
          { offset: this.#at },
        );
      }
      instruction(this, this.reader);
    }
  }

  refused(): RefusedGlobal[] {
    return [...this.#refused.values()];
  }

  fail(what: string): never {
    throw malformed(what, this.#at);
  }

  protocol(version: number): void {
    if (version > MAX_PROTOCOL) this.fail(`the unknown pickle protocol ${version}`);
  }

  push(node: Node): void {
    if (this.#stack.length >= MAX_DEPTH || this.#marks.length >= MAX_DEPTH) this.fail('a bottomless stack');
    this.#stack.push(node);
  }

  mark(): void {
    if (this.#marks.length >= MAX_DEPTH) this.fail('a bottomless stack');
    this.#marks.push(this.#stack);
    this.#stack = [];
  }

  /** Everything since the last mark. */
  popMark(): PlainValue[] {
    const outer = this.#marks.pop();
    if (outer === undefined) this.fail('an end without a beginning');
    const items = this.#stack.map((node) => this.#plain(node));
    this.#stack = outer;
    return items;
  }

  pop(count: number): PlainValue[] {
    const items: PlainValue[] = [];
    for (let i = 0; i < count; i++) items.unshift(this.#plain(this.#pop()));
    return items;
  }

  drop(): void {
    if (this.#stack.length > 0) this.#stack.pop();
    else if (this.#marks.length > 0) this.popMark();
    else this.fail('an empty stack');
  }

  put(index: number): void {
    this.#memo.set(index, this.#top());
  }
  memoise(): void {
    this.put(this.#memo.size);
  }
  get(index: number): void {
    const node = this.#memo.get(index);
    if (node === undefined) this.fail(`a reference to the unknown object ${index}`);
    this.push(node);
  }

  global(module: PlainValue | undefined, name: PlainValue | undefined): void {
    if (typeof module !== 'string' || typeof name !== 'string') this.fail('a global without a name');
    const global = `${module}.${name}`;
    this.push(isKnown(global) ? new KnownGlobal(global, this.#at) : this.#refuse(global));
  }

  reduce(): void {
    const args = this.#plain(this.#pop());
    const callee = this.#pop();
    if (callee instanceof KnownGlobal && !storageDtype(callee.name)) {
      if (!Array.isArray(args)) this.fail('a call without arguments');
      this.#charge(args);
      this.push(build(callee, args, this.#at));
    } else if (callee instanceof KnownGlobal) this.push(this.#refuse(callee.name));
    else if (callee instanceof Opaque) this.push(callee);
    else this.fail('a call of what is no function');
  }

  /** One short instruction can name a long list again and again; honest files never add up to much. */
  #charge(args: readonly PlainValue[]): void {
    for (const arg of args) this.#work += Array.isArray(arg) || typeof arg === 'string' ? arg.length : 1;
    if (this.#work > MAX_WORK) this.fail('calls without end');
  }

  /** `NEWOBJ` and its kin: an object of a class, which is never made, unless it is a plain dict. */
  newObject(argumentCount: number): void {
    for (let i = 0; i < argumentCount; i++) this.#pop();
    const type = this.#pop();
    if (type instanceof Opaque) this.push(type);
    else if (type instanceof KnownGlobal && type.name === 'collections.OrderedDict') this.push(new Map());
    else this.fail('an object of no class');
  }

  /** The state of an object. PyTorch gives dicts of weights an attribute `_metadata`, which is no key. */
  setState(): void {
    this.#pop();
    const target = this.#top();
    if (!(target instanceof Opaque || target instanceof Map || target instanceof TensorView))
      this.fail('a state for what has none');
  }

  append(items: readonly PlainValue[]): void {
    const target = this.#top();
    if (Array.isArray(target)) for (const item of items) target.push(item);
    else if (!(target instanceof Opaque)) this.fail('items for what is no list');
  }

  setItems(items: readonly PlainValue[]): void {
    if (items.length % 2 !== 0) this.fail('a key without a value');
    const target = this.#top();
    if (target instanceof Map) {
      for (let i = 0; i < items.length; i += 2) target.set(items[i] ?? null, items[i + 1] ?? null);
    } else if (!(target instanceof Opaque)) this.fail('items for what is no dict');
  }

  /** `('storage', type, key, location, elements[, view])`: a reference into the data that follows the pickle. */
  persistentId(): void {
    const id = this.#pop();
    if (!Array.isArray(id)) this.fail('a reference to unknown data');
    const [kind, type, key, , elements, view] = id;
    if (kind !== 'storage' || typeof key !== 'string') this.fail('a reference to unknown data');
    if (!(type instanceof Opaque)) this.fail('a storage of no type');
    const dtype = storageDtype(type.global);
    if (dtype === undefined) this.push(type);
    else this.push(this.#storage(key, dtype, elements, view ?? null));
  }

  #storage(key: string, dtype: StoredDtype, elements: PlainValue | undefined, view: PlainValue): StorageRef {
    const count = this.#natural(elements);
    this.storages.set(key, dtype);
    if (view === null) return new StorageRef(key, dtype, count);
    if (!Array.isArray(view)) this.fail('an unknown view of a storage');
    const base = this.#natural(view[1]);
    const seen = this.#natural(view[2]);
    if (base + seen > count) this.fail(`a view that leaves storage ${key}`);
    return new StorageRef(key, dtype, seen, base);
  }

  #natural(value: PlainValue | undefined): number {
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
    return this.fail('a storage of no size');
  }

  #refuse(global: string): Opaque {
    if (!this.#refused.has(global)) this.#refused.set(global, { global, offset: this.#at });
    return new Opaque(global, this.#at);
  }

  #pop(): Node {
    const node = this.#stack.pop();
    if (node === undefined) this.fail('an empty stack');
    return node;
  }

  #top(): Node {
    const node = this.#stack.at(-1);
    if (node === undefined) this.fail('an empty stack');
    return node;
  }

  /** A known global that is stored rather than called is a mark like any other. */
  #plain(node: Node): PlainValue {
    return node instanceof KnownGlobal ? new Opaque(node.name, node.offset) : node;
  }
}

const STOP = 0x2e;
type Instruction = (machine: Machine, reader: PickleReader) => void;

/** Instructions by their byte (Python's pickletools names them). INST, OBJ, EXT*, PERSID and NEXT_BUFFER are not here. */
const instructions: ReadonlyMap<number, Instruction> = new Map<number, Instruction>([
  [0x80, (m, r) => m.protocol(r.byte())], // PROTO
  [0x95, (_, r) => void r.uint64()], // FRAME: only a hint for buffering
  [0x28, (m) => m.mark()], // MARK
  [0x30, (m) => m.drop()], // POP
  [0x31, (m) => void m.popMark()], // POP_MARK
  // Scalars
  [0x4e, (m) => m.push(null)], // NONE
  [0x88, (m) => m.push(true)], // NEWTRUE
  [0x89, (m) => m.push(false)], // NEWFALSE
  [0x49, (m, r) => m.push(decimal(m, r.line()))], // INT
  [0x4a, (m, r) => m.push(r.int32())], // BININT
  [0x4b, (m, r) => m.push(r.byte())], // BININT1
  [0x4d, (m, r) => m.push(r.uint16())], // BININT2
  [0x8a, (m, r) => m.push(r.integer(r.byte()))], // LONG1
  [0x8b, (m, r) => m.push(r.integer(r.uint32()))], // LONG4
  [0x47, (m, r) => m.push(r.float64())], // BINFLOAT
  // Text and bytes
  [0x8c, (m, r) => m.push(r.text(r.byte()))], // SHORT_BINUNICODE
  [0x58, (m, r) => m.push(r.text(r.uint32()))], // BINUNICODE
  [0x8d, (m, r) => m.push(r.text(r.uint64()))], // BINUNICODE8
  [0x55, (m, r) => m.push(r.latinText(r.byte()))], // SHORT_BINSTRING
  [0x54, (m, r) => m.push(r.latinText(r.uint32()))], // BINSTRING
  [0x43, (m, r) => m.push(r.bytes(r.byte()))], // SHORT_BINBYTES
  [0x42, (m, r) => m.push(r.bytes(r.uint32()))], // BINBYTES
  [0x8e, (m, r) => m.push(r.bytes(r.uint64()))], // BINBYTES8
  [0x96, (m, r) => m.push(r.bytes(r.uint64()))], // BYTEARRAY8
  // Containers
  [0x7d, (m) => m.push(new Map())], // EMPTY_DICT
  [0x5d, (m) => m.push([])], // EMPTY_LIST
  [0x29, (m) => m.push([])], // EMPTY_TUPLE
  [0x8f, (m) => m.push([])], // EMPTY_SET
  [0x85, (m) => m.push(m.pop(1))], // TUPLE1
  [0x86, (m) => m.push(m.pop(2))], // TUPLE2
  [0x87, (m) => m.push(m.pop(3))], // TUPLE3
  [0x74, (m) => m.push(m.popMark())], // TUPLE
  [0x6c, (m) => m.push(m.popMark())], // LIST
  [0x91, (m) => m.push(m.popMark())], // FROZENSET
  [0x64, (m) => pushDict(m, m.popMark())], // DICT
  [0x61, (m) => m.append(m.pop(1))], // APPEND
  [0x65, (m) => m.append(m.popMark())], // APPENDS
  [0x90, (m) => m.append(m.popMark())], // ADDITEMS
  [0x73, (m) => m.setItems(m.pop(2))], // SETITEM
  [0x75, (m) => m.setItems(m.popMark())], // SETITEMS
  // Memo
  [0x71, (m, r) => m.put(r.byte())], // BINPUT
  [0x72, (m, r) => m.put(r.uint32())], // LONG_BINPUT
  [0x94, (m) => m.memoise()], // MEMOIZE
  [0x68, (m, r) => m.get(r.byte())], // BINGET
  [0x6a, (m, r) => m.get(r.uint32())], // LONG_BINGET
  // What code would build
  [0x63, (m, r) => m.global(r.line(), r.line())], // GLOBAL
  [0x93, (m) => m.global(...named(m.pop(2)))], // STACK_GLOBAL
  [0x52, (m) => m.reduce()], // REDUCE
  [0x81, (m) => m.newObject(1)], // NEWOBJ
  [0x92, (m) => m.newObject(2)], // NEWOBJ_EX
  [0x62, (m) => m.setState()], // BUILD
  [0x51, (m) => m.persistentId()], // BINPERSID
]);

function pushDict(machine: Machine, items: readonly PlainValue[]): void {
  machine.push(new Map());
  machine.setItems(items);
}

/** Protocol 0's integers, and its way to write True and False. */
function decimal(machine: Machine, text: string): number | boolean {
  if (text === '00' || text === '01') return text === '01';
  const value = Number(text);
  return /^-?\d{1,15}$/.test(text) ? value : machine.fail('an integer that is none');
}

function named([module, name]: PlainValue[]): [PlainValue | undefined, PlainValue | undefined] {
  return [module, name];
}
