/** Loaded before a program: its clock is off by so many milliseconds. */
const off = Number(process.env['ARCHETONE_TEST_CLOCK_MS'] ?? 0);
const Right = Date;

globalThis.Date = class extends Right {
  constructor(...parts) {
    if (parts.length === 0) super(Right.now() + off);
    else super(...parts);
  }

  static now() {
    return Right.now() + off;
  }
};
