import type { Vectors } from '../numerics/vectors.ts';
import { firstAddress, instantiateKernel, makeMemory } from '../numerics/kernel.ts';

/** Rows that are compared together. The object is the identity under which their packed form is kept. */
export class Panel {
  /** Rows of the data, in any order. */
  rows: Int32Array;
  /** Where the packed rows are, while that place still names this panel. */
  slot = -1;
  /** Largest norm of the float32 rows, once packed; negative before. */
  reach = -1;

  constructor(rows: Int32Array) {
    this.rows = rows;
  }
}

/** Packed panels are kept in at most this many bytes; others are packed again when they are needed. */
const keptBytes = 160 * 2 ** 20;
/** Rows up to this length are copied number by number. */
const longestCopy = 512;
/** Below this many components comparing in float32 first does not pay. */
const leastDim32 = 24;
/** Outside this range of squared distances float32 may overflow or lose everything: not used there. */
const float32Range = { least: 1e-24, most: 1e24 };

/**
 * Distances between panels of rows, a panel pair at a time, by the kernels of native/reduction. Memory: the packed
 * panels, at most 160 MB.
 */
export class PanelDistances {
  readonly #features: Vectors;
  readonly #dim: number;
  readonly #memory: WebAssembly.Memory;
  readonly #kernel: ReturnType<typeof instantiateKernel>;
  readonly #owners: (Panel | null)[] = [];
  readonly #slotBytes: number;
  readonly #slotLimit: number;
  readonly #panelRows: number;
  readonly #sums = firstAddress;
  readonly #centre: number;
  readonly #source: number;
  readonly #tile: number;
  readonly #firstSlot: number;
  readonly #width64: number;
  readonly #width32: number;
  #hand = 0;
  readonly #bytes: Float64Array;

  /**
   * @param panelRows most rows of one panel · @param panels how many there will be at first
   * @param centre `[dim]`, taken off before rounding to float32
   */
  constructor(features: Vectors, dim: number, panelRows: number, panels: number, centre: Float64Array) {
    const padded = Math.ceil(panelRows / 8) * 8;
    this.#features = features;
    this.#dim = dim;
    this.#panelRows = padded;
    this.#width64 = padded * dim * 8;
    this.#width32 = padded * dim * 4;
    this.#centre = this.#sums + 64;
    this.#source = this.#centre + dim * 8;
    this.#tile = this.#source + this.#width64;
    this.#firstSlot = Math.ceil((this.#tile + padded * padded * 8) / 64) * 64;
    // Rows in float64, in float32, their norms, and the numbers of their labelsets.
    this.#slotBytes = Math.ceil((this.#width64 + this.#width32 + padded * 8) / 64) * 64;
    // The panels of a split cell give way to those of its halves: more slots than half as many again would only make
    // the memory grow and the processor's caches miss.
    const wanted = Math.ceil(panels * 1.5) + 2;
    this.#slotLimit = Math.max(3, Math.min(wanted, Math.floor(keptBytes / this.#slotBytes)));
    this.#memory = makeMemory(this.#firstSlot + this.#slotLimit * this.#slotBytes);
    this.#kernel = instantiateKernel(this.#memory);
    this.#bytes = new Float64Array(this.#memory.buffer);
    this.#bytes.set(centre, this.#centre / 8);
  }

  /** Largest squared distance between the rows of two panels; exact, and the squares stay readable by {@link tile}. */
  squares(a: Panel, b: Panel): number {
    this.#load(a, b);
    this.#load(b, a);
    return this.#kernel.squares(
      this.#address(a),
      a.rows.length,
      this.#address(b),
      b.rows.length,
      this.#dim,
      this.#tile,
      a === b,
    );
  }

  /**
   * The last squares: value of rows `i` of a and `j` of b at `start + i * stride + j`; for one panel only `i ≤ j` is
   * filled. Read it before the next call.
   */
  tile(b: Panel): { values: Float64Array; start: number; stride: number } {
    return { values: this.#bytes, start: this.#tile / 8, stride: Math.ceil(b.rows.length / 4) * 4 };
  }

  /**
   * Upper bound of the squared distances between two panels, for a third of the price of the exact one: in float32,
   * plus all that rounding can have taken away. Infinity where float32 cannot tell.
   */
  squaresAtMost(a: Panel, b: Panel): number {
    const dim = this.#dim;
    if (dim < leastDim32) return Infinity;
    this.#load32(a, b);
    this.#load32(b, a);
    const [addressA, addressB] = [this.#address(a) + this.#width64, this.#address(b) + this.#width64];
    const most = this.#kernel.reach32(
      addressA,
      a.rows.length,
      addressA + this.#width32,
      addressB,
      b.rows.length,
      addressB + this.#width32,
      dim,
    );
    const reach = (a.reach + b.reach) ** 2;
    if (!(reach > float32Range.least && reach < float32Range.most)) return Infinity;
    // dim + 16 roundings of at most 2⁻²⁴ each, relative to (|a| + |b|)²; taken twice to be on the safe side.
    const bound = most + reach * (dim + 16) * 2 ** -23;
    return Number.isNaN(bound) ? Infinity : bound;
  }

  /**
   * Adds the distances of the last {@link squares} to `sums`: see the kernel's `addDistances`.
   * @param ids labelset number of every row of the data
   */
  addDistances(a: Panel, b: Panel, ids: Int32Array, scale: number, sums: Float64Array): void {
    const [idsA, idsB] = [this.#writeIds(a, ids), this.#writeIds(b, ids)];
    this.#bytes.set(sums, this.#sums / 8);
    this.#kernel.addDistances(
      this.#tile,
      a.rows.length,
      b.rows.length,
      Math.ceil(b.rows.length / 4) * 4,
      idsA,
      idsB,
      scale,
      a === b,
      this.#sums,
    );
    sums.set(this.#bytes.subarray(this.#sums / 8, this.#sums / 8 + 4));
  }

  /**
   * Largest squared distance of the rows of a panel to each of some points.
   * @param points `[m, dim]` with m at most the rows of a panel · @returns `[m]`
   */
  maximaTo(a: Panel, points: Float64Array): Float64Array {
    const count = points.length / this.#dim;
    const guest = new Panel(new Int32Array(count));
    this.#load(a, a);
    this.#claim(guest, a);
    this.#bytes.set(points, this.#source / 8);
    this.#kernel.pack64(this.#source, count, this.#dim, this.#address(guest));
    const [from, to] = [this.#address(a), this.#address(guest)];
    this.#kernel.squares(from, a.rows.length, to, count, this.#dim, this.#tile, false);
    const stride = Math.ceil(count / 4) * 4;
    this.#kernel.columnMaxima(this.#tile, a.rows.length, count, stride, this.#source);
    return this.#bytes.slice(this.#source / 8, this.#source / 8 + count);
  }

  #address(panel: Panel): number {
    return this.#firstSlot + panel.slot * this.#slotBytes;
  }

  /** Makes sure the panel is packed, without giving up `pinned`. */
  #load(panel: Panel, pinned: Panel): void {
    if (this.#owners[panel.slot] === panel) return;
    this.#claim(panel, pinned);
    this.#stage(panel);
    this.#kernel.pack64(this.#source, panel.rows.length, this.#dim, this.#address(panel));
  }

  #load32(panel: Panel, pinned: Panel): void {
    this.#load(panel, pinned);
    if (panel.reach >= 0) return;
    this.#stage(panel);
    const target = this.#address(panel) + this.#width64;
    panel.reach = this.#kernel.pack32(
      this.#source,
      panel.rows.length,
      this.#dim,
      this.#centre,
      target,
      target + this.#width32,
    );
  }

  #claim(panel: Panel, pinned: Panel): void {
    if (this.#owners.length < this.#slotLimit) {
      panel.slot = this.#owners.length;
      this.#owners.push(panel);
    } else {
      do this.#hand = (this.#hand + 1) % this.#slotLimit;
      while (this.#owners[this.#hand] === pinned);
      panel.slot = this.#hand;
      this.#owners[this.#hand] = panel;
    }
    panel.reach = -1;
  }

  #stage({ rows }: Panel): void {
    const dim = this.#dim;
    const [features, bytes] = [this.#features, this.#bytes];
    for (let i = 0, to = this.#source / 8; i < rows.length; i++, to += dim) {
      const row = (rows[i] as number) * dim;
      // A view per row costs more than copying a few hundred numbers one by one.
      if (dim > longestCopy) bytes.set(features.subarray(row, row + dim), to);
      else for (let d = 0; d < dim; d++) bytes[to + d] = features[row + d] as number;
    }
  }

  #writeIds(panel: Panel, ids: Int32Array): number {
    const address = this.#address(panel) + this.#width64 + this.#width32 + this.#panelRows * 4;
    const target = new Int32Array(this.#memory.buffer, address, panel.rows.length);
    for (let i = 0; i < panel.rows.length; i++) target[i] = ids[panel.rows[i] as number] as number;
    return address;
  }
}
