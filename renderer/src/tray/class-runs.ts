import type { FileClassification } from '../../../engine/api/classify.ts';
import { clock } from '../ui/format.ts';
import type { ClassLook } from '../ui/palette.ts';

/** Neighbouring windows of one class. */
export interface ClassRun {
  class: string;
  startSeconds: number;
  endSeconds: number;
}

/** More of them are not named one by one. */
const MOST_NAMED = 12;

/** The classes of a file in time: from its first window to its end, without gaps. */
export function classRuns({
  windows,
  durationSeconds,
}: Pick<FileClassification, 'windows' | 'durationSeconds'>): ClassRun[] {
  const runs: ClassRun[] = [];
  windows.forEach((window, place) => {
    const endSeconds = windows[place + 1]?.startSeconds ?? Math.max(durationSeconds, window.startSeconds);
    const last = runs.at(-1);
    if (last?.class === window.class) last.endSeconds = endSeconds;
    else runs.push({ class: window.class, startSeconds: window.startSeconds, endSeconds });
  });
  return runs;
}

/** The same as one background: a strip of a thousand windows is one element. */
export function stripOf(runs: readonly ClassRun[], lookOf: (name: string) => ClassLook): string {
  const end = runs.at(-1)?.endSeconds ?? 0;
  if (end <= 0) return 'none';
  const at = (seconds: number): string => `${((100 * seconds) / end).toFixed(2)}%`;
  const stops = runs.map(
    (run) => `${lookOf(run.class).colour} ${at(run.startSeconds)} ${at(run.endSeconds)}`,
  );
  return `linear-gradient(to right, ${stops.join(', ')})`;
}

/** The same in words. */
export function namesOf(runs: readonly ClassRun[]): string {
  const named = runs
    .slice(0, MOST_NAMED)
    .map((run) => `${run.class} ${clock(run.startSeconds, true)}–${clock(run.endSeconds, true)}`);
  const rest = runs.length - named.length;
  return [...named, ...(rest > 0 ? [`and ${String(rest)} more`] : [])].join(', ');
}
