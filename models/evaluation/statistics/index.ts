export { bootstrap, type Interval } from './bootstrap.ts';
export { friedman, type FriedmanResult } from './friedman.ts';
export { mcnemar, type McNemarResult } from './mcnemar.ts';
export { nemenyi, type NemenyiResult } from './nemenyi.ts';
export { resampled, type Resampled } from './resampled.ts';
export { holm, wilcoxon, type WilcoxonResult } from './wilcoxon.ts';
