import { trainRequestSchema, type TrainRequest } from '../../../engine/api/experiments.ts';

/** The contract's own defaults, so that the window and the command line start from the same. */
export const trainDefaults: Omit<TrainRequest, 'taxonomyId'> = trainRequestSchema
  .omit({ taxonomyId: true })
  .parse({});
