import { describe, expect, it } from 'vitest';
import type { Projection } from '../../engine/api/projection.ts';
import type { Prediction, TrackRow } from '../../engine/api/tracks.ts';
import { clusterLabels } from '../../renderer/src/map/clusters.ts';
import { byValues, colourBy, plainColouring, pointsOfPaint } from '../../renderer/src/map/colouring.ts';
import { drawDensity } from '../../renderer/src/map/density.ts';
import { drawPoints } from '../../renderer/src/map/draw-points.ts';
import { inOutline, PointGrid } from '../../renderer/src/map/pick.ts';
import { pointText } from '../../renderer/src/map/point-text.ts';
import { MapPoints } from '../../renderer/src/map/points.ts';
import { MapData } from '../../renderer/src/map/projection.svelte.ts';
import { beyond, movement } from '../../renderer/src/map/moved.ts';
import { mix, pixelOf, Raster } from '../../renderer/src/map/raster.ts';
import { spriteOf } from '../../renderer/src/map/sprites.ts';
import { fitTo, panned, ticks, toMap, toScreen, zoomed } from '../../renderer/src/map/viewport.ts';
import { lookOf, shapePaths, unlabelledLook } from '../../renderer/src/ui/palette.ts';
import type { Shape } from '../../renderer/src/ui/palette.ts';
import { FakeEngine } from './fake.ts';

const noise = (n: number): number => Math.abs(Math.sin(n * 12.9898) * 43_758.5453) % 1;
const size = { width: 400, height: 300 };

function projection(kind: 'track' | 'window', tracks: number, perTrack = 1): Projection {
  const count = tracks * perTrack;
  const windows = kind === 'window';
  return {
    ...{ method: 'pca', level: kind, space: null, trust: 1, explained: null },
    x: Float32Array.from({ length: count + 1 }, (_, i) => noise(i)),
    y: Float32Array.from({ length: count + 1 }, (_, i) => noise(i + 0.5)),
    points: {
      ...{ kind, count, trackIds: Array.from({ length: tracks }, (_, i) => `t${String(i)}`) },
      trackOf: windows
        ? Int32Array.from({ length: count }, (_, i) => Math.floor(i / perTrack))
        : new Int32Array(),
      windowIndex: windows
        ? Int32Array.from({ length: count }, (_, i) => (i % perTrack) * 2)
        : new Int32Array(),
    },
    prototypes: 1,
    prototypeClasses: ['drum'],
  };
}

describe('points of a map', () => {
  it('are tracks, windows and prototypes by number, and found again', () => {
    const windows = new MapPoints(projection('window', 3, 4));
    expect([windows.count, windows.total, windows.prototypeOf(12), windows.prototypeOf(11)]).toEqual([
      12,
      13,
      0,
      null,
    ]);
    expect([windows.trackId(5), windows.windowIndex(5), windows.trackId(12)]).toEqual(['t1', 2, null]);
    expect(windows.pointOf('t1', 2)).toBe(5);
    expect(windows.pointOf('t1', null)).toBe(4);
    expect(windows.pointOf('t1', 3)).toBeNull();
    expect(windows.pointOf('gone', null)).toBeNull();
    expect(windows.flags(new Set(['t2', 'gone']))?.reduce((sum, flag) => sum + flag, 0)).toBe(4);
    expect(windows.flags(new Set(['gone']))).toBeNull();
    expect(new MapPoints(projection('track', 3)).pointOf('t2', null)).toBe(2);
  });
});

describe('what a point of a map says', () => {
  const windows = new MapPoints(projection('window', 2, 2));
  const prediction = {
    ...{ class: 'drum', probability: 0.8123, second: null, labels: null, split: null },
    ...{ correct: false, missing: [], extra: [] },
  };
  const track = {
    ...{
      id: 't1',
      path: 'a/b.wav',
      title: 'b',
      artist: null,
      album: null,
      genre: [],
      year: null,
      format: 'wav',
    },
    ...{ durationSeconds: 65.25, windowCount: 2, state: 'ready', problem: null, note: null, notes: '' },
    ...{ leftOut: false, labels: [], prediction: null, tags: {} },
  } satisfies TrackRow;

  it('is the track, its window, labels and prediction, or the prototype', () => {
    const say = (point: number, known: TrackRow | undefined): string[] =>
      pointText(windows, point, () => known).split('\n');
    expect(say(3, undefined)).toEqual(['…']);
    expect(say(3, track)).toEqual(['b', 'window 3', '1:05.3']);
    expect(say(3, { ...track, labels: ['snare', 'tabla'], prediction })).toEqual([
      ...['b', 'window 3', 'label: snare, tabla', 'prediction: drum 81.2 % ✗ wrong', '1:05.3'],
    ]);
    expect(say(4, track)).toEqual(['★ drum · prototype 1']);
    expect(say(99, track)).toEqual(['']);
  });

  it('is every label of a prediction of several, and what is missing of them or too much', () => {
    const labels = [{ label: 'drum', probability: 0.9 }];
    const said = (of: Partial<Prediction>): string[] =>
      pointText(windows, 0, () => ({ ...track, prediction: { ...prediction, labels, ...of } })).split('\n');
    expect(said({ missing: ['voice'], extra: ['drum'] })).toEqual([
      ...['b', 'window 1', 'predicted: drum 90 %', 'missing: voice', 'extra: drum', '1:05.3'],
    ]);
    expect(said({ correct: true, labels: [] })).toContain('predicted: no label ✓ exact match');
  });
});

describe('colours of a map', () => {
  const points = new MapPoints(projection('window', 4, 2));

  it('by names: the most frequent first, what has none apart, a ring for the second', () => {
    const column = {
      kind: 'names' as const,
      trackIds: ['t3', 't1', 'elsewhere', 't0'],
      names: ['flute', 'drum', 'x'],
      first: Int32Array.of(1, 1, 2, 0),
      second: Int32Array.of(-1, 0, -1, -1),
    };
    const coloured = colourBy(points, 'label', column, (name) => lookOf(name === 'drum' ? 3 : 4));
    expect(coloured.paints.map(({ name, count }) => [name, count])).toEqual([
      ['drum', 4],
      ['flute', 2],
      ['no label', 2],
    ]);
    expect(coloured.paints[0]?.look).toEqual(lookOf(3));
    expect(coloured.paints[2]?.look).toEqual(unlabelledLook);
    expect([...coloured.of]).toEqual([1, 1, 0, 0, 2, 2, 0, 0]);
    expect([...(coloured.ring ?? [])]).toEqual([-1, -1, 1, 1, -1, -1, -1, -1]);
    expect(pointsOfPaint(coloured, 1)).toEqual([0, 1]);
  });

  it('by values: odd ones do not squeeze the rest, and what has none is told apart', () => {
    const values = Float32Array.from({ length: 200 }, (_, i) => (i === 7 ? 1e6 : i === 8 ? NaN : i));
    const coloured = byValues(values, 'year');
    expect(coloured.scale?.high).toBeLessThan(200);
    expect(coloured.of[7]).toBe(coloured.of[199]);
    expect(coloured.of[0]).toBeLessThan(coloured.of[100] ?? 0);
    expect(coloured.paints.at(-1)).toMatchObject({ name: 'no value', count: 1 });
    expect(byValues(Float32Array.of(0.4, 0.6), 'trust').scale).toEqual({ low: 0, high: 1 });
    expect(byValues(Float32Array.of(NaN), 'year').of[0]).toBe(coloured.paints.length - 1);
    const lengths = byValues(Float32Array.of(1, 10, 100), 'length');
    expect((lengths.of[1] ?? 0) - (lengths.of[0] ?? 0)).toBeCloseTo(
      (lengths.of[2] ?? 0) - (lengths.of[1] ?? 0),
      -1,
    );
  });

  it('names groups where most of each lie, not where their mean does', () => {
    const x = Float32Array.from({ length: 100 }, (_, i) => (i < 10 ? 100 : noise(i)));
    const y = Float32Array.from({ length: 100 }, (_, i) => noise(i + 0.3));
    const colouring = {
      ...plainColouring(new MapPoints(projection('track', 100)), 'all'),
      paints: [{ name: 'all', look: lookOf(0), share: 0, count: 100 }],
    };
    const [label] = clusterLabels(x, y, colouring, new Set());
    expect(label?.x).toBeLessThan(2);
    expect(clusterLabels(x, y, colouring, new Set(['all']))).toEqual([]);
  });
});

describe('the trust of each point', () => {
  const scope = { libraryId: 'L1', taxonomyId: 'X1', experimentId: 'E1' };
  const map = projection('track', 3);
  const engine = (trust: () => unknown): FakeEngine =>
    new FakeEngine({
      'projection.compute': () => [{ type: 'result', projection: map }],
      'projection.trust': trust,
      'projection.column': () => ({
        ...{ kind: 'names', trackIds: [], names: [], first: new Int32Array(), second: null },
      }),
    });

  it('is that of the map that is shown, whatever is chosen meanwhile, and is not found again for a label', async () => {
    const fake = engine(() => [{ type: 'result', trust: Float32Array.of(1, 0.5, 0) }]);
    const data = new MapData(fake);
    await data.show(scope, '1');
    data.colourBy = 'trust';
    data.method = 'umap';
    await data.colour({ ...scope, experimentId: 'E2' }, '1');
    await data.colour(scope, '2');
    expect(fake.inputsOf('projection.trust')).toEqual([
      { libraryId: 'L1', experimentId: 'E1', method: 'pca', level: 'track' },
    ]);
    expect(data.colouring(() => unlabelledLook)?.scale).toEqual({ low: 0, high: 1 });
    // The trust of one map says nothing of another with as many points.
    await data.show(scope, '1');
    expect(data.colouring(() => unlabelledLook)?.scale).toBeNull();
  });

  it('is given up, and no longer told of, when another colour is chosen', async () => {
    const data = new MapData(
      engine(function* () {
        yield { type: 'progress', done: 1, total: 100 };
        yield { type: 'result', trust: new Float32Array(3) };
      }),
    );
    await data.show(scope, '1');
    data.colourBy = 'trust';
    const finding = data.colour(scope, '1');
    expect(data.trusting).not.toBeNull();
    data.colourBy = 'label';
    await data.colour(scope, '1');
    await finding;
    expect(data.trusting).toBeNull();
    expect(data.colouring(() => unlabelledLook)?.scale).toBeNull();
  });
});

describe('what is seen of a map', () => {
  const { x, y } = projection('track', 50);

  it('shows all, and keeps the place under the pointer while it zooms', () => {
    const view = fitTo(x, y, size);
    for (let i = 0; i < x.length; i += 1) {
      const [left, top] = toScreen(view, size, x[i] ?? 0, y[i] ?? 0);
      expect(left >= 0 && left <= size.width && top >= 0 && top <= size.height).toBe(true);
    }
    const before = toMap(view, size, 80, 40);
    const near = zoomed(view, size, [80, 40], 3, view.scale);
    expect(near.scale).toBeCloseTo(3 * view.scale);
    toMap(near, size, 80, 40).forEach((value, i) => expect(value).toBeCloseTo(before[i] ?? NaN, 6));
    const moved = toScreen(panned(near, 30, -20), size, ...before);
    expect(moved[0]).toBeCloseTo(110, 4);
    expect(moved[1]).toBeCloseTo(20, 4);
    expect(fitTo(Float32Array.of(2), Float32Array.of(3), size)).toEqual({ x: 2, y: 3, scale: 1 });
    expect(fitTo(new Float32Array(), new Float32Array(), size)).toEqual({ x: 0, y: 0, scale: 1 });
  });

  it('has round values at its edges', () => {
    expect(ticks(-1, 1, 200)).toEqual([-1, -0.5, 0, 0.5, 1]);
    expect(ticks(0, 0, 0)).toEqual([]);
  });

  it('finds the point under the pointer as looking at all of them would', () => {
    const grid = new PointGrid(x, y, 50);
    for (let n = 0; n < 40; n += 1) {
      const [px, py] = [noise(n + 0.1), noise(n + 0.7)];
      const near = Array.from({ length: 50 }, (_, i) => ({
        i,
        d: Math.hypot((x[i] ?? 0) - px, (y[i] ?? 0) - py),
      }))
        .filter(({ i, d }) => d <= 0.1 && i % 3 !== 0)
        .sort((a, b) => a.d - b.d)[0];
      expect(grid.nearest(px, py, 0.1, (i) => i % 3 !== 0)).toBe(near?.i ?? null);
    }
    expect(new PointGrid(new Float32Array(), new Float32Array(), 0).nearest(0, 0, 1, () => true)).toBeNull();
  });

  it('knows what an outline holds', () => {
    const outline = [0, 0, 4, 0, 4, 4, 2, 1, 0, 4];
    expect([inOutline(outline, 0.5, 1), inOutline(outline, 2, 3), inOutline(outline, 5, 1)]).toEqual([
      true,
      false,
      false,
    ]);
  });
});

describe('the picture of a map', () => {
  const red = pixelOf('rgb(200, 0, 0)');
  const white = pixelOf('rgb(255, 255, 255)');
  const at = (raster: Raster, x: number, y: number): number =>
    raster.pixels[(y + raster.border) * raster.stride + x + raster.border] ?? 0;

  it('reads colours as styles give them, and mixes them', () => {
    expect(red).toBe(0xff0000c8);
    expect(pixelOf('color(srgb 1 0.5 0)')).toBe(0xff0080ff);
    expect(mix(red, white, 255)).toBe(red);
    expect(mix(red, white, 0)).toBe(white);
  });

  it('mixes the edges of points as colours are mixed, to one of 255', () => {
    const raster = new Raster(40, 40);
    const ground = pixelOf('rgb(31, 140, 250)');
    raster.clear(ground);
    const sprite = spriteOf('circle', 7);
    // Twice: an edge over an edge.
    for (const colour of [red, pixelOf('rgb(250, 3, 77)')]) {
      const before = raster.pixels.slice();
      raster.stamp(sprite, 20, 20, colour);
      const side = 2 * sprite.reach + 1;
      sprite.cover.forEach((cover, i) => {
        const place =
          (20 + raster.border + Math.floor(i / side) - sprite.reach) * raster.stride +
          (20 + raster.border + (i % side) - sprite.reach);
        const [found, wanted] = [raster.pixels[place] ?? 0, mix(colour, before[place] ?? 0, cover)];
        for (const shift of [0, 8, 16, 24])
          expect(Math.abs(((found >>> shift) & 255) - ((wanted >>> shift) & 255))).toBeLessThanOrEqual(1);
      });
    }
    expect(sprite.cover.some((cover) => cover > 0 && cover < 255)).toBe(true);
  });

  it('has every shape, all different and about equally large', () => {
    const covers = Object.keys(shapePaths).map((shape) => Array.from(spriteOf(shape as Shape, 9).cover));
    expect(new Set(covers.map(String)).size).toBe(covers.length);
    for (const cover of covers) {
      const area = cover.reduce((sum, part) => sum + part, 0) / 255;
      expect(area).toBeGreaterThan(25);
      expect(area).toBeLessThan(65);
    }
  });

  it('puts points where they lie, leaves out hidden ones, and draws selected ones above', () => {
    const raster = new Raster(100, 60);
    const view = { x: 0, y: 0, scale: 10 };
    const blue = pixelOf('rgb(0, 0, 200)');
    const draw = (selected: Uint8Array | null, shown = true): void => {
      raster.clear(white);
      drawPoints(
        raster,
        view,
        { width: 100, height: 60 },
        {
          ...{
            x: Float32Array.of(2, 2, 1e9),
            y: Float32Array.of(1, 1, NaN),
            count: 3,
            of: Int32Array.of(0, 1, 0),
            ring: null,
          },
          inks: [
            { colour: red, shape: 'circle', shown: true },
            { colour: blue, shape: 'square', shown },
          ],
          selected,
        },
        { across: 8, ground: white },
      );
    };
    draw(null);
    expect(at(raster, 70, 20)).toBe(blue);
    expect(at(raster, 30, 20)).toBe(white);
    draw(null, false);
    expect(at(raster, 70, 20)).toBe(red);
    draw(Uint8Array.of(1, 0, 0));
    expect(at(raster, 70, 20)).toBe(red);
  });

  it('tints the ground most where most points lie', () => {
    const raster = new Raster(400, 100);
    raster.clear(white);
    const x = Float32Array.from({ length: 60 }, (_, i) => (i < 50 ? -15 : 15));
    drawDensity(
      raster,
      { x: 0, y: 0, scale: 10 },
      { width: 400, height: 100 },
      { x, y: new Float32Array(60), shown: () => true },
      { tint: red, ground: white, count: 60 },
    );
    const green = (x: number): number => (at(raster, x, 50) >>> 8) & 255;
    expect(green(50)).toBeLessThan(green(350));
    expect(green(350)).toBeLessThan(255);
    expect(green(200)).toBe(255);
  });

  it('is moved over another part as it would be drawn there, while it reaches so far', () => {
    const view = { x: 0.4, y: 0.6, scale: 300 };
    const { x, y } = projection('track', 500);
    const drawn = (reach: number, of: typeof view): Raster => {
      const raster = new Raster(size.width + 2 * reach, size.height + 2 * reach);
      raster.clear(white);
      drawPoints(
        raster,
        of,
        raster,
        {
          ...{ x, y, count: 500, of: Int32Array.from(x, (_, i) => i % 2), ring: null, selected: null },
          inks: [
            { colour: red, shape: 'circle', shown: true },
            { colour: pixelOf('rgb(0, 0, 200)'), shape: 'square', shown: true },
          ],
        },
        { across: 8, ground: white },
      );
      return raster;
    };
    const wide = drawn(beyond, view);
    for (const [dx, dy] of [
      [0, 0],
      [37, -81],
      [-beyond, beyond],
    ] as const) {
      const other = panned(view, dx, dy);
      const by = movement(view, other, size, 1);
      expect(by).toEqual({ x: dx, y: dy, scale: 1 });
      const there = drawn(0, other);
      let different = 0;
      for (let row = 0; row < size.height; row += 1)
        for (let column = 0; column < size.width; column += 1)
          if (at(there, column, row) !== at(wide, column + beyond - dx, row + beyond - dy)) different += 1;
      expect(different).toBe(0);
    }
    expect(movement(view, panned(view, beyond + 1, 0), size, 1)).toBeNull();
    expect(movement(view, panned(view, 0, -beyond - 1), size, 1)).toBeNull();
  });

  it('is magnified around the pointer, and drawn anew where it would be coarse or have gaps', () => {
    const view = { x: 0, y: 0, scale: 10 };
    const near = zoomed(view, size, [80, 40], 1.3, 10);
    const by = movement(view, near, size, 1);
    // The place under the pointer stays where it is.
    expect(size.width / 2 + (by?.x ?? NaN) + (by?.scale ?? NaN) * (80 - size.width / 2)).toBeCloseTo(80, 6);
    expect(size.height / 2 + (by?.y ?? NaN) + (by?.scale ?? NaN) * (40 - size.height / 2)).toBeCloseTo(40, 6);
    expect(movement(view, zoomed(view, size, [80, 40], 1.6, 10), size, 1)).toBeNull();
    expect(movement(view, { ...view, scale: 7.5 }, size, 1)).not.toBeNull();
    expect(movement(view, { x: 4, y: 0, scale: 5.5 }, size, 1)).toBeNull();
    // By whole pixels of the screen, of which some have more than one for each of the page.
    expect(movement(view, panned(view, 0.9, 0), size, 1.25)?.x).toBeCloseTo(0.8, 6);
  });
});
