/** What a map shows besides its points. */
export interface MapOptions {
  stars: boolean;
  /** Stars are the larger the more training windows they stand for. */
  bySupport: boolean;
  density: boolean;
  labels: boolean;
  /** Lines from what is selected to what really sounds most alike. */
  links: boolean;
  minimap: boolean;
  /** Points sound when the pointer rests on them. */
  listen: boolean;
}

const key = 'archetone.map';
const defaults: MapOptions = {
  stars: true,
  bySupport: false,
  density: false,
  labels: false,
  links: false,
  minimap: true,
  listen: false,
};

/** @returns what was chosen last, as far as it can be read */
export function keptOptions(): MapOptions {
  try {
    const parsed: unknown = JSON.parse(localStorage.getItem(key) ?? '{}');
    if (typeof parsed !== 'object' || parsed === null) return defaults;
    const known = Object.entries(parsed).filter(
      ([name, value]) => name in defaults && typeof value === 'boolean',
    );
    return { ...defaults, ...Object.fromEntries(known) };
  } catch {
    return defaults;
  }
}

export function keepOptions(options: MapOptions): void {
  try {
    localStorage.setItem(key, JSON.stringify(options));
  } catch {
    // Without storage the choice holds until the window closes.
  }
}
