import type { EngineClient } from '../../../engine/api/contract.ts';
import { EngineError } from '../../../engine/api/errors.ts';
import {
  LONGEST_RECORDING_SECONDS,
  RECORDING_RATE,
  SILENT_RECORDING_DBFS,
  type Recording,
} from '../../../engine/api/recordings.ts';
import type { ShellApi } from '../../../engine/api/shell.ts';
import { startCapture, type StartCapture } from './capture.ts';
import { joined, toBase64, toPcm16 } from './pcm.ts';

/** `asking` for the microphone, `recording`, `keeping` what was recorded. */
export type RecorderState = 'idle' | 'asking' | 'recording' | 'keeping';

/** How fast the meter falls, dB per piece. */
const FALL_DB = 1.5;
/** At full scale a microphone cuts off. */
const CLIPPING = 0.99;
/** Quiet for so long, a person should be told before they have played all of it. */
const QUIET_SECONDS = 2;

const refused = {
  refused: () =>
    new EngineError(
      'not-permitted',
      'Nothing was recorded: the microphone was not allowed.',
      'Press Record again and choose Allow.',
    ),
  'refused-by-system': () =>
    new EngineError(
      'not-permitted',
      'The system does not let Archetone use the microphone.',
      'Allow it in the settings of the system, under privacy, and record again.',
    ),
};

/** Records from the microphone: one sound at a time, until it is stopped or as long as it may be. */
export class Recorder {
  state = $state<RecorderState>('idle');
  problem = $state.raw<unknown>(null);
  seconds = $state(0);
  /** Of the loudest sample lately, dB re full scale, no less than what counts as silence. */
  levelDb = $state(SILENT_RECORDING_DBFS);
  /** Something was louder than the microphone can tell. */
  clipped = $state(false);
  #loudest = $state(0);
  #pieces: Float32Array[] = [];
  #end: (() => Promise<void>) | null = null;
  #keeping = Promise.resolve();
  /** Each wish to record has its own; what was given up meanwhile ends as soon as it starts. */
  #wish = 0;
  readonly #engine: EngineClient;
  readonly #shell: Pick<ShellApi, 'allowRecording'>;
  readonly #capture: StartCapture;
  readonly #onKept: (recording: Recording) => void;

  constructor(
    engine: EngineClient,
    shell: Pick<ShellApi, 'allowRecording'>,
    onKept: (recording: Recording) => void,
    capture: StartCapture = startCapture,
  ) {
    this.#engine = engine;
    this.#shell = shell;
    this.#onKept = onKept;
    this.#capture = capture;
  }

  /** Nothing was heard for some time. */
  quiet = $derived(
    this.state === 'recording' &&
      this.seconds > QUIET_SECONDS &&
      this.#loudest < 10 ** (SILENT_RECORDING_DBFS / 20),
  );

  /** What keeps it from recording is {@link problem}. @param deviceId null: the system's microphone */
  async start(deviceId: string | null): Promise<void> {
    if (this.state !== 'idle') return;
    const wish = (this.#wish += 1);
    this.problem = null;
    this.state = 'asking';
    this.#pieces = [];
    this.seconds = 0;
    this.levelDb = SILENT_RECORDING_DBFS;
    this.clipped = false;
    this.#loudest = 0;
    try {
      const answer = await this.#shell.allowRecording();
      if (wish !== this.#wish) return;
      if (answer !== 'allowed') throw refused[answer]();
      const end = await this.#capture(deviceId, {
        onSamples: (samples) => this.#take(wish, samples),
        onLost: () => void (wish === this.#wish && this.stop()),
      });
      if (wish !== this.#wish) {
        await end();
        return;
      }
      this.#end = end;
      this.state = 'recording';
    } catch (thrown) {
      if (wish !== this.#wish) return;
      this.problem = thrown;
      this.state = 'idle';
    }
  }

  /** Ends the recording and keeps it; where it is being kept already, waits for that. */
  stop(): Promise<void> {
    if (this.state === 'recording') this.#keeping = this.#keep();
    return this.#keeping;
  }

  async #keep(): Promise<void> {
    this.state = 'keeping';
    const pieces = this.#pieces;
    try {
      await this.#leave();
      const most = LONGEST_RECORDING_SECONDS * RECORDING_RATE;
      const pcm = await toBase64(toPcm16(joined(pieces, most)));
      if (pcm === '')
        throw new EngineError(
          'audio',
          'The microphone gave no sound.',
          'Record again, or choose another microphone.',
        );
      this.#onKept(await this.#engine.call('recordings.keep', { pcm }));
    } catch (thrown) {
      this.problem = thrown;
    } finally {
      this.state = 'idle';
    }
  }

  /** Ends the recording, or the asking for it, and forgets what was recorded. */
  async cancel(): Promise<void> {
    if (this.state === 'keeping') return;
    this.state = 'idle';
    await this.#leave();
  }

  #take(wish: number, samples: Float32Array): void {
    if (wish !== this.#wish) return;
    this.#pieces.push(samples);
    const peak = samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
    this.#loudest = Math.max(this.#loudest, peak);
    this.clipped ||= peak >= CLIPPING;
    const level = Math.max(SILENT_RECORDING_DBFS, 20 * Math.log10(peak));
    this.levelDb = Math.max(level, this.levelDb - FALL_DB);
    this.seconds += samples.length / RECORDING_RATE;
    if (this.seconds >= LONGEST_RECORDING_SECONDS) void this.stop();
  }

  async #leave(): Promise<void> {
    this.#wish += 1;
    this.#pieces = [];
    const end = this.#end;
    this.#end = null;
    await end?.();
  }
}
