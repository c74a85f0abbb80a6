import type { Projection } from '../../../engine/api/projection.ts';

/** What the points of a map are, by number: tracks, windows or rows first, prototypes after them. */
export class MapPoints {
  readonly projection: Projection;
  /** How many points are no prototypes. */
  readonly count: number;
  readonly total: number;
  #numbers: Map<string, number> | null = null;
  #firsts: Int32Array | null = null;

  constructor(projection: Projection) {
    this.projection = projection;
    this.count = projection.points.count;
    this.total = this.count + projection.prototypes;
  }

  /** Index of the prototype that a point is; null for others. */
  prototypeOf(point: number): number | null {
    return point >= this.count && point < this.total ? point - this.count : null;
  }

  /** Number of the track among those of the map, for a track or a window; −1 for others. */
  trackNumber(point: number): number {
    const { kind, trackOf } = this.projection.points;
    if (point < 0 || point >= this.count || kind === 'row') return -1;
    return kind === 'track' ? point : (trackOf[point] ?? -1);
  }

  trackId(point: number): string | null {
    return this.projection.points.trackIds[this.trackNumber(point)] ?? null;
  }

  windowIndex(point: number): number | null {
    return this.projection.points.windowIndex[point] ?? null;
  }

  /** Number of a track on the map; −1 where it is not on it. */
  numberOf(trackId: string): number {
    this.#numbers ??= new Map(this.projection.points.trackIds.map((id, number) => [id, number]));
    return this.#numbers.get(trackId) ?? -1;
  }

  /** The point of a track, or of one of its windows; null where it is not on the map. */
  pointOf(trackId: string, windowIndex: number | null): number | null {
    const number = this.numberOf(trackId);
    const { kind, trackOf, windowIndex: indices } = this.projection.points;
    if (number < 0 || kind === 'row') return null;
    if (kind === 'track') return number;
    this.#firsts ??= firstsOf(trackOf, this.projection.points.trackIds.length);
    for (let point = this.#firsts[number] ?? -1; point >= 0 && trackOf[point] === number; point += 1) {
      if (indices[point] === (windowIndex ?? indices[point])) return point;
    }
    return null;
  }

  /** 1 for every point whose track is among those given; null where none is. */
  flags(trackIds: ReadonlySet<string>): Uint8Array | null {
    const chosen = new Uint8Array(this.projection.points.trackIds.length);
    let any = false;
    for (const id of trackIds) {
      const number = this.numberOf(id);
      if (number < 0) continue;
      chosen[number] = 1;
      any = true;
    }
    if (!any) return null;
    return Uint8Array.from({ length: this.count }, (_, point) => chosen[this.trackNumber(point)] ?? 0);
  }
}

/** The first point of every track; windows of a track lie together. */
function firstsOf(trackOf: Int32Array, tracks: number): Int32Array {
  const firsts = new Int32Array(tracks).fill(-1);
  trackOf.forEach((track, point) => {
    if (firsts[track] === -1) firsts[track] = point;
  });
  return firsts;
}
