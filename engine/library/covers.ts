/** In the name of a picture that is kept, so that whoever looks at covers can say why not at this one, but is never shown. */
export const LARGE_COVER = '.large.';

/** Whether a kept picture may be drawn. */
export const isShown = (name: string): boolean => !name.includes(LARGE_COVER);
