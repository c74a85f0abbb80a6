export { friedman, type FriedmanResult } from './friedman.ts';
export { nemenyi, type NemenyiResult } from './nemenyi.ts';
export { holm, wilcoxon, type WilcoxonResult } from './wilcoxon.ts';
