import { metricDescriptions } from '../../../models/evaluation/metrics/catalogue.ts';
import { knnClassifiers } from '../../../models/knn/index.ts';
import type { StudyChoices } from '../../api/studies.ts';
import { methods } from './methods.ts';

/** What a study can be made of, from the registries of the models. */
export function studyChoices(): StudyChoices {
  return {
    methods: [...methods],
    classifiers: knnClassifiers.map(({ name, title, description }) => ({ id: name, title, description })),
    metrics: [...metricDescriptions],
  };
}
