/** How audio gets to a worker: from a folder that its machine sees, sent over the queue, or sent where the folder does not hold it. */
export const audioWays = ['folder', 'sent', 'either'] as const;
export type AudioWay = (typeof audioWays)[number];
