import { basename } from 'node:path';
import type { ProbeResult } from '../decode/index.ts';
import type { Scan, ScannedFile } from '../files/scan.ts';
import type { KnownTrack, TrackStore } from './track-store.ts';

/** A track that waits to be decoded and embedded. */
export interface TrackToEmbed {
  id: string;
  path: string;
  contentHash: string | null;
  /** From the headers; null when they do not tell. */
  durationSeconds: number | null;
}

/**
 * How many windows will be embedded, as far as headers tell how long tracks are; of the others one each.
 * @param most windows per track
 */
export function expectedWindows(
  tracks: readonly Pick<TrackToEmbed, 'durationSeconds'>[],
  windowSeconds: number,
  most: 'all' | number,
): number {
  const limit = most === 'all' ? Infinity : most;
  return tracks.reduce(
    (sum, { durationSeconds }) =>
      sum + Math.min(limit, Math.ceil(Math.max(1, (durationSeconds ?? 0) / windowSeconds))),
    0,
  );
}

/**
 * Decides what has to be done: compares what a scan found with what the library knows. A file is the same track as
 * before when it lies where it lay, or, when its old place is empty, when its content is the same.
 */
export class ImportPlan {
  /** New or changed: to be hashed and their tags read. */
  readonly toProbe: ScannedFile[] = [];
  readonly toEmbed: TrackToEmbed[] = [];
  unchanged = 0;
  failed = 0;
  missing = 0;
  readonly #store: TrackStore;
  readonly #everything: boolean;
  readonly #byPath: Map<string, KnownTrack>;
  /** Tracks whose file is gone, by content: they may have moved. */
  readonly #vanished = new Map<string, KnownTrack[]>();
  readonly #gone = new Set<KnownTrack>();

  /** @param everything also files whose size and times are as they were */
  constructor(store: TrackStore, scan: Scan, everything = false) {
    this.#store = store;
    this.#everything = everything;
    const known = store.known();
    this.#byPath = new Map(known.map((track) => [track.path, track]));
    store.together(() => {
      this.#compareFiles(scan);
      this.#comparePlaces(scan, known);
    });
  }

  #compareFiles(scan: Scan): void {
    for (const file of scan.files) {
      const track = this.#byPath.get(file.path);
      const same = track !== undefined && this.#sameAsBefore(track, file);
      if (!track || !same || this.#everything) this.toProbe.push(file);
      else if (track.embedded === 1) this.#keep(track);
      else if (this.#store.failsAgain(track)) this.failed++;
      else if (track.content_hash === null || track.failed === 1) this.toProbe.push(file);
      else this.#enqueue(track.id, track.path, track.content_hash, track.duration_seconds);
    }
  }

  #sameAsBefore(track: KnownTrack, file: ScannedFile): boolean {
    if (track.bytes !== file.bytes || track.modified_ms !== file.modifiedMs) return false;
    if (track.changed_ms === null) this.#store.setChanged(track.id, file.changedMs);
    return track.changed_ms === null || track.changed_ms === file.changedMs;
  }

  #comparePlaces(scan: Scan, known: readonly KnownTrack[]): void {
    const found = new Set(scan.files.map((file) => file.path));
    for (const { path, kind, error } of scan.problems) {
      this.#store.putFailed(this.#byPath.get(path)?.id ?? null, { path, kind }, error);
      this.failed++;
    }
    const problems = new Map(scan.problems.map((problem) => [problem.path, problem]));
    for (const track of known) {
      if (found.has(track.path) || problems.has(track.path)) continue;
      const closed = scan.problems.find((p) => p.kind === 'folder' && track.path.startsWith(`${p.path}/`));
      if (track.kind === 'folder') this.#store.remove(track.id);
      else if (closed) {
        // Nobody knows whether it is still there.
        this.#store.putFailed(track.id, { path: track.path, kind: 'file' }, closed.error);
        this.failed++;
      } else this.#remember(track);
    }
  }

  #remember(track: KnownTrack): void {
    this.#gone.add(track);
    if (track.content_hash === null) return;
    this.#vanished.set(track.content_hash, [...(this.#vanished.get(track.content_hash) ?? []), track]);
  }

  /** Takes in what the probe of a file told. */
  probed(file: ScannedFile, probe: ProbeResult): void {
    const here = this.#byPath.get(file.path);
    const track = here ?? this.#findMoved(file, probe.contentHash);
    const sameContent = track?.content_hash === probe.contentHash;
    const sameSound = sameContent && track.embedded === 1;
    const id = this.#store.putProbed(track?.id ?? null, file, probe, sameSound);
    if (sameSound) this.unchanged++;
    else this.#enqueue(id, file.path, probe.contentHash, probe.info?.durationSeconds ?? null);
  }

  /** A file that could not even be probed. */
  unreadable(file: ScannedFile, reason: unknown): void {
    const id = this.#byPath.get(file.path)?.id ?? null;
    this.#store.putFailed(id, { ...file, kind: 'file' }, reason);
    this.failed++;
  }

  /** After all probes: what was not found again is missing. It keeps its labels, and is known when it comes back. */
  settle(): void {
    this.#store.together(() => {
      for (const track of this.#gone) {
        if (track.file_state !== 'missing') this.#store.setMissing(track.id);
        this.missing++;
      }
    });
    this.toEmbed.sort((a, b) => (a.path < b.path ? -1 : 1));
  }

  #findMoved(file: ScannedFile, contentHash: string): KnownTrack | null {
    const candidates = this.#vanished.get(contentHash) ?? [];
    const track =
      candidates.find((candidate) => basename(candidate.path) === basename(file.path)) ?? candidates[0];
    if (!track) return null;
    candidates.splice(candidates.indexOf(track), 1);
    this.#gone.delete(track);
    return track;
  }

  #keep(track: KnownTrack): void {
    if (track.file_state !== 'present') this.#store.setPresent(track.id);
    this.unchanged++;
  }

  #enqueue(id: string, path: string, contentHash: string | null, durationSeconds: number | null): void {
    this.#store.setPresent(id);
    this.toEmbed.push({ id, path, contentHash, durationSeconds });
  }
}
