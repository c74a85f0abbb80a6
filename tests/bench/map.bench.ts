/**
 * Drawing the points of a map while it is moved, in milliseconds of the processor for a frame: what the window computes, without
 * what the browser needs to put the picture on the screen.
 *
 * ARCHETONE_BENCH_POINTS (default 100000).
 */
import { drawPoints, pointSize, type Ink } from '../../renderer/src/map/draw-points.ts';
import { pixelOf, Raster } from '../../renderer/src/map/raster.ts';
import { fitTo, panned, zoomed } from '../../renderer/src/map/viewport.ts';
import { Random } from '../../models/numerics/random.ts';
import { machine, median, spentOn } from './meter.ts';

const points = Number(process.env['ARCHETONE_BENCH_POINTS'] ?? 100_000);
const size = { width: 1100, height: 800 };
const frames = 60;
const classes = 20;

export async function run(): Promise<void> {
  const random = new Random(1);
  const centres = random.normals(2 * classes).map((value) => 8 * value);
  const of = Int32Array.from({ length: points }, () => random.integer(classes));
  const around = (axis: number): Float32Array =>
    Float32Array.from(of, (c) => (centres[2 * c + axis] ?? 0) + 2 * random.normal());
  const [x, y] = [around(0), around(1)];
  const ground = pixelOf('rgb(255, 255, 255)');
  const inks = Array.from({ length: classes }, (_, i): Ink => ({
    colour: pixelOf(`rgb(${12 * i}, 80, 200)`),
    shape: 'circle',
    shown: true,
  }));
  const whole = fitTo(x, y, size);
  const rows = [];
  for (const unit of [1, 2])
    for (const zoom of [1, 4, 20]) {
      let view = zoomed(whole, size, [size.width / 2, size.height / 2], zoom, whole.scale);
      const pixels = { width: unit * size.width, height: unit * size.height };
      const raster = new Raster(pixels.width, pixels.height);
      const across = pointSize(points, view.scale / whole.scale) * unit;
      const times: number[] = [];
      for (let frame = 0; frame < frames; frame++) {
        view = panned(view, 3, 2);
        const { cpu } = await spentOn(() => {
          raster.clear(ground);
          const drawn = { x, y, count: points, of, ring: null, inks, selected: null };
          drawPoints(raster, { ...view, scale: unit * view.scale }, pixels, drawn, { across, ground });
          return Promise.resolve();
        });
        times.push(cpu);
      }
      rows.push({ 'pixels per point': unit, zoom, 'CPU ms a frame': median(times).toFixed(1) });
    }
  console.log(`${points} points in ${size.width} × ${size.height} · ${machine()}`);
  console.table(rows);
}
