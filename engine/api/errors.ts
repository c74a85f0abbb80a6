/** The typed error of the contract; every wire carries it as data. */
export * from '../wire/errors.ts';
