import { metricDescriptions } from '../../../models/evaluation/metrics/catalogue.ts';
import { knnClassifiers } from '../../../models/knn/index.ts';
import { reductionMethods } from '../../../models/reduction/index.ts';
import type { StudyChoices } from '../../api/studies.ts';

/** What a study can be made of, from the registries of the models. */
export function studyChoices(): StudyChoices {
  return {
    methods: reductionMethods.map(({ name, title, description, kind, seeded, oneLabel, parameters }) => ({
      ...{ id: name, title, description, kind, seeded, oneLabel },
      parameters: [...parameters],
    })),
    classifiers: knnClassifiers.map(({ name, title, description }) => ({ id: name, title, description })),
    metrics: [...metricDescriptions],
  };
}
