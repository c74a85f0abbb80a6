import type { DatasetLabels } from '../engine/api/corpora.ts';
import { EngineError } from '../engine/api/errors.ts';

/**
 * Which columns of a data set are labels, as `--labels` and `--label-count` say it; null: as the file says it.
 * @throws EngineError `bad-input` when both are given
 */
export function datasetLabels(options: { labels?: string; labelCount?: number }): DatasetLabels | null {
  const { labels, labelCount } = options;
  if (labels !== undefined && labelCount !== undefined)
    throw new EngineError('bad-input', 'Labels are told twice.', 'Give --labels or --label-count, not both.');
  if (labels !== undefined) return { kind: 'xml', path: labels };
  return labelCount === undefined ? null : { kind: 'last', count: labelCount };
}
