import { Random } from '../numerics/random.ts';
import type {
  DeformationKind,
  DeformationMeasure,
  DeformationStep,
  DeformationTools,
  Sound,
} from './deformation.ts';
import { deformationKinds } from './registry.ts';

/** Peak at and below which a sound is silence: −180 dB. */
const SILENT = 1e-9;

/** Why a step cannot be taken, for people. */
export class ScenarioError extends Error {
  override readonly name = 'ScenarioError';
}

/** A step with its range made out. */
interface Step {
  kind: DeformationKind;
  low: number;
  high: number;
  file: string | null;
}

/** An ordered list of deformations. */
export interface Scenario {
  /** Equal for equal scenarios: part of the key of an embedding space. */
  key: string;
  /** “noise at 15 dB SNR, then gain −12 dB” */
  title: string;
  steps: readonly Step[];
  /** The number a degradation curve is drawn over: of a single step with one value; else null. */
  value: { type: string; at: number } | null;
}

/** @throws ScenarioError naming the first step that cannot be understood */
export function scenarioOf(steps: readonly DeformationStep[]): Scenario {
  const parsed = steps.map(stepOf);
  const [only] = parsed;
  return {
    key: keyOf(
      parsed,
      parsed.map(({ file }) => file),
    ),
    title: parsed.map(title).join(', then '),
    steps: parsed,
    value:
      parsed.length === 1 && only && only.kind.parameters.length > 0 && only.low === only.high
        ? { type: only.kind.type, at: only.low }
        : null,
  };
}

/** A step with its range, as it goes to another machine. */
export interface PlainStep {
  type: string;
  low: number;
  high: number;
}

/** The steps of a scenario that needs no other file and no program; null for one that does. */
export function plainSteps({ steps }: Scenario): PlainStep[] | null {
  return steps.some(({ kind, file }) => file !== null || kind.outside !== undefined)
    ? null
    : steps.map(({ kind: { type }, low, high }) => ({ type, low, high }));
}

/** The same scenario again. @throws ScenarioError */
export function scenarioOfPlain(plain: readonly PlainStep[]): Scenario {
  return scenarioOf(
    plain.map(({ type, low, high }) => {
      const [range] = deformationKinds.find((kind) => kind.type === type)?.parameters ?? [];
      return { type, params: range ? { [range.min[0] ?? '']: low, [range.max[0] ?? '']: high } : {} };
    }),
  );
}

function keyOf(steps: readonly Step[], files: readonly (string | null)[]): string {
  return JSON.stringify(steps.map(({ kind, low, high }, i) => [kind.type, low, high, files[i] ?? null]));
}

/**
 * The same scenario with its files where they are. What they hold takes the place of their names in the key: files of one
 * name may differ.
 * @param found where the file of a name is, and the SHA-256 of its content
 */
export async function withFiles(
  scenario: Scenario,
  found: (name: string) => Promise<{ path: string; sha256: string }>,
): Promise<Scenario> {
  const files: ({ path: string; sha256: string } | null)[] = [];
  for (const { file } of scenario.steps) files.push(file === null ? null : await found(file));
  const steps = scenario.steps.map((step, i) => ({ ...step, file: files[i]?.path ?? null }));
  return {
    ...scenario,
    key: keyOf(
      steps,
      files.map((file) => file?.sha256 ?? null),
    ),
    steps,
  };
}

function stepOf({ type, params }: DeformationStep): Step {
  const kind = deformationKinds.find((known) => known.type === type);
  if (!kind)
    throw new ScenarioError(
      `“${type}” is no deformation that is known; there are ${deformationKinds.map((k) => k.type).join(', ')}.`,
    );
  const [range] = kind.parameters;
  const file = kind.file === undefined ? undefined : params[kind.file];
  if (file !== undefined && typeof file !== 'string') throw new ScenarioError(`${type} takes a file name.`);
  const step = { kind, low: 0, high: 0, file: file ?? null };
  if (!range) return step;
  const read = (names: readonly string[]): number | undefined => {
    const name = names.find((one) => params[one] !== undefined);
    const value = name === undefined ? undefined : Number(params[name]);
    if (value !== undefined && !(value >= range.low && value <= range.high))
      throw new ScenarioError(`${type}: ${name ?? ''} lies between ${range.low} and ${range.high}.`);
    return value;
  };
  const [min, max] = [read(range.min), read(range.max)];
  const low = min ?? max;
  const high = max ?? min;
  if (low === undefined || high === undefined)
    throw new ScenarioError(`${type} needs ${range.min[0] ?? ''} and ${range.max[0] ?? ''}.`);
  if (low > high) throw new ScenarioError(`${type}: ${range.min[0] ?? ''} is above ${range.max[0] ?? ''}.`);
  return { ...step, low, high };
}

function title({ kind, low, high, file }: Step): string {
  const text = (value: number): string => String(value).replace('-', '−');
  if (kind.parameters.length === 0) return kind.says(file?.split(/[/\\]/).at(-1) ?? '');
  return kind.says(low === high ? text(low) : `${text(low)} to ${text(high)}`);
}

/** What a step needs that may not be there: `ffmpeg`. */
export function neededBy({ steps }: Scenario): 'ffmpeg' | null {
  return steps.some(({ kind }) => kind.outside === 'ffmpeg') ? 'ffmpeg' : null;
}

/**
 * Takes a sound through a scenario. The same seed gives the same samples.
 * @throws ScenarioError where silence comes out of a sound, or numbers that are none
 */
export async function deform(
  sound: Sound,
  { steps }: Scenario,
  seed: number,
  tools: DeformationTools,
): Promise<{ samples: Float32Array; measures: DeformationMeasure[] }> {
  const random = new Random(seed);
  const measures: DeformationMeasure[] = [];
  let { samples } = sound;
  for (const { kind, low, high, file } of steps) {
    const value = low + (high - low) * (low === high ? 0 : random.uniform());
    const before = { ...sound, samples };
    const after = await kind.apply(before, value, { random, tools, file });
    if (!after.every(Number.isFinite)) throw new ScenarioError(`${kind.title} gave numbers that are none.`);
    if (peakOf(samples) > SILENT && peakOf(after) <= SILENT)
      throw new ScenarioError(`${kind.title} makes silence of a sound.`);
    const measure = kind.measure(before, after, value);
    if (measure) measures.push(measure);
    samples = after;
  }
  return { samples, measures };
}

function peakOf(samples: Float32Array): number {
  return samples.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}
