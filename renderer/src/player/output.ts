/** Where the player's sound goes, and how loud. */

/** The system's own choice. */
export const DEFAULT_OUTPUT = '';

/**
 * The output of an audio element. Volume and lowering are the element's own; only what raises a sound beyond its file goes
 * through a graph of the Web Audio API, which is made when it is first needed and sleeps while nothing plays.
 */
export class Output {
  readonly #audio: HTMLAudioElement;
  #context: AudioContext | null = null;
  #gain: GainNode | null = null;
  #device = DEFAULT_OUTPUT;
  #volume = 1;
  #gainDb = 0;
  /** Changes of the graph's output that are going on. */
  #changes = 0;

  constructor(audio: HTMLAudioElement) {
    this.#audio = audio;
  }

  /** @param volume 0…1 · @param gainDb on top of it, dB */
  set(volume: number, gainDb: number): void {
    this.#volume = volume;
    this.#gainDb = gainDb;
    const wanted = volume * 10 ** (gainDb / 20);
    if (wanted > 1 && !this.#gain) this.#makeGraph();
    if (this.#gain) {
      this.#audio.volume = 1;
      this.#gain.gain.value = wanted;
    } else this.#audio.volume = Math.min(1, wanted);
  }

  /**
   * To be called when the element is to play: a graph that sleeps lets nothing through. Not waited for: where no output is
   * there, or it is taken, that never ends; the element goes on as soon as the graph does. One that is still going to sleep
   * calls itself running.
   */
  wake(): void {
    if (this.#changes === 0) void this.#context?.resume().catch(() => undefined);
  }

  /** No processor is needed for silence; does nothing where the element has been asked to play again. */
  sleep(): void {
    if (this.#silent) void this.#context?.suspend().catch(() => undefined);
  }

  /** @throws DOMException where the device is not there, or the system refuses it */
  async send(device: string): Promise<void> {
    if (device === this.#device) return;
    this.#device = device;
    await this.#sink();
  }

  close(): void {
    void this.#context?.close().catch(() => undefined);
    this.#context = null;
  }

  get #silent(): boolean {
    return this.#audio.paused || this.#audio.ended;
  }

  async #sink(): Promise<void> {
    const context = this.#context;
    if (context) await this.#move(context);
    else await this.#audio.setSinkId(this.#device);
    this.#tell((context ?? this.#audio).sinkId);
  }

  /** A graph that is woken while its output changes calls itself running and lets nothing through: it sleeps meanwhile. */
  async #move(context: AudioContext): Promise<void> {
    this.#changes += 1;
    try {
      await context.setSinkId(this.#device);
    } finally {
      await context.suspend();
      this.#changes -= 1;
      if (!this.#silent) this.wake();
    }
  }

  /** Where the sound goes can be seen from outside, also with a graph, whose output the element does not know. */
  #tell(sink: string): void {
    this.#audio.dataset['sink'] = sink;
  }

  #makeGraph(): void {
    const context = new AudioContext({ sinkId: this.#device });
    const gain = context.createGain();
    context.createMediaElementSource(this.#audio).connect(gain).connect(context.destination);
    this.#context = context;
    this.#gain = gain;
    this.#tell(context.sinkId);
    this.set(this.#volume, this.#gainDb);
    if (this.#silent) this.sleep();
    else this.wake();
  }
}
