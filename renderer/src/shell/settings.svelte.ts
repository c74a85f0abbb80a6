import * as z from 'zod';
import type { EngineClient } from '../../../engine/api/contract.ts';
import {
  defaultPreferences,
  type PreferenceChange,
  type Preferences,
  type Theme,
} from '../../../engine/api/preferences.ts';

/** How the window was left. What a person prefers is not kept here but in the file of preferences. */
const leftSchema = z.object({
  volume: z.number().min(0).max(1).catch(0.8),
  /** dB that every sound is raised or lowered by. */
  gainDb: z.number().min(-30).max(30).catch(0),
  /** All sounds are played equally loud, as far as their peaks allow. */
  matchLevels: z.boolean().catch(false),
  spectrogram: z.boolean().catch(false),
  /** Repeating, zooming, gain and output stand in the player, with an axis of time. */
  playerTools: z.boolean().catch(false),
  /** The pack, or `pack#head`, whose tags are drawn under the sound; null: none. */
  tagPack: z.string().nullable().catch(null),
  /** The microphone that is recorded from, as the browser names it; null: the system’s. */
  microphone: z.string().nullable().catch(null),
  inspector: z.boolean().catch(true),
  /** What is seldom changed about a training is shown. */
  trainMore: z.boolean().catch(false),
  lastLibraryId: z.string().nullable().catch(null),
  /** The view that was open last. */
  lastView: z.string().catch('library'),
});
type Left = z.output<typeof leftSchema>;

const key = 'archetone.settings';

function read(): Left {
  try {
    return leftSchema.parse(JSON.parse(localStorage.getItem(key) ?? '{}'));
  } catch {
    // No storage, or not ours: the defaults do.
    return leftSchema.parse({});
  }
}

/** What a person prefers, and how the window was left; both are kept between starts. */
export class Settings {
  #left = $state<Left>(read());
  /** The defaults until the engine has told them. */
  preferences = $state.raw<Preferences>(defaultPreferences);
  /** The engine has told the preferences. */
  known = $state(false);
  readonly #engine: EngineClient;

  constructor(engine: EngineClient) {
    this.#engine = engine;
  }

  get theme(): Theme {
    return this.preferences.theme;
  }
  get auditionOnSelect(): boolean {
    return this.preferences.auditionOnSelect;
  }
  /** Sounds of prototypes are made ahead, while nothing else is under way. */
  get soundsInBackground(): boolean {
    return this.preferences.soundsInBackground;
  }
  /** Id of the output that sounds are played on; null: the system's. */
  get audioDevice(): string | null {
    return this.preferences.audioDevice;
  }
  get volume(): number {
    return this.#left.volume;
  }
  get gainDb(): number {
    return this.#left.gainDb;
  }
  get matchLevels(): boolean {
    return this.#left.matchLevels;
  }
  get spectrogram(): boolean {
    return this.#left.spectrogram;
  }
  get playerTools(): boolean {
    return this.#left.playerTools;
  }
  get tagPack(): string | null {
    return this.#left.tagPack;
  }
  get microphone(): string | null {
    return this.#left.microphone;
  }
  get inspector(): boolean {
    return this.#left.inspector;
  }
  get trainMore(): boolean {
    return this.#left.trainMore;
  }
  get lastLibraryId(): string | null {
    return this.#left.lastLibraryId;
  }
  get lastView(): string {
    return this.#left.lastView;
  }

  change(change: Partial<Left>): void {
    this.#left = { ...this.#left, ...change };
    try {
      localStorage.setItem(key, JSON.stringify(this.#left));
    } catch {
      // Without storage the choice holds until the window closes.
    }
  }

  /** @throws EngineError */
  async load(): Promise<void> {
    this.adopt(await this.#engine.call('preferences.get', {}));
  }

  /** The preferences as the engine has them: another window may have changed them. */
  adopt(preferences: Preferences): void {
    this.preferences = preferences;
    this.known = true;
  }

  /** Holds at once. @throws EngineError where it could not be kept */
  async prefer(change: PreferenceChange): Promise<void> {
    const said = Object.entries(change).filter(([, value]) => value !== undefined);
    this.preferences = { ...this.preferences, ...Object.fromEntries(said) };
    await this.#engine.call('preferences.change', { change });
  }
}
