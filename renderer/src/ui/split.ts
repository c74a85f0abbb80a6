export interface Split {
  train: number;
  validation: number;
  test: number;
}

/** Slider positions in per cent: where training ends, and where validation ends. */
export function toHandles(split: Split, validation: boolean): number[] {
  const train = Math.round(split.train * 100);
  return validation ? [train, Math.round((split.train + split.validation) * 100)] : [train];
}

/** Shares that sum to exactly one to within rounding of whole per cents. */
export function fromHandles(handles: number[], validation: boolean): Split {
  const train = Math.max(5, Math.min(handles[0] ?? 70, 95));
  // Something must be left to test on.
  const end = validation ? Math.min(95, Math.max(train, handles[1] ?? train)) : train;
  return { train: train / 100, validation: (end - train) / 100, test: (100 - end) / 100 };
}
