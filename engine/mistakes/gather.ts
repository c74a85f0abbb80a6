import { createHash } from 'node:crypto';
import type { LabelledWindows } from '../../models/embeddings/labelled-vectors.ts';
import { splitGroups, type GroupBy } from '../../models/evaluation/splits/groups.ts';
import { SCORES_VERSION } from '../../models/mistakes/judge.ts';
import type { DuplicateGroup } from '../../models/mistakes/near-duplicates.ts';
import { EngineError } from '../api/errors.ts';
import { tracksOf, type TrackWindows } from '../experiments/track-windows.ts';
import { checkFitsMemory } from '../library/fits-memory.ts';
import type { Library } from '../library/library.ts';
import type { LibraryVectors } from '../library/vectors.ts';

/** The labels of a taxonomy, sorted by what can be said of them. */
export interface GatheredLabels {
  task: 'single' | 'multi';
  labelled: LabelledWindows;
  /**
   * `[labelled tracks]`: number of the class that the source of the taxonomy says, whatever was decided since; where it says
   * none, as of labels given by hand, of the one in force. As long as the same groups are judged, folds that go by the source
   * stay the same while labels are mended, so that accuracies before and after are of the same parts.
   */
  strata: number[];
  /** Tracks that bear no label at all; null where there are none. */
  unlabelled: LabelledWindows | null;
  /** Classes that nothing can be said of, and their tracks. */
  leftOut: { name: string; trackIds: string[]; reason: string }[];
  /** Why no label can be judged. */
  problem: EngineError | null;
}

/**
 * Groups that must bear a label for it to be judged. A class has rivals to be weighed against; one label of several stands
 * alone, and where hardly any track bears it "not there" is nearly always right, so that the few that do can all be listed as
 * wrong. Five is a choice that rests on no measurement.
 */
const LEAST_GROUPS = { single: 2, multi: 5 } as const;

/**
 * Reads labels and embeddings of the tracks that are learned from. A class is judged when at least two groups bear it, one
 * label of several from five on: what only one artist plays cannot be told from how that artist sounds.
 * @param copies groups of rows of `vectors.tracks`; copies of one recording are never told apart
 */
export async function gatherLabels(
  library: Library,
  vectors: LibraryVectors,
  taxonomyId: string,
  groupBy: GroupBy,
  copies: readonly DuplicateGroup[],
  signal: AbortSignal,
): Promise<GatheredLabels> {
  const task = library.taxonomies.get(taxonomyId).multilabel ? 'multi' : 'single';
  const labels = library.labels.of(taxonomyId);
  const groups = groupsOf(library, vectors, groupBy, copies);
  const away = library.tracks.leftOut();
  const tracks = (await tracksOf(vectors, signal)).filter(({ trackId }) => !away.has(trackId));
  const bearers = new Map<string, string[]>();
  for (const { trackId } of tracks)
    for (const label of own(labels, trackId, task)) {
      const known = bearers.get(label);
      if (known) known.push(trackId);
      else bearers.set(label, [trackId]);
    }
  const judged = new Set<string>();
  const leftOut: GatheredLabels['leftOut'] = [];
  for (const name of [...bearers.keys()].sort()) {
    const trackIds = bearers.get(name) ?? [];
    const distinct = new Set(trackIds.map((id) => groups.get(id) ?? id)).size;
    if (distinct >= LEAST_GROUPS[task]) judged.add(name);
    else
      leftOut.push({
        name,
        trackIds,
        reason: distinct < 2 ? onlyOne(trackIds.length, groupBy) : tooRare(distinct, groupBy),
      });
  }
  const names = [...judged].sort();
  const used = tracks.filter(({ trackId }) => own(labels, trackId, task).some((label) => judged.has(label)));
  const bare = tracks.filter(({ trackId }) => (labels.get(trackId) ?? []).length === 0);
  const set = (members: readonly TrackWindows[]): LabelledWindows =>
    windowSet(members, vectors.windows.dim, names, groups, (id) => own(labels, id, task));
  const derived = library.labels.derived(taxonomyId);
  const strata = used.map(({ trackId }) => {
    const place = (labels: readonly string[]): number => names.indexOf(labels[0] ?? '');
    const source = place(derived.get(trackId) ?? []);
    return source >= 0 ? source : Math.max(0, place(own(labels, trackId, task)));
  });
  const problem = tooFew(names, bearers, used.length, task);
  return {
    task,
    labelled: set(used),
    strata,
    unlabelled: bare.length > 0 ? set(bare) : null,
    leftOut,
    problem,
  };
}

/**
 * Names what a report depends on: equal for equal labels, embeddings, tracks that are learned from, groups that are kept
 * together, settings, and way of scoring.
 */
export function reportId(
  library: Library,
  vectors: LibraryVectors,
  settings: { taxonomyId: string; folds: number; groupBy: GroupBy; seed: number },
): string {
  const { taxonomyId, folds, groupBy, seed } = settings;
  const away = [...library.tracks.leftOut()].sort();
  const hash = createHash('sha256').update(
    JSON.stringify([
      library.embeddings.tracks(vectors.windows.space).fingerprint,
      taxonomyId,
      folds,
      groupBy,
      seed,
      SCORES_VERSION,
      ...away,
    ]),
  );
  // Tags and folders can change while labels and embeddings stay. (Copies follow from the embeddings.)
  const groups = splitGroups(library.tracks.groupFacts(), groupBy);
  for (const id of [...groups.keys()].sort()) hash.update(JSON.stringify([id, groups.get(id)]));
  const labels = library.labels.of(taxonomyId);
  for (const id of [...labels.keys()].sort()) hash.update(JSON.stringify([id, ...(labels.get(id) ?? [])]));
  return hash.digest('hex').slice(0, 32);
}

/**
 * Names the predictions that a report's folds keep until it is done. They depend on who was held out with whom as well:
 * groups come from tags and folders, which can change while labels and embeddings stay.
 * @param foldOf `[tracks]`: number of each track's fold
 */
export function foldsId(
  report: string,
  { tracks, labelNames }: Pick<LabelledWindows, 'tracks' | 'labelNames'>,
  foldOf: Uint8Array,
): string {
  return createHash('sha256')
    .update(JSON.stringify([report, labelNames, tracks.ids, [...foldOf]]))
    .digest('hex')
    .slice(0, 32);
}

function own(
  labels: ReadonlyMap<string, readonly string[]>,
  trackId: string,
  task: 'single' | 'multi',
): readonly string[] {
  const all = labels.get(trackId) ?? [];
  return task === 'single' ? all.slice(0, 1) : all;
}

function groupsOf(
  library: Library,
  vectors: LibraryVectors,
  groupBy: GroupBy,
  copies: readonly DuplicateGroup[],
): Map<string, string> {
  const { trackIds } = vectors.tracks;
  const oneSound = new Map<string, string>();
  for (const { rows } of copies)
    for (const row of rows) oneSound.set(trackIds[row] ?? '', `copies of ${trackIds[rows[0] ?? 0] ?? ''}`);
  const facts = library.tracks.groupFacts();
  return splitGroups(
    facts.map((track) => ({ ...track, contentHash: oneSound.get(track.id) ?? track.contentHash })),
    groupBy,
  );
}

function tooRare(groups: number, groupBy: GroupBy): string {
  const borne = groupBy === 'track' ? `${groups} tracks bear it` : `tracks of ${groups} groups bear it`;
  return `only ${borne}, and one label of several is judged from ${LEAST_GROUPS.multi} on`;
}

function onlyOne(tracks: number, groupBy: GroupBy): string {
  if (tracks === 1) return 'only one track bears it';
  return groupBy === 'track'
    ? 'all its tracks are copies of one recording'
    : `all its tracks are of one ${groupBy}, or copies of one recording`;
}

function tooFew(
  names: readonly string[],
  bearers: ReadonlyMap<string, readonly string[]>,
  tracks: number,
  task: 'single' | 'multi',
): EngineError | null {
  if (names.length >= 2 && tracks >= 4) return null;
  const [only] = names;
  const found =
    bearers.size === 0
      ? 'No track that is ready has a label in this taxonomy.'
      : bearers.size === 1
        ? `All labelled tracks are “${[...bearers.keys()][0] ?? ''}”.`
        : only === undefined
          ? `None of the ${bearers.size} classes is borne by ${LEAST_GROUPS[task]} tracks of different groups.`
          : `Only “${only}” is borne by ${LEAST_GROUPS[task]} tracks of different groups.`;
  return new EngineError(
    'too-few-labels',
    `${found} A label can be judged when two classes have tracks of ${LEAST_GROUPS[task]} groups each.`,
    bearers.size === 0
      ? 'Label some tracks, or choose another taxonomy.'
      : 'Label more tracks, choose another taxonomy, or keep only copies together instead of artists.',
  );
}

function windowSet(
  members: readonly TrackWindows[],
  dim: number,
  labelNames: string[],
  groups: ReadonlyMap<string, string>,
  labelsOf: (trackId: string) => readonly string[],
): LabelledWindows {
  const count = members.reduce((sum, member) => sum + member.count, 0);
  checkFitsMemory({ count, dim }, { kind: 'training', code: 'training', what: 'Looking for mistakes' });
  const features = new Float32Array(count * dim);
  const labels = new Uint8Array(count * labelNames.length);
  const of = new Int32Array(count);
  const columns = new Map(labelNames.map((name, column) => [name, column]));
  let row = 0;
  for (const [track, member] of members.entries()) {
    features.set(member.vectors, row * dim);
    of.fill(track, row, row + member.count);
    const own = labelsOf(member.trackId).flatMap((name) => columns.get(name) ?? []);
    for (const end = row + member.count; row < end; row++)
      for (const column of own) labels[row * labelNames.length + column] = 1;
  }
  const ids = members.map(({ trackId }) => trackId);
  return {
    ...{ features, count, dim, labels, labelNames },
    tracks: { of, ids, groups: ids.map((id) => groups.get(id) ?? id) },
  };
}
