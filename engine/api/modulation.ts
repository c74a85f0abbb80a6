/** How the bands of a sound swell and fade, and how that is heard. */
import * as z from 'zod';
import { query } from '../wire/index.ts';
import { id, inLibrary, label, path, seed } from './shared.ts';
import type { Started } from './shared.ts';

/** Bands and rates of a map; what they are in Hz comes with it. */
export const CARRIER_BAND_COUNT = 40;
export const MODULATION_RATE_COUNT = 8;
/** Of longer sounds and parts the first seconds are looked at. */
export const MOST_MODULATION_SECONDS = 30;

const seconds = z.number().min(0).max(1e6);
/** A part of a sound; without an end as far as {@link MOST_MODULATION_SECONDS}. */
const part = { startSeconds: seconds.default(0), endSeconds: seconds.nullable().default(null) };

const modulationSourceSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('track'), trackId: id, ...part }),
  /** A sound that was made of a vector, such as a prototype. */
  z.strictObject({ kind: z.literal('sound'), soundId: id }),
  z.strictObject({ kind: z.literal('file'), path, ...part }),
]);

/** What is looked at. */
export type ModulationSource = z.input<typeof modulationSourceSchema>;
export type ParsedModulationSource = z.output<typeof modulationSourceSchema>;

/** A modulation map: bands from low to high, rates from slow to fast. */
export interface ModulationMapInfo {
  /** Centres of the carrier bands, Hz. */
  carriersHz: number[];
  /** Centres of the octaves of modulation, Hz. */
  ratesHz: number[];
  /** `[bands, rates]`: a band that swells as 1 + d·cos has the depth d; 0 in silence and where nothing can be seen. */
  depth: number[];
  /** `[bands]`: mean level, dB re the loudest band; −60 and below is silence. */
  levels: number[];
  /** First rate that an excerpt of this length shows; as many as there are rates where it shows none. */
  slowest: number;
  /** Seconds that were looked at. */
  seconds: number;
}

/** What a class is like on average. */
export interface ModulationClass {
  map: ModulationMapInfo;
  /** Tracks that were looked at, tracks that bear the class, and tracks that could not be read. */
  tracks: number;
  of: number;
  unreadable: number;
}

/** `only`: the chosen bands, and of their modulations the chosen ones; `without`: all but these. */
export const modulationModes = ['only', 'without'] as const;
export type ModulationMode = (typeof modulationModes)[number];

const range = (count: number) =>
  z
    .strictObject({
      first: z
        .int()
        .min(0)
        .max(count - 1),
      last: z
        .int()
        .min(0)
        .max(count - 1),
    })
    .refine(({ first, last }) => first <= last, 'the first comes before the last');

const choiceSchema = z.strictObject({
  mode: z.enum(modulationModes).default('only'),
  carriers: range(CARRIER_BAND_COUNT),
  rates: range(MODULATION_RATE_COUNT),
});

/** A part of a map, by the numbers of its bands and rates, both ends in it. */
export type ModulationChoiceInput = z.output<typeof choiceSchema>;

/** What the modulations became, measured on the sound that came out. */
export interface ModulationFigures {
  durationSeconds: number;
  /** dB that the sound was raised by (or lowered, where it would have clipped). */
  gainDb: number;
  /** Change of the chosen modulations, and of those an octave and more beside them, dB; null where there were none. */
  chosenDb: number | null;
  othersDb: number | null;
}

/** A sound of which some modulations were kept; its file goes some time after. */
export interface ModulationSound extends ModulationFigures {
  id: string;
  url: string;
}

/** `learned` edges, `fixed` octaves, edges learned from `permuted` labels: the control. */
export const sincMethodNames = ['learned', 'fixed', 'permuted'] as const;
export type SincMethodName = (typeof sincMethodNames)[number];
export const sincTitles: Readonly<Record<SincMethodName, string>> = {
  learned: 'Learned filters',
  fixed: 'Fixed octaves',
  permuted: 'Learned from permuted labels',
};

/** A mean over splits with its interval of 95 %. */
export interface SplitFigure {
  mean: number;
  low: number;
  high: number;
}

/** A modulation filter, as it is drawn. */
export interface SincFilter {
  lowHz: number;
  highHz: number;
  /** Gain at each of `frequenciesHz`. */
  response: number[];
}

/** Modulation filters that were learned on the labels of a library, and what lower envelope rates cost. */
export interface ModulationReport {
  taxonomyName: string;
  classes: string[];
  /** Tracks that were looked at, tracks that bear one of the classes, and tracks that could not be read. */
  tracks: number;
  of: number;
  unreadable: number;
  splits: number;
  seed: number;
  /** Share of test tracks that were told right. */
  accuracy: Record<SincMethodName, SplitFigure>;
  /** Learned minus the other. */
  gain: Record<Exclude<SincMethodName, 'learned'>, SplitFigure>;
  /** Share of the largest class among test tracks. */
  majority: number;
  testTracks: number;
  frequenciesHz: number[];
  /** The learned ones are learned from all these tracks, the figures from parts of them. */
  filters: { fixed: SincFilter[]; learned: SincFilter[] };
  /** `perClass`: share of the test tracks of each class, null where none was tested. */
  rates: { rateHz: number; accuracy: SplitFigure; perClass: (number | null)[] }[];
}

/** A space that learned modulation filters make. */
export interface KeptFilters {
  /** Of the pack that makes its vectors. */
  packId: string;
  title: string;
  /** Numbers of a vector. */
  dim: number;
}

/** Of fewer splits differences may be alike by chance, and their interval narrow. */
const FEWEST_SPLITS = 5;

/** What the learned filters are worth, in words. */
export function reportVerdict({ gain, splits }: Pick<ModulationReport, 'gain' | 'splits'>): string {
  if (splits < FEWEST_SPLITS)
    return `Cannot tell anything by ${splits} splits: learn with ${FEWEST_SPLITS} or more.`;
  if (gain.permuted.low <= 0)
    return 'Cannot tell these classes by their modulations: filters learned from permuted labels do as well.';
  if (gain.fixed.low > 0) return 'The learned filters tell the classes better than fixed octaves do.';
  if (gain.fixed.high < 0) return 'The learned filters tell the classes worse than fixed octaves do.';
  return 'The classes differ in their modulations; cannot tell whether the learned filters do better than fixed octaves.';
}

/** Tracks of a class that are looked at unless somebody says otherwise. */
export const DEFAULT_CLASS_TRACKS = 40;

/** What filters are learned with unless somebody says otherwise. */
export const studyDefaults = { perClass: 60, steps: 150, splits: 5 };
/** What they may be. */
export const studyLimits = {
  perClass: { min: 3, max: 1000 },
  steps: { min: 1, max: 10_000 },
  splits: { min: 2, max: 50 },
};

const studyNumber = (name: keyof typeof studyLimits) =>
  z.int().min(studyLimits[name].min).max(studyLimits[name].max).default(studyDefaults[name]);

export const modulationMethods = {
  /**
   * The modulation map of a sound.
   * @throws `not-found`; `unreadable`, `audio` for a file of that kind; `bad-input` for a part with nothing in it, and for a
   * track or a sound without its library
   */
  'modulation.map': query<ModulationMapInfo>()(
    z.strictObject({ libraryId: id.nullable().default(null), of: modulationSourceSchema }),
  ),
  /** The mean map of tracks of a class: so many of them, drawn by the seed, four seconds from the middle of each. */
  'modulation.classMap': query<Started>()(
    z.strictObject({
      ...{ ...inLibrary, taxonomyId: id, class: label },
      tracks: z.int().min(1).max(1000).default(DEFAULT_CLASS_TRACKS),
      seed: seed.default(1),
    }),
  ),
  /**
   * Learns modulation filters on the labels of a taxonomy, against fixed ones and a control, and measures what lower envelope
   * rates cost each class. Classes of fewer tracks than `minimumTracks` are left out.
   */
  'modulation.study': query<Started>()(
    z.strictObject({
      ...{ ...inLibrary, taxonomyId: id },
      minimumTracks: z.int().min(3).max(1000).default(5),
      /** Tracks of a class that are looked at, at most; four seconds from the middle of each. */
      perClass: studyNumber('perClass'),
      steps: studyNumber('steps'),
      splits: studyNumber('splits'),
      seed: seed.default(1),
    }),
  ),
  /**
   * Keeps the filters that a study learned as a pack, in whose space a library can be embedded as in every other. The same filters
   * of one library are one pack.
   * @throws `not-found` where the job is none that learned filters of this library; `pack`; `disk-full`
   */
  'modulation.keep': query<KeptFilters>()(
    z.strictObject({ ...inLibrary, jobId: id, title: z.string().trim().min(1).max(200) }),
  ),
  /** The sound with some of its modulations only. @throws as `modulation.map`; `disk-full` */
  'modulation.hear': query<ModulationSound>()(
    z.strictObject({ ...inLibrary, of: modulationSourceSchema, choice: choiceSchema }),
  ),
  /** The same, into a new WAV file. @throws as `modulation.map`; `bad-input` for a file that is there already */
  'modulation.save': query<ModulationFigures>()(
    z.strictObject({
      libraryId: id.nullable().default(null),
      of: modulationSourceSchema,
      choice: choiceSchema,
      file: path,
    }),
  ),
};
