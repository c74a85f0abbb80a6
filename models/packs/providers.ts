import { listProviders, type ProviderName } from './provider-names.ts';
import type { Pack } from './manifest.ts';
import { inlineRunner, type Measurement, type ProviderRunner } from './provider-measure.ts';

/**
 * Largest difference from the CPU that counts as correct, relative to the largest magnitude of the CPU's output (and
 * absolute for outputs below 1). Float32 kernels in another order of summation stay below 1e-4; TensorFloat-32, which
 * CUDA uses for products of matrices, reaches 1e-3; a wrong kernel is off by far more.
 */
export const PROVIDER_TOLERANCE = 5e-3;
const DEFAULT_TIMEOUT_MS = 60_000;

/** How one provider did. */
export interface ProviderReport {
  provider: ProviderName;
  /** Whether the installed ONNX Runtime offers it and it ran the pack. */
  available: boolean;
  /** Whether it agrees with the CPU within {@link PROVIDER_TOLERANCE}; null when it did not run. */
  correct: boolean | null;
  /** Largest absolute difference from the CPU over embedding, v-prediction and decoded sound. */
  maxAbsDifference: number | null;
  windowsPerSecond: number | null;
  /** The fastest correct one. */
  chosen: boolean;
  /** For people: what was found, or why it cannot be used. */
  message: string;
}

/** Options of {@link checkProviders}. */
export interface CheckOptions {
  signal?: AbortSignal;
  /** Default: all that ONNX Runtime offers; `cpu` is always measured, as the reference. */
  providers?: ProviderName[];
  /** For each provider; default 60 000. */
  timeoutMs?: number;
  /** Where to measure; without it only the CPU is measured, in this process. */
  runner?: ProviderRunner;
}

/**
 * Measures each provider once with fixed inputs against the CPU, and chooses the fastest correct one. A provider that
 * is missing, fails, crashes, hangs or is wrong is reported in `message`, never thrown.
 * @throws only the signal's reason
 */
export async function checkProviders(pack: Pack, options: CheckOptions = {}): Promise<ProviderReport[]> {
  const wanted = options.providers ?? listProviders();
  const offered = listProviders();
  const reference = await measure(pack, 'cpu', options);
  const reports: ProviderReport[] = [];
  for (const provider of new Set<ProviderName>([...wanted, 'cpu'])) {
    options.signal?.throwIfAborted();
    if (!offered.includes(provider)) {
      const where = `${process.platform} ${process.arch}`;
      reports.push(unusable(provider, `not part of the installed ONNX Runtime on ${where}`));
    } else if (provider === 'cpu') {
      reports.push(compare(provider, reference, reference));
    } else {
      reports.push(compare(provider, await measure(pack, provider, options), reference));
    }
  }
  return choose(reports);
}

/** A measurement, or why there is none. */
type Outcome = Measurement | string;

async function measure(pack: Pack, provider: ProviderName, options: CheckOptions): Promise<Outcome> {
  // The CPU does no harm in this process; other providers bring drivers that may crash it.
  const runner = options.runner ?? (provider === 'cpu' ? inlineRunner : null);
  if (runner === null) return 'not checked: there is no separate process to check it in';
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  const timeout = AbortSignal.timeout(timeoutMs);
  const signal = options.signal ? AbortSignal.any([options.signal, timeout]) : timeout;
  let onAbort: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(new Error(`no answer within ${timeoutMs / 1000} s`));
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
  });
  try {
    return await Promise.race([runner({ packFolder: pack.folder, provider }, signal), aborted]);
  } catch (error) {
    options.signal?.throwIfAborted();
    return `failed: ${firstLine(error)}`;
  } finally {
    if (onAbort) signal.removeEventListener('abort', onAbort);
  }
}

/** Native errors come with whole stack traces; people get the first line. */
function firstLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return (text.split('\n')[0] ?? '').slice(0, 400);
}

function compare(provider: ProviderName, found: Outcome, reference: Outcome): ProviderReport {
  if (typeof found === 'string') return unusable(provider, found);
  const { windowsPerSecond } = found;
  const speed = `${windowsPerSecond.toPrecision(3)} windows/s`;
  const ran = { provider, available: true, windowsPerSecond, chosen: false };
  if (typeof reference === 'string')
    return {
      ...ran,
      correct: null,
      maxAbsDifference: null,
      message: `${speed}, not compared: CPU ${reference}`,
    };
  const { maxAbsDifference, correct } = difference(found.outputs, reference.outputs);
  const verdict = correct ? 'correct' : 'wrong results';
  const message = `${verdict}, ${speed}, differs from the CPU by ${maxAbsDifference.toExponential(1)}`;
  return { ...ran, correct, maxAbsDifference, message: provider === 'cpu' ? `reference, ${speed}` : message };
}

function difference(found: readonly Float32Array[], reference: readonly Float32Array[]) {
  let maxAbsDifference = 0;
  // A slow provider leaves out the batch at the end.
  let correct = found.length > 0;
  found.forEach((actual, i) => {
    const expected = reference[i];
    if (actual.length !== expected?.length) {
      correct = false;
      return;
    }
    let largest = 0;
    let magnitude = 1;
    expected.forEach((value, j) => {
      largest = Math.max(largest, Math.abs((actual[j] ?? NaN) - value));
      magnitude = Math.max(magnitude, Math.abs(value));
    });
    // Written so that NaN counts as wrong.
    if (!(largest <= PROVIDER_TOLERANCE * magnitude)) correct = false;
    maxAbsDifference = Math.max(maxAbsDifference, largest);
  });
  return { maxAbsDifference, correct };
}

function unusable(provider: ProviderName, message: string): ProviderReport {
  return {
    provider,
    available: false,
    correct: null,
    maxAbsDifference: null,
    windowsPerSecond: null,
    chosen: false,
    message,
  };
}

function choose(reports: ProviderReport[]): ProviderReport[] {
  const correct = reports.filter((report) => report.correct === true);
  const fastest = correct.sort((a, b) => (b.windowsPerSecond ?? 0) - (a.windowsPerSecond ?? 0))[0];
  return reports.map((report) => ({ ...report, chosen: report === fastest }));
}
