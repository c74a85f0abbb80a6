/** Points by the cells of a grid, so that the one under the pointer is found among few. */
export class PointGrid {
  readonly #x: Float32Array;
  readonly #y: Float32Array;
  readonly #left: number;
  readonly #bottom: number;
  readonly #cell: number;
  readonly #columns: number;
  readonly #rows: number;
  readonly #starts: Int32Array;
  readonly #order: Int32Array;

  /** @param count of the points that can be picked, the first ones */
  constructor(x: Float32Array, y: Float32Array, count: number) {
    this.#x = x;
    this.#y = y;
    let [left, right, bottom, top] = [Infinity, -Infinity, Infinity, -Infinity];
    for (let i = 0; i < count; i += 1) {
      left = Math.min(left, x[i] as number);
      right = Math.max(right, x[i] as number);
      bottom = Math.min(bottom, y[i] as number);
      top = Math.max(top, y[i] as number);
    }
    const longer = Math.max(right - left, top - bottom, 1e-12);
    const across = Math.min(512, Math.max(1, Math.ceil(Math.sqrt(count / 2))));
    this.#left = left;
    this.#bottom = bottom;
    this.#cell = Number.isFinite(longer) ? longer / across : 1;
    this.#columns = count > 0 ? Math.floor((right - left) / this.#cell) + 1 : 1;
    this.#rows = count > 0 ? Math.floor((top - bottom) / this.#cell) + 1 : 1;
    this.#starts = new Int32Array(this.#columns * this.#rows + 1);
    this.#order = new Int32Array(count);
    const cells = new Int32Array(count);
    for (let i = 0; i < count; i += 1) {
      const cell = this.#row(y[i] as number) * this.#columns + this.#column(x[i] as number);
      cells[i] = cell;
      this.#starts[cell + 1] = (this.#starts[cell + 1] as number) + 1;
    }
    for (let c = 1; c < this.#starts.length; c += 1) {
      this.#starts[c] = (this.#starts[c] as number) + (this.#starts[c - 1] as number);
    }
    const next = this.#starts.slice();
    cells.forEach((cell, i) => {
      this.#order[next[cell] as number] = i;
      next[cell] = (next[cell] as number) + 1;
    });
  }

  /** The nearest point within a distance that is accepted; of equal ones the last, which is drawn above. Null: none. */
  nearest(x: number, y: number, within: number, accept: (point: number) => boolean): number | null {
    let best: number | null = null;
    let least = within * within;
    for (let row = this.#row(y - within); row <= this.#row(y + within); row += 1) {
      for (let column = this.#column(x - within); column <= this.#column(x + within); column += 1) {
        const cell = row * this.#columns + column;
        for (let i = this.#starts[cell] as number; i < (this.#starts[cell + 1] as number); i += 1) {
          const point = this.#order[i] as number;
          const squared = ((this.#x[point] as number) - x) ** 2 + ((this.#y[point] as number) - y) ** 2;
          if (squared > least || (squared === least && best !== null && point < best) || !accept(point))
            continue;
          least = squared;
          best = point;
        }
      }
    }
    return best;
  }

  /** The points within an outline of `[x, y, x, y, …]` that are accepted, ascending. */
  inside(outline: readonly number[], accept: (point: number) => boolean): number[] {
    const found: number[] = [];
    for (let point = 0; point < this.#order.length; point += 1) {
      if (accept(point) && inOutline(outline, this.#x[point] as number, this.#y[point] as number))
        found.push(point);
    }
    return found;
  }

  #column(x: number): number {
    return Math.min(this.#columns - 1, Math.max(0, Math.floor((x - this.#left) / this.#cell)));
  }

  #row(y: number): number {
    return Math.min(this.#rows - 1, Math.max(0, Math.floor((y - this.#bottom) / this.#cell)));
  }
}

/** Whether a place lies in an outline of `[x, y, x, y, …]`. */
export function inOutline(outline: readonly number[], x: number, y: number): boolean {
  let inside = false;
  for (let i = 0; i + 1 < outline.length; i += 2) {
    const ax = outline[i] as number;
    const ay = outline[i + 1] as number;
    const bx = outline[(i + 2) % outline.length] as number;
    const by = outline[(i + 3) % outline.length] as number;
    if (ay > y !== by > y && x < ax + ((y - ay) / (by - ay)) * (bx - ax)) inside = !inside;
  }
  return inside;
}
