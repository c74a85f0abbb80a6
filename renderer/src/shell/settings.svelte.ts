export type Theme = 'system' | 'light' | 'dark';

interface Saved {
  theme: Theme;
  auditionOnSelect: boolean;
  volume: number;
  spectrogram: boolean;
  inspector: boolean;
  /** Sounds of prototypes are made ahead, while nothing else is under way. */
  soundsInBackground: boolean;
  /** What is seldom changed about a training is shown. */
  trainMore: boolean;
  lastLibraryId: string | null;
  /** The view that was open last. */
  lastView: string;
}

const key = 'archetone.settings';
const defaults: Saved = {
  theme: 'system',
  auditionOnSelect: true,
  volume: 0.8,
  spectrogram: false,
  inspector: true,
  soundsInBackground: true,
  trainMore: false,
  lastLibraryId: null,
  lastView: 'library',
};

function read(): Saved {
  try {
    const parsed: unknown = JSON.parse(localStorage.getItem(key) ?? '{}');
    return typeof parsed === 'object' && parsed !== null ? { ...defaults, ...parsed } : defaults;
  } catch {
    // No storage, or not ours: the defaults do.
    return defaults;
  }
}

/** The window's own preferences, kept between starts. */
export class Settings {
  #saved = $state<Saved>(read());

  get theme(): Theme {
    return this.#saved.theme;
  }
  get auditionOnSelect(): boolean {
    return this.#saved.auditionOnSelect;
  }
  get volume(): number {
    return this.#saved.volume;
  }
  get spectrogram(): boolean {
    return this.#saved.spectrogram;
  }
  get inspector(): boolean {
    return this.#saved.inspector;
  }
  get soundsInBackground(): boolean {
    return this.#saved.soundsInBackground;
  }
  get trainMore(): boolean {
    return this.#saved.trainMore;
  }
  get lastLibraryId(): string | null {
    return this.#saved.lastLibraryId;
  }

  get lastView(): string {
    return this.#saved.lastView;
  }

  change(change: Partial<Saved>): void {
    this.#saved = { ...this.#saved, ...change };
    try {
      localStorage.setItem(key, JSON.stringify(this.#saved));
    } catch {
      // Without storage the choice holds until the window closes.
    }
  }
}
