import { existsSync } from 'node:fs';
import { probeTitle } from '../../models/probes/probe.ts';
import type { ParsedInput } from '../api/contract.ts';
import type { EvaluationFileInfo } from '../api/evaluations.ts';
import type { EngineContext } from '../context.ts';
import type { CallContext } from '../wire/contract.ts';
import { splitCount } from './plan-cells.ts';
import { evaluationSource, namedBy, nameOfFile, placeOf } from './source.ts';
import { OWN_TITLE } from './active-run.ts';
import { spaceParts } from './layers.ts';
import { OWN_VECTORS, type PlannedDataset } from './yaml-data-sets.ts';
import { readEvaluationFile, type PlannedExperiment } from './yaml.ts';

/** What a file would run, and what of it is not there. @throws EngineError `not-found`, `bad-input` saying where */
export async function describeEvaluation(
  context: EngineContext,
  asked: ParsedInput<'evaluations.read'>,
  mayName: CallContext['mayName'],
): Promise<EvaluationFileInfo> {
  const { content } = await evaluationSource(asked.file);
  const { experiments, marks } = readEvaluationFile(content);
  for (const [e, { features }] of experiments.entries())
    for (const [f, id] of features.entries())
      if (id !== OWN_VECTORS && !context.packs.find(spaceParts(id).packId))
        marks.push({
          at: `experiments[${e}].features[${f}]`,
          message: `There is no pack “${spaceParts(id).packId}”; it is not run.`,
        });
  const datasets = experiments.flatMap((experiment) => experiment.datasets);
  return {
    name: nameOfFile(asked.file),
    text: content,
    marks,
    experiments: experiments.map((experiment) => ({
      task: experiment.task,
      groupBy: experiment.groupBy,
      datasets: experiment.datasets.map(({ name, type, scenarios, testOn }) => ({
        name: testOn ? `${name} → ${testOn.dataset.name}` : name,
        type,
        deformations: scenarios.map(({ title }) => title),
      })),
      spaces: spacesOf(experiment).flatMap((id) => [
        id === OWN_VECTORS ? OWN_TITLE : id,
        ...(experiment.groups && context.packs.find(id) ? context.packs.featureGroups(id) : []).map(
          ({ name }) => `${id}: ${name}`,
        ),
      ]),
      probes: experiment.probes.map(probeTitle),
      seeds: experiment.seeds.length,
      // What is tested elsewhere is tested once.
      splits: experiment.datasets.every(({ testOn }) => testOn) ? 1 : splitCount(experiment.split),
    })),
    missing: [...new Set(datasets.flatMap((dataset) => missingOf(context, asked, dataset, mayName)))],
  };
}

/** Packs, where there is sound; of data set files what they hold. */
function spacesOf({ features, datasets }: PlannedExperiment): string[] {
  const packs = features.filter((id) => id !== OWN_VECTORS);
  return [
    ...(datasets.some(({ type }) => type !== 'file') ? packs : []),
    ...(datasets.some(({ type }) => type === 'file') ? [OWN_VECTORS] : []),
  ];
}

/** A window learns nothing of a place that nobody chose, not even whether it is there. */
function missingOf(
  context: EngineContext,
  asked: ParsedInput<'evaluations.read'>,
  dataset: PlannedDataset,
  mayName: CallContext['mayName'],
): string[] {
  return namedBy(dataset).flatMap(({ named, type }) => {
    try {
      const path = placeOf(context, asked, named, type);
      const chosen = mayName === null || path === context.options.demoFolder || mayName(path);
      return chosen && existsSync(path) ? [] : [named];
    } catch {
      return [named];
    }
  });
}
