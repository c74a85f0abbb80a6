import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import type { Scenario } from '../../models/deformations/scenario.ts';
import { EngineError } from '../api/errors.ts';
import { writeWhole } from '../files/write-whole.ts';
import { understood, type ActiveRun, type Cell } from './active-run.ts';
import type { Task } from './tasks.ts';

/** What a deformation did to a track. */
const measuredSchema = z.looseObject({ dataset: z.string(), deformation: z.string(), path: z.string() });
type Measured = z.output<typeof measuredSchema>;

/** Measures every deformation on the audio it will be tested on. @throws EngineError where one is not what it should be */
export async function measureDeformations(run: ActiveRun, cells: readonly Cell[]): Promise<void> {
  const wanted = new Map(
    cells.flatMap(({ task, scenario }) =>
      scenario ? [[`${task.fingerprint} ${scenario.key}`, { task, scenario }]] : [],
    ),
  );
  const report: Measured[] = [];
  let done = 0;
  for (const { task, scenario } of wanted.values()) {
    const say = (path: string): void =>
      run.job.report({
        ...{ done, total: wanted.size, unit: 'deformations' },
        current: `${scenario.title}: ${path}`,
      });
    report.push(...(await measured(run, task, scenario, say)));
    done += 1;
  }
  await writeWhole(join(run.folder, 'deformations.json'), `${JSON.stringify(report, null, 1)}\n`);
}

/** What one deformation does to a few tracks of a task; measured once, also where the run was ended in between. */
async function measured(
  { context, job, folder, vectors }: ActiveRun,
  task: Task,
  scenario: Scenario,
  say: (path: string) => void,
): Promise<Measured[]> {
  const key = [context.options.version, task.title, task.fingerprint, scenario.key];
  const hash = createHash('sha256').update(JSON.stringify(key)).digest('hex').slice(0, 24);
  const file = join(folder, `measured-${hash}.json`);
  if (existsSync(file)) return z.array(measuredSchema).parse(JSON.parse(await readFile(file, 'utf8')));
  const report: Measured[] = [];
  // A few tracks tell whether it does what it says; each of them whole.
  const looked = task.items.filter((_, i) => i % Math.max(1, Math.floor(task.items.length / 8)) === 0);
  for (const item of looked) {
    await job.checkpoint();
    say(item.path);
    const { measures } = await understood(() => vectors.deformed(item, scenario, job.signal), item.path);
    for (const measure of measures) {
      report.push({ dataset: task.title, deformation: scenario.title, path: item.path, ...measure });
      // A shift is written down and ends nothing: of plucked notes whose partials fade apart it is not found to 5 cents.
      if (Math.abs(measure.found - measure.wanted) > measure.tolerance && measure.name !== 'shift')
        throw new EngineError(
          'internal',
          `${scenario.title} of ${item.path}: ${measure.name} is ${measure.found.toFixed(2)} ${measure.unit}, not ${measure.wanted}.`,
          'Report this, with the file.',
        );
    }
  }
  await writeWhole(file, `${JSON.stringify(report)}\n`);
  job.kept();
  return report;
}
