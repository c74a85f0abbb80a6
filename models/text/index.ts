/** Text as files hold it: encodings, delimiters, missing values, spreadsheet formulas. */
export * from './cells.ts';
export * from './counted.ts';
export * from './delimiter.ts';
export * from './encoding.ts';
export * from './formula.ts';
export * from './xml.ts';
