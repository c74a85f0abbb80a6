import { sql as cacheEmbeddings } from './cache/0001-embeddings.ts';
import { sql as cachePredictions } from './cache/0002-predictions.ts';
import { sql as cacheKept } from './cache/0003-kept-embeddings.ts';
import { up as cacheSpaces } from './cache/0004-spaces.ts';
import { sql as cachePredictedLabels } from './cache/0005-predicted-labels.ts';
import { sql as cacheComputedBy } from './cache/0006-computed-by.ts';
import { sql as cacheSoundOrigins } from './cache/0007-sound-origins.ts';
import { sql as cacheMistakes } from './cache/0008-mistakes.ts';
import { sql as cacheMaps } from './cache/0009-maps.ts';
import { sql as cacheTags } from './cache/0010-tags.ts';
import { sql as cacheMelodies } from './cache/0011-melody-models.ts';
import { sql as jobs } from './jobs/0001-jobs.ts';
import { sql as jobsLanes } from './jobs/0002-lanes.ts';
import { sql as libraryTracks } from './library/0001-library.ts';
import { sql as libraryExperiments } from './library/0002-experiments.ts';
import { sql as libraryStudies } from './library/0003-studies.ts';
import { up as librarySpaces } from './library/0004-spaces.ts';
import { sql as libraryNotes } from './library/0005-notes.ts';
import { sql as libraryChanged } from './library/0006-changed.ts';
import { sql as libraryReductions } from './library/0007-one-way-to-reduce.ts';
import { sql as libraryThresholds } from './library/0008-thresholds.ts';
import { sql as libraryEncoders } from './library/0009-encoders.ts';
import { sql as libraryLeftOut } from './library/0010-left-out.ts';
import { sql as libraryMistakes } from './library/0011-mistake-decisions.ts';
import { sql as libraryHistory } from './library/0012-edit-history.ts';
import { sql as librarySavedSearches } from './library/0013-saved-searches.ts';
import { sql as libraryTrackNotes } from './library/0014-notes-of-tracks.ts';
import { sql as librarySets } from './library/0015-sets.ts';
import { sql as libraryListening } from './library/0016-listening-tests.ts';
import { sql as libraryDescribed } from './library/0017-described-experiments.ts';
import { sql as libraryPlaylists } from './library/0018-playlists.ts';
import { sql as libraryViews } from './library/0019-views.ts';
import { sql as librarySharedSpaces } from './library/0020-shared-spaces.ts';
import { sql as libraryEmbeddingFailures } from './library/0021-embedding-failures.ts';
import { sql as libraryMelodies } from './library/0022-melodies.ts';
import { sql as libraryCoverProblems } from './library/0023-cover-problems.ts';
import type { Migration } from '../migration.ts';

/** The steps of each database in order; step n takes it to `user_version` n. Released steps are never changed. */
export const migrations = {
  library: [
    libraryTracks,
    libraryExperiments,
    libraryStudies,
    librarySpaces,
    libraryNotes,
    libraryChanged,
    libraryReductions,
    libraryThresholds,
    libraryEncoders,
    libraryLeftOut,
    libraryMistakes,
    libraryHistory,
    librarySavedSearches,
    libraryTrackNotes,
    librarySets,
    libraryListening,
    libraryDescribed,
    libraryPlaylists,
    libraryViews,
    librarySharedSpaces,
    libraryEmbeddingFailures,
    libraryMelodies,
    libraryCoverProblems,
  ],
  cache: [
    cacheEmbeddings,
    cachePredictions,
    cacheKept,
    cacheSpaces,
    cachePredictedLabels,
    cacheComputedBy,
    cacheSoundOrigins,
    cacheMistakes,
    cacheMaps,
    cacheTags,
    cacheMelodies,
  ],
  jobs: [jobs, jobsLanes],
} as const satisfies Record<string, readonly Migration[]>;
