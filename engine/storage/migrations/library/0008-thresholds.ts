/**
 * A revision of an experiment has thresholds besides its network: JSON, one per class; null for a single-label task, and
 * for several labels where the revision is older than thresholds, which then are ½.
 */
export const sql = `
ALTER TABLE experiment_revisions ADD COLUMN thresholds TEXT;
`;
