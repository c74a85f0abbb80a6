/**
 * Speed of the published models at full size, with random weights, against PyTorch in the same run: EnCodec,
 * EnCodecMAE, its summary and one guided step of the denoiser, on windows of four seconds. CPU seconds are compared,
 * because a busy machine stretches wall time at random. Peers need ARCHETONE_PYTHON, a Python with PyTorch.
 *
 * ARCHETONE_BENCH_ROUNDS (default 2): how often both sides are measured, in turns.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { denoiserGraph } from '../../models/onnx/graphs/denoiser.ts';
import { encoderGraph } from '../../models/onnx/graphs/encodecmae.ts';
import { encodecDecoderGraph, encodecEncoderGraph } from '../../models/onnx/graphs/encodec.ts';
import { summaryGraph } from '../../models/onnx/graphs/summary.ts';
import { variantOf } from '../../models/onnx/quantise.ts';
import { variantError } from '../../models/onnx/variant-error.ts';
import { Random } from '../../models/numerics/random.ts';
import { fullSizeSource } from '../support/full-size.ts';
import { machine } from './meter.ts';

const THREADS = 2;
const SAMPLES = 96_000;
const FRAMES = 300;
const WIDTH = 128;
const DIM = 768;
const REPEATS = 2;
/** Steps of a sonification that the table adds up to: the reference's, and what a converted pack takes instead. */
const STEPS = 40;
const MULTISTEPS = 16;

/** Seconds of one window; the best of all repeats, each on its own. */
interface Seconds {
  wall: number;
  cpu: number;
}
type Figures = Record<string, Seconds>;

interface Stage {
  name: string;
  graph: Uint8Array;
  feeds: Record<string, Tensor>;
}

/** Prints the table. */
export async function run(): Promise<void> {
  const rounds = Number(process.env['ARCHETONE_BENCH_ROUNDS'] ?? 2);
  const stages = await fullSizeStages();
  if (stages === null) {
    console.log(
      'the key lists of the published checkpoints are not beside the repository: nothing to measure',
    );
    return;
  }
  const python = process.env['ARCHETONE_PYTHON'];
  let [own, peer]: [Figures, Figures] = [{}, {}];
  for (let round = 0; round < rounds; round++) {
    for (const stage of stages) own = best(own, { [stage.name]: await measure(stage) });
    if (python) peer = best(peer, await measurePeer(python));
  }
  print(own, peer);
  await printErrors(stages);
}

async function fullSizeStages(): Promise<Stage[] | null> {
  const [codec, model] = [fullSizeSource('encodec'), fullSizeSource('diff4s')];
  if (codec === null || model === null) return null;
  const random = new Random(1);
  const tensor = (...dims: number[]) =>
    new Tensor('float32', random.normals(dims.reduce((a, b) => a * b, 1)), dims);
  const frames = { features: tensor(1, FRAMES, WIDTH) };
  const hidden = { hidden: tensor(1, FRAMES, DIM) };
  const step = {
    features: tensor(2, FRAMES, WIDTH),
    sigma: new Tensor('float32', [0.5, 0.5], [2]),
    z: tensor(2, DIM),
  };
  const encoder = await encoderGraph(model.under('encoder.encodecmae_model'), { frames: FRAMES, heads: 12 });
  const denoiser = await denoiserGraph(model, { frames: FRAMES, heads: 8 });
  return [
    {
      name: 'EnCodec encode',
      graph: await encodecEncoderGraph(codec, { prefix: 'encoder.model' }),
      feeds: { waveform: tensor(1, SAMPLES) },
    },
    { name: 'EnCodecMAE', graph: encoder, feeds: frames },
    { name: 'EnCodecMAE int8', graph: variantOf(encoder, 'int8'), feeds: frames },
    { name: 'summary', graph: await summaryGraph(model, { frames: FRAMES, heads: 8 }), feeds: hidden },
    { name: 'guided step', graph: denoiser, feeds: step },
    { name: 'guided step int8', graph: variantOf(denoiser, 'int8'), feeds: step },
    {
      name: 'EnCodec decode',
      graph: await encodecDecoderGraph(codec, { prefix: 'decoder.model' }),
      feeds: frames,
    },
  ];
}

async function measure({ graph, feeds }: Stage): Promise<Seconds> {
  const session = await InferenceSession.create(graph, {
    intraOpNumThreads: THREADS,
    enableCpuMemArena: false,
    logSeverityLevel: 3,
    extra: { session: { intra_op: { allow_spinning: '0' } } },
  });
  await session.run(feeds);
  const result = { wall: Infinity, cpu: Infinity };
  for (let i = 0; i < REPEATS; i++) {
    const [started, used] = [performance.now(), process.cpuUsage()];
    await session.run(feeds);
    const { user, system } = process.cpuUsage(used);
    result.wall = Math.min(result.wall, (performance.now() - started) / 1000);
    result.cpu = Math.min(result.cpu, (user + system) / 1e6);
  }
  await session.release();
  return result;
}

async function measurePeer(python: string): Promise<Figures> {
  const script = join(import.meta.dirname, 'peer_official.py');
  const options = JSON.stringify({ threads: THREADS, repeats: REPEATS });
  // Waiting threads sleep on both sides: spinning would count as work.
  const env = { ...process.env, OMP_WAIT_POLICY: 'PASSIVE' };
  const { stdout } = await promisify(execFile)(python, [script, options], { env });
  return JSON.parse(stdout) as Figures;
}

function best(a: Figures, b: Figures): Figures {
  const result = { ...a };
  for (const [name, { wall, cpu }] of Object.entries(b)) {
    const old = a[name] ?? { wall: Infinity, cpu: Infinity };
    result[name] = { wall: Math.min(old.wall, wall), cpu: Math.min(old.cpu, cpu) };
  }
  return result;
}

function print(own: Figures, peer: Figures): void {
  const sum = (
    figures: Figures,
    parts: readonly (readonly [name: string, times: number])[],
  ): Seconds | null => {
    const total = { wall: 0, cpu: 0 };
    for (const [name, times] of parts) {
      const seconds = figures[name];
      if (seconds === undefined) return null;
      total.wall += times * seconds.wall;
      total.cpu += times * seconds.cpu;
    }
    return total;
  };
  const embedding = (encoder: string) =>
    ['EnCodec encode', encoder, 'summary'].map((name) => [name, 1] as const);
  const sound = (step: string, steps = STEPS) =>
    [
      [step, steps],
      ['EnCodec decode', 1],
    ] as const;
  const rows: Record<string, Record<string, string>> = {};
  const put = (name: string, ours: Seconds | null, theirs: Seconds | null) => {
    if (ours === null) return;
    rows[name] = {
      'wall s': ours.wall.toFixed(3),
      'CPU s': ours.cpu.toFixed(3),
      'PyTorch wall s': theirs?.wall.toFixed(3) ?? '–',
      'PyTorch CPU s': theirs?.cpu.toFixed(3) ?? '–',
      'CPU ratio': theirs === null ? '–' : `${(theirs.cpu / ours.cpu).toFixed(2)}×`,
    };
  };
  for (const name of Object.keys(own)) put(name, own[name] ?? null, peer[name.replace(' int8', '')] ?? null);
  const theirs = sum(peer, embedding('EnCodecMAE'));
  put('embedding', sum(own, embedding('EnCodecMAE')), theirs);
  put('embedding, int8 encoder', sum(own, embedding('EnCodecMAE int8')), theirs);
  const theirSound = sum(peer, sound('guided step'));
  put(`${STEPS} steps + decode`, sum(own, sound('guided step')), theirSound);
  put(`${STEPS} steps + decode, int8`, sum(own, sound('guided step int8')), theirSound);
  for (const step of ['guided step', 'guided step int8'])
    put(
      `${MULTISTEPS} multistep steps + decode${step.replace('guided step', '').replace(' ', ', ')}, to ${STEPS} of PyTorch`,
      sum(own, sound(step, MULTISTEPS)),
      theirSound,
    );
  console.log(`windows of 4 s, batch 1, ${THREADS} threads, full size, random weights; best of all runs`);
  console.table(rows);
  console.log(`${machine()}: on a busy machine wall times are upper bounds`);
}

/** How far the int8 variants are from float32, with these random weights and inputs. */
async function printErrors(stages: readonly Stage[]): Promise<void> {
  const find = (name: string) => stages.find((stage) => stage.name === name);
  for (const name of ['EnCodecMAE', 'guided step']) {
    const [full, variant] = [find(name), find(`${name} int8`)];
    if (full === undefined || variant === undefined) continue;
    const inputs = Object.entries(full.feeds).map(([key, { data, dims }]) => [
      key,
      { data: data as Float32Array, dims },
    ]);
    const runs = [
      Object.fromEntries(inputs) as Record<string, { data: Float32Array; dims: readonly number[] }>,
    ];
    const error = await variantError(full.graph, variant.graph, runs, { threads: THREADS });
    const half = await variantError(full.graph, variantOf(full.graph, 'float16'), runs, { threads: THREADS });
    const megabytes = (graph: Uint8Array) => (graph.length / 1e6).toFixed(1);
    console.log(
      `${name}: int8 ${(100 * error).toFixed(2)} % RMS, float16 weights ${(100 * half).toFixed(3)} % RMS; ` +
        `${megabytes(full.graph)} MB, int8 ${megabytes(variant.graph)} MB`,
    );
  }
}
