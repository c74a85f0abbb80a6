/**
 * Which versions of a recording Mistakes finds, and what else it takes for copies: 60 sounds of a folder at other rates, codecs and
 * gains, each kind of version by itself beside the whole folder; by similarity alone, and with what is alike heard. Embedded by the
 * compact pack. Needs ffmpeg.
 *
 * ARCHETONE_BENCH_AUDIO: folders, by commas; default: the demo sounds, by which thresholds were chosen.
 */
import { resolve } from 'node:path';
import { PEAKS_PER_SECOND } from '../../engine/import/track-store.ts';
import { Excerpts } from '../../engine/mistakes/excerpts.ts';
import { decodeMono } from '../../models/audio/index.ts';
import {
  findDuplicates,
  type DuplicateGroup,
  type HeardSame,
} from '../../models/mistakes/near-duplicates.ts';
import { noFfmpeg } from '../support/versions.ts';
import { machine, spentOn } from './meter.ts';
import { collectionWithVersions, type MeasuredSound } from './near-duplicates-collection.ts';

const VERSIONS_OF = 60;
const root = resolve(import.meta.dirname, '../..');
const signal = new AbortController().signal;

export async function run(): Promise<void> {
  if (noFfmpeg) {
    console.log('skipped: there is no ffmpeg');
    return;
  }
  console.log(machine());
  const named = process.env['ARCHETONE_BENCH_AUDIO'] ?? resolve(root, 'demo/sounds');
  for (const folder of named.split(',')) await measure(folder);
}

async function measure(folder: string): Promise<void> {
  const { sounds, copies, dim } = await collectionWithVersions(folder, VERSIONS_OF);
  console.log(`${folder}: ${sounds.length} sounds`);
  for (const [name, made] of [['none', []] as const, ...copies]) {
    const all = [...sounds, ...made.map(({ sound }) => sound)];
    const told = [];
    for (const heard of [undefined, heardIn(all)]) {
      let groups: DuplicateGroup[] = [];
      const { cpu } = await spentOn(async () => {
        groups = await groupsOf(all, dim, heard);
      });
      const groupOf = new Map(groups.flatMap(({ rows }, group) => rows.map((row) => [row, group])));
      const found = made.filter(({ of }, i) => {
        const group = groupOf.get(sounds.length + i);
        return group !== undefined && group === groupOf.get(of);
      });
      const others = groups.filter(
        ({ rows, kind }) => kind === 'sound' && originalsIn(rows, made, sounds) > 1,
      );
      const share = made.length > 0 ? `${String(found.length)} of ${String(made.length)}, ` : '';
      told.push(`${share}${String(others.length)} groups of others, ${cpu.toFixed(0)} ms CPU`);
      if (made.length === 0 && heard)
        for (const { rows } of others)
          console.log(`  ${rows.map((row) => all[row]?.path ?? '').join(' = ')}`);
    }
    console.log(`${name}: by similarity ${told[0] ?? ''}; heard ${told[1] ?? ''}`);
  }
}

/** Different contents of the folder that a group holds, by themselves or as a version. */
function originalsIn(
  rows: readonly number[],
  made: readonly { of: number }[],
  sounds: readonly MeasuredSound[],
): number {
  const originals = rows.map((row) => made[row - sounds.length]?.of ?? row);
  return new Set(originals.map((row) => sounds[row]?.contentHash)).size;
}

function groupsOf(
  sounds: readonly MeasuredSound[],
  dim: number,
  heard: HeardSame | undefined,
): Promise<DuplicateGroup[]> {
  const vectors = new Float32Array(sounds.length * dim);
  sounds.forEach(({ vector }, i) => vectors.set(vector, i * dim));
  return findDuplicates(sounds, vectors, dim, { signal, ...(heard && { heard }) });
}

function heardIn(sounds: readonly MeasuredSound[]): HeardSame {
  const byFile = new Map(sounds.map((sound) => [sound.file, sound]));
  const excerpts = new Excerpts(
    (path) => ({
      path,
      peaks: {
        values: Float32Array.from(byFile.get(path)?.peaks ?? [], (value) => value / 127),
        perSecond: PEAKS_PER_SECOND,
      },
    }),
    { decode: decodeMono },
    signal,
  );
  return (row, other) => excerpts.same(sounds[row]?.file ?? '', sounds[other]?.file ?? '');
}
