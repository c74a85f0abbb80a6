/** Scores of a network on whole tracks. */
export interface TrackScores {
  /** Single-label: share of right answers. Multilabel: share of right label decisions (1 − Hamming loss). */
  accuracy: number;
  /** Single-label: mean recall over the classes present. Multilabel: mean over labels of (sensitivity + specificity)/2. */
  balancedAccuracy: number;
}

/**
 * Scores tracks by the mean of their windows' logits.
 * @param logits [n, C]; @param labels [n, C] 0/1, equal within a track; @param trackOf [n] any track number.
 */
export function scoreTracks(
  logits: Float32Array,
  labels: ArrayLike<number>,
  trackOf: Int32Array,
  classes: number,
  task: 'single' | 'multi',
): TrackScores {
  const tracks = new Map<number, { sum: Float64Array; first: number }>();
  trackOf.forEach((track, row) => {
    let entry = tracks.get(track);
    if (entry === undefined) tracks.set(track, (entry = { sum: new Float64Array(classes), first: row }));
    // The sum serves as well as the mean: only its sign and its largest entry are read.
    for (let c = 0; c < classes; c++) entry.sum[c] = (entry.sum[c] ?? 0) + (logits[row * classes + c] ?? 0);
  });
  // Per class: [truth][answer] counts of "is of the class".
  const counts = Array.from({ length: classes }, () => ({ hit: 0, miss: 0, falseAlarm: 0, pass: 0 }));
  for (const { sum, first } of tracks.values()) {
    const top = sum.indexOf(Math.max(...sum));
    counts.forEach((count, c) => {
      const truth = labels[first * classes + c] === 1;
      const answer = task === 'single' ? c === top : (sum[c] ?? 0) > 0;
      count[truth ? (answer ? 'hit' : 'miss') : answer ? 'falseAlarm' : 'pass'] += 1;
    });
  }
  const total = (key: keyof (typeof counts)[number]): number =>
    counts.reduce((sum, count) => sum + count[key], 0);
  const right = task === 'single' ? total('hit') : (total('hit') + total('pass')) / classes;
  const perClass = counts.flatMap(({ hit, miss, falseAlarm, pass }) => {
    if (hit + miss === 0 || (task === 'multi' && falseAlarm + pass === 0)) return [];
    const recall = hit / (hit + miss);
    return [task === 'single' ? recall : (recall + pass / (falseAlarm + pass)) / 2];
  });
  return {
    accuracy: right / tracks.size,
    balancedAccuracy: perClass.length === 0 ? 0 : perClass.reduce((a, b) => a + b, 0) / perClass.length,
  };
}
