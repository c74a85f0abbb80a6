/** Prototypes of an experiment whose sounds are to be there before they are asked for. */
export interface WantedSounds {
  experimentId: string;
  /** Of a large network too: somebody looks at its prototypes. */
  all: boolean;
}

/** What is edited or chosen in passing starts nothing. */
const SETTLED_MS = 3000;

/** Decides when sounds are made ahead: some time after something else is wanted, and no more at once when nothing is. */
export class BackgroundSounds {
  readonly #start: (wanted: WantedSounds | null) => Promise<void>;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param start has them made; null: no more of them */
  constructor(start: (wanted: WantedSounds | null) => Promise<void>) {
    this.#start = start;
  }

  /** Each call takes the place of the one before. */
  want(wanted: WantedSounds | null): void {
    clearTimeout(this.#timer);
    if (wanted) this.#timer = setTimeout(() => void this.#start(wanted), SETTLED_MS);
    else void this.#start(null);
  }

  /** Nothing is asked for any more; what was goes on. */
  stop(): void {
    clearTimeout(this.#timer);
  }
}
