import type { Experiment } from '../../../engine/api/experiments.ts';
import type { PrototypeInfo } from '../../../engine/api/prototypes.ts';

/** A class in the list of the Prototypes view. */
export interface ClassRow {
  name: string;
  /** Prototypes it has. */
  count: number;
  /** Prototypes no training window is nearest to. */
  dead: number;
  /** On the test part; null where it was not measured, as where no test track bears the class. */
  f1: number | null;
}

/** The classes of an experiment in their order. */
export function classRows(
  { classes, metrics }: Pick<Experiment, 'classes' | 'metrics'>,
  prototypes: readonly PrototypeInfo[],
): ClassRow[] {
  const test = metrics.find(({ split }) => split === 'test');
  const f1 = new Map(
    test?.perClass.flatMap((report) => (report.support === 0 ? [] : [[report.class, report.f1] as const])),
  );
  const rows = new Map(classes.map((name) => [name, { name, count: 0, dead: 0, f1: f1.get(name) ?? null }]));
  for (const { class: name, support } of prototypes) {
    const row = rows.get(name);
    if (!row) continue;
    row.count += 1;
    if (support === 0) row.dead += 1;
  }
  return [...rows.values()];
}
