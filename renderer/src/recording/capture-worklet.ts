/** Runs in the audio thread: hands the sound of the microphone on, in pieces that are worth a message. */
declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}
declare function registerProcessor(name: string, processor: new () => AudioWorkletProcessor): void;

/** Samples: 43 ms at 48 kHz. */
const PIECE = 2048;

class Capture extends AudioWorkletProcessor {
  #piece = new Float32Array(PIECE);
  #filled = 0;

  /** Of the first input, as many channels as the microphone has; what comes out is their mean. */
  process([channels = []]: Float32Array[][]): boolean {
    const samples = channels[0]?.length ?? 0;
    for (let i = 0; i < samples; i++) {
      let sum = 0;
      for (const channel of channels) sum += channel[i] ?? 0;
      this.#piece[this.#filled++] = sum / channels.length;
      if (this.#filled < PIECE) continue;
      this.port.postMessage(this.#piece, [this.#piece.buffer]);
      this.#piece = new Float32Array(PIECE);
      this.#filled = 0;
    }
    return true;
  }
}

registerProcessor('capture', Capture);
