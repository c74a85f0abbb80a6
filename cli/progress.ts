import type { CurvePoint } from '../engine/api/experiments.ts';
import type { JobProgress } from '../engine/api/jobs.ts';
import { counted } from '../engine/counted.ts';
import { duration, percent } from './text.ts';

/** Where progress is written: standard error. */
export interface ProgressOutput {
  isTTY?: boolean;
  columns?: number;
  write(text: string): unknown;
}

/** Without a terminal a line is written now and then rather than rewritten in place. */
const LINE_INTERVAL_MS = 5000;

/** One line that tells how far a job is. */
export class ProgressLine {
  readonly #output: ProgressOutput;
  #last = '';
  #written = 0;
  #waiting = '';

  constructor(output: ProgressOutput) {
    this.#output = output;
  }

  /** Shows how far the job is. */
  show(title: string, progress: JobProgress, point: CurvePoint | null = null): void {
    const line = describe(title, progress, point);
    if (line === this.#last) return;
    if (this.#output.isTTY === true) {
      const room = (this.#output.columns ?? 80) - 1;
      this.#output.write(`\r\u001b[2K${Array.from(line).slice(0, room).join('')}`);
    } else {
      if (progress.done === 0 && progress.total === 0) return;
      const now = performance.now();
      this.#waiting = line;
      if (this.#written === 0 || now - this.#written >= LINE_INTERVAL_MS) this.#writeWaiting(now);
    }
    this.#last = line;
  }

  /** Ends the line, so that what follows starts on a clean one; without a terminal the last state is still told. */
  clear(): void {
    if (this.#output.isTTY === true && this.#last !== '') this.#output.write('\r\u001b[2K');
    else this.#writeWaiting(0);
    this.#last = '';
    this.#written = 0;
  }

  #writeWaiting(now: number): void {
    if (this.#waiting !== '') this.#output.write(`${this.#waiting}\n`);
    this.#waiting = '';
    this.#written = now;
  }
}

/** `Import  12/207 files · 34 windows · 95.0 audio s/s · 1 failed · ETA 3 s` */
export function describe(title: string, progress: JobProgress, point: CurvePoint | null = null): string {
  const { done, total, unit, windows, failures, audioSecondsPerSecond, etaSeconds } = progress;
  const parts = [
    total > 0
      ? `${done}/${total}${unit === '' ? '' : ` ${unit}`}`
      : done > 0
        ? `${done} ${unit}`.trim()
        : '…',
  ];
  if (windows > 0) parts.push(counted(windows, 'window'));
  if (audioSecondsPerSecond !== null) parts.push(`${audioSecondsPerSecond.toFixed(1)} audio s/s`);
  if (point) parts.push(`loss ${point.loss.toFixed(4)}`, trainingScore(point));
  if (failures > 0) parts.push(`${failures} failed`);
  if (etaSeconds !== null) parts.push(`ETA ${duration(etaSeconds)}`);
  return `${title}  ${parts.join(' · ')}`;
}

function trainingScore({ trainAccuracy, trainMicroF1 }: CurvePoint): string {
  return trainMicroF1 === null ? `accuracy ${percent(trainAccuracy)}` : `micro F1 ${percent(trainMicroF1)}`;
}
