/**
 * The engine API: one typed map of methods, put together from the features. Inputs are schemas and are parsed at the boundary,
 * wherever a call comes from; outputs are types. A *query* answers once; a *stream* answers many times until it ends or the
 * caller aborts. Long work is a job: the method answers with the job's id at once, progress and result arrive through
 * `events` and `jobs.*`.
 */
import type {
  CallContext,
  Client,
  HandlersOf,
  InputOf,
  MethodOf,
  OutputOf,
  ParsedInputOf,
  QueryOf,
  StreamOf,
} from '../wire/index.ts';
import { appMethods } from './app.ts';
import { cachesMethods } from './caches.ts';
import { classifyMethods } from './classify.ts';
import { datasetsMethods } from './datasets.ts';
import { compareMethods } from './compare.ts';
import { embedMethods } from './embed.ts';
import { evaluationsMethods } from './evaluations.ts';
import { experimentsMethods } from './experiments.ts';
import { exportsMethods } from './exports.ts';
import { importMethods } from './import.ts';
import { jobsMethods } from './jobs.ts';
import { librariesMethods } from './libraries.ts';
import { listeningMethods } from './listening.ts';
import { melodiesMethods } from './melodies.ts';
import { melodyMethods } from './melody.ts';
import { mistakesMethods } from './mistakes.ts';
import { modalitiesMethods } from './modalities.ts';
import { modulationMethods } from './modulation.ts';
import { neighboursMethods } from './neighbours.ts';
import { packsMethods } from './packs.ts';
import { playlistsMethods } from './playlists.ts';
import { preferencesMethods } from './preferences.ts';
import { projectionMethods } from './projection.ts';
import { prototypesMethods } from './prototypes.ts';
import { qualityMethods } from './quality.ts';
import { queueMethods } from './queue.ts';
import { recordingsMethods } from './recordings.ts';
import { reductionsMethods } from './reductions.ts';
import { searchesMethods } from './searches.ts';
import { setsMethods } from './sets.ts';
import { similarityMethods } from './similarity.ts';
import { sonifyMethods } from './sonify.ts';
import { storesMethods } from './stores.ts';
import { tagsMethods } from './tags.ts';
import { taxonomiesMethods } from './taxonomies.ts';
import { tracksMethods } from './tracks.ts';

export const contract = {
  ...appMethods,
  ...librariesMethods,
  ...importMethods,
  ...tracksMethods,
  ...searchesMethods,
  ...setsMethods,
  ...taxonomiesMethods,
  ...experimentsMethods,
  ...evaluationsMethods,
  ...compareMethods,
  ...classifyMethods,
  ...embedMethods,
  ...tagsMethods,
  ...prototypesMethods,
  ...sonifyMethods,
  ...listeningMethods,
  ...melodiesMethods,
  ...melodyMethods,
  ...mistakesMethods,
  ...modalitiesMethods,
  ...modulationMethods,
  ...neighboursMethods,
  ...playlistsMethods,
  ...storesMethods,
  ...similarityMethods,
  ...projectionMethods,
  ...recordingsMethods,
  ...reductionsMethods,
  ...datasetsMethods,
  ...exportsMethods,
  ...packsMethods,
  ...qualityMethods,
  ...jobsMethods,
  ...preferencesMethods,
  ...queueMethods,
  ...cachesMethods,
} as const;

export type Contract = typeof contract;
export type Method = MethodOf<Contract>;
export type QueryMethod = QueryOf<Contract>;
export type StreamMethod = StreamOf<Contract>;

/** What a caller writes (defaults may be left out). */
export type Input<M extends Method> = InputOf<Contract, M>;
/** What a handler gets (defaults filled in). */
export type ParsedInput<M extends Method> = ParsedInputOf<Contract, M>;
export type Output<M extends Method> = OutputOf<Contract, M>;

/** What the engine implements. */
export type Handlers = HandlersOf<Contract>;
/** What a shell holds: the same over every transport. */
export type EngineClient = Client<Contract>;
export type { CallContext };
