import { trainRequestSchema } from '../../../engine/api/experiments.ts';
import type { TrainRequest } from '../../../engine/api/domain.ts';

/** The contract's own defaults, so that the window and the command line start from the same. */
export const trainDefaults: Omit<TrainRequest, 'taxonomyId'> = trainRequestSchema
  .omit({ taxonomyId: true })
  .parse({});
