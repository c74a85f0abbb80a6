import type { HeadSetting, SettingName } from '../backbones/settings.ts';
import { CheckpointError } from '../checkpoint/errors.ts';
import type { GinConfig, GinValue } from '../checkpoint/gin.ts';
import type { TokenChoice } from '../packs/network.ts';
import type { Precision } from './precision.ts';

/** What the user may say where neither weights nor configuration do. */
export interface ConversionChoices {
  /** Default: made from the model and its window. */
  id?: string | undefined;
  title?: string | undefined;
  windowSeconds?: number | undefined;
  /** Attention heads of EnCodecMAE. */
  encoderHeads?: number | undefined;
  /** Attention heads of the summary and the denoiser. */
  heads?: number | undefined;
  /** Of the weights of encoder and denoiser; default `float32`. */
  precision?: Precision | undefined;
  /** Output of a published network that is the embedding; default: as its JSON says. */
  output?: string | undefined;
  /** What is made of several rows for a patch. */
  tokens?: TokenChoice | undefined;
  /** Of the times of a transformer's patches every so many-th is kept; 1 only takes out what is not read. */
  keepEvery?: number | undefined;
  /** Frames from one patch to the next. */
  patchHop?: number | undefined;
}

/** What a state dict does not tell, settled. */
export interface Settings {
  windowSeconds: number;
  /** Value of a setting that the backbone has. */
  settled: (setting: SettingName) => number;
  /** One sentence for each value that was assumed. */
  notes: string[];
}

/** Windows of the 4 s models, and the chunk of EnCodecMAE's own feature extraction. */
const DEFAULT_WINDOW_SECONDS = 4;
const MAX_WINDOW_SECONDS = 60;
const MIN_WINDOW_SECONDS = 0.1;

/**
 * Settles head counts and window length: what the user says, else what a configuration says, else the published
 * defaults, which are named in the notes.
 * @param asked settings of the backbone
 * @param dim D: width of the model
 * @param configs the one inside the file first
 * @throws CheckpointError `bad-config` for values no model can have, or where nothing tells the head count
 */
export function readSettings(
  asked: readonly HeadSetting[],
  dim: number,
  configs: readonly (GinConfig | null)[],
  choices: ConversionChoices,
): Settings {
  const notes: string[] = [];
  const settle = (
    what: string,
    chosen: number | undefined,
    read: (config: GinConfig) => GinValue | undefined,
    fallback: number,
  ): GinValue => {
    if (chosen !== undefined) return chosen;
    const found = configs
      .flatMap((config) => config ?? [])
      .map(read)
      .find((value) => value !== undefined);
    if (found === undefined) notes.push(`No configuration names ${what}: ${fallback} was taken.`);
    return found ?? fallback;
  };
  const windowSeconds = checkWindow(
    settle(
      'the window length in seconds',
      choices.windowSeconds,
      (gin) => gin.macro('MAX_AUDIO_DURATION'),
      DEFAULT_WINDOW_SECONDS,
    ),
  );
  const values = new Map(
    asked.map(({ name, what, subject, option, read, fallback }) => [
      name,
      checkHeads(subject, settle(what, choices[name], read, fallback(dim)), dim, option),
    ]),
  );
  return { windowSeconds, settled: (setting) => valueOf(values, setting), notes };
}

function valueOf(values: ReadonlyMap<SettingName, number>, setting: SettingName): number {
  const value = values.get(setting);
  if (value === undefined) throw new Error(`the backbone has no setting ${setting}`);
  return value;
}

function checkWindow(seconds: GinValue): number {
  if (typeof seconds === 'number' && seconds >= MIN_WINDOW_SECONDS && seconds <= MAX_WINDOW_SECONDS)
    return seconds;
  throw new CheckpointError(
    'bad-config',
    `the configuration asks for windows of ${shown(seconds)} seconds`,
    `Archetone makes windows of ${MIN_WINDOW_SECONDS} to ${MAX_WINDOW_SECONDS} seconds: correct MAX_AUDIO_DURATION, or use --window.`,
  );
}

/** A wrong head count that divides the width loads without complaint and gives wrong numbers. */
function checkHeads(what: string, heads: GinValue, dim: number, option: string): number {
  if (typeof heads === 'number' && Number.isInteger(heads) && heads > 0 && dim % heads === 0) return heads;
  throw new CheckpointError(
    'bad-config',
    `${what} cannot have ${shown(heads)} attention heads on ${dim} numbers`,
    `Add the config.gin that is published with the model, or say the number with ${option}.`,
  );
}

/** Numbers are told; any other value is content of a file. */
const shown = (value: GinValue): string => (typeof value === 'number' ? String(value) : '(no number)');
