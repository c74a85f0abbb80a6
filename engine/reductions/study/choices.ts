import { metricDescriptions } from '../../../models/evaluation/metrics/catalogue.ts';
import { knnClassifiers } from '../../../models/knn/index.ts';
import {
  findReductionMethod,
  reductionMethods,
  type ReductionMethodEntry,
} from '../../../models/reduction/index.ts';
import type { MethodInfo, StudyChoices } from '../../api/studies.ts';

/** What a study can be made of, from the registries of the models. */
export function studyChoices(): StudyChoices {
  return {
    methods: reductionMethods.map(methodInfo),
    classifiers: knnClassifiers.map(({ name, title, description }) => ({ id: name, title, description })),
    metrics: [...metricDescriptions],
  };
}

/**
 * What a method of that name takes.
 * @throws ReductionError `method` when there is none
 */
export function methodNamed(name: string): MethodInfo {
  return methodInfo(findReductionMethod(name));
}

function methodInfo(method: ReductionMethodEntry): MethodInfo {
  const { name, title, description, kind, seeded, oneLabel, parameters } = method;
  return { id: name, title, description, kind, seeded, oneLabel, parameters: [...parameters] };
}
