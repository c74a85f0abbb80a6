/** Points a cell of the grid holds, about. */
const perCell = 4;

/**
 * Points of a plane by the cells of a grid, to find the nearest of them without looking at all. Points that lie together, or
 * are not finite, are found as well; only slower.
 */
export class PlaneIndex {
  readonly #x: Float32Array;
  readonly #y: Float32Array;
  readonly #left: number;
  readonly #top: number;
  readonly #size: number;
  readonly #columns: number;
  readonly #rows: number;
  /** Where the points of each cell begin in `#order`. */
  readonly #starts: Int32Array;
  readonly #order: Int32Array;

  constructor(x: Float32Array, y: Float32Array) {
    this.#x = x;
    this.#y = y;
    const [left, right] = extent(x);
    const [top, bottom] = extent(y);
    const area = Math.max(right - left, 1e-12) * Math.max(bottom - top, 1e-12);
    const longer = Math.max(right - left, bottom - top, 1e-12);
    // A thin band of points must not make more cells than there are points.
    this.#size = Math.max(Math.sqrt((area * perCell) / Math.max(1, x.length)), longer / 2048);
    this.#left = left;
    this.#top = top;
    this.#columns = Math.max(1, Math.ceil((right - left) / this.#size));
    this.#rows = Math.max(1, Math.ceil((bottom - top) / this.#size));
    this.#starts = new Int32Array(this.#columns * this.#rows + 1);
    this.#order = new Int32Array(x.length);
    for (let i = 0; i < x.length; i++) {
      const cell = this.#cellOf(i) + 1;
      this.#starts[cell] = (this.#starts[cell] as number) + 1;
    }
    for (let cell = 1; cell < this.#starts.length; cell++)
      this.#starts[cell] = (this.#starts[cell] as number) + (this.#starts[cell - 1] as number);
    const next = this.#starts.slice();
    for (let i = 0; i < x.length; i++) {
      const cell = this.#cellOf(i);
      const place = next[cell] as number;
      this.#order[place] = i;
      next[cell] = place + 1;
    }
  }

  /**
   * The `k` points nearest to a point, without itself: ascending distance, then ascending number.
   * @returns fewer where there are fewer
   */
  nearest(point: number, k: number): number[] {
    const x = this.#x[point] as number;
    const y = this.#y[point] as number;
    const column = this.#column(x);
    const row = this.#row(y);
    const found: { other: number; squared: number }[] = [];
    const reach = Math.max(this.#columns, this.#rows);
    for (let ring = 0; ring <= reach; ring++) {
      const worst = found.length < k ? Infinity : (found[k - 1]?.squared ?? Infinity);
      // Everything in this ring of cells lies at least so far away.
      const least = Math.max(0, ring - 1) * this.#size;
      if (worst < least * least) break;
      this.#look(point, x, y, column, row, ring, found);
      found.sort((a, b) => a.squared - b.squared || a.other - b.other);
      found.length = Math.min(found.length, k);
    }
    return found.map(({ other }) => other);
  }

  #look(
    point: number,
    x: number,
    y: number,
    column: number,
    row: number,
    ring: number,
    found: { other: number; squared: number }[],
  ): void {
    for (let r = row - ring; r <= row + ring; r++) {
      if (r < 0 || r >= this.#rows) continue;
      const edge = r === row - ring || r === row + ring;
      for (let c = column - ring; c <= column + ring; c += edge ? 1 : Math.max(1, 2 * ring)) {
        if (c < 0 || c >= this.#columns) continue;
        const cell = r * this.#columns + c;
        for (let i = this.#starts[cell] as number; i < (this.#starts[cell + 1] as number); i++) {
          const other = this.#order[i] as number;
          if (other === point) continue;
          const dx = (this.#x[other] as number) - x;
          const dy = (this.#y[other] as number) - y;
          found.push({ other, squared: dx * dx + dy * dy });
        }
      }
    }
  }

  #cellOf(point: number): number {
    return this.#row(this.#y[point] as number) * this.#columns + this.#column(this.#x[point] as number);
  }

  #column(x: number): number {
    return Math.min(this.#columns - 1, Math.max(0, Math.floor((x - this.#left) / this.#size) || 0));
  }

  #row(y: number): number {
    return Math.min(this.#rows - 1, Math.max(0, Math.floor((y - this.#top) / this.#size) || 0));
  }
}

function extent(values: Float32Array): [number, number] {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return low <= high ? [low, high] : [0, 0];
}
