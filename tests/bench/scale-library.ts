/** Synthetic libraries for the benchmark of scale: tracks, tags, labels and embeddings, as an import leaves them. */
import { searchText } from '../../engine/library/search-text.ts';
import { openLibraryDatabases } from '../../engine/storage/open.ts';
import { toBlob } from '../../engine/storage/database.ts';
import { Random } from '../../models/numerics/random.ts';

export const taxonomyId = 'scale';
const dim = 256;
const windowsPerTrack = 3;
/** Groups of sound, if there are not more classes, and directions of the space in which they lie, as in the benchmark of reductions. */
const leastGroups = 200;
const inner = 16;

const pad = (n: number): string => String(n).padStart(6, '0');

/**
 * Fills the databases of a new library: `count` tracks of 3 windows of 256 numbers, 1000 artists. Up to 200 classes are drawn at
 * random; of more, each has as many tracks as the others.
 */
export function fillLibrary(libraryFolder: string, count: number, classes = 20): void {
  const groups = Math.max(leastGroups, classes);
  const db = openLibraryDatabases(libraryFolder);
  const random = new Random(1);
  const basis = random.normals(inner * dim);
  const centres = random.normals(groups * inner);
  const space = db.prepare<{ space: string }>('SELECT space FROM library').get()?.space ?? '';
  const track = db.prepare(
    `INSERT INTO tracks (id, path, file_state, content_hash, bytes, title, artist, album, genre, year, format, sample_rate,
       channels, duration_seconds, search_text, added_at)
     VALUES (?, ?, 'present', ?, 1000, ?, ?, ?, '["Rock"]', ?, 'flac', 44100, 2, ?, ?, '')`,
  );
  const label = db.prepare(
    'INSERT INTO track_labels (taxonomy_id, track_id, position, label) VALUES (?, ?, 0, ?)',
  );
  const embedding = db.prepare(
    `INSERT INTO cache.embeddings (space, track_id, content_hash, dim, count, window_index, start_seconds, window_seconds, vectors)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const indices = toBlob(Int32Array.from({ length: windowsPerTrack }, (_, i) => i));
  const starts = toBlob(Float32Array.from({ length: windowsPerTrack }, (_, i) => 4 * i));
  const seconds = toBlob(new Float32Array(windowsPerTrack).fill(4));
  const vectors = new Float32Array(windowsPerTrack * dim);
  db.transaction(() => {
    db.prepare('INSERT INTO taxonomies (id, name, source, created_at) VALUES (?, ?, ?, ?)').run([
      taxonomyId,
      'Scale',
      '{"kind":"hand"}',
      '',
    ]);
    for (let i = 0; i < count; i++) {
      const id = `track-${pad(i)}`;
      const group = classes > leastGroups ? i % classes : random.integer(groups);
      const artist = `Ärtist ${i % 1000}`;
      const title = `Title ${pad((i * 7919) % count)}`;
      const path = `disc ${i % 97}/${artist} - track ${pad(i)}.flac`;
      track.run([
        ...[id, path, `hash-${pad(i)}`, title, artist, `Album ${i % 300}`, 1960 + (i % 60), 20 + (i % 600)],
        searchText([path, title, artist, 'rock']),
      ]);
      label.run([taxonomyId, id, `class ${group % classes}`]);
      fillWindows(vectors, random, basis, centres.subarray(group * inner, (group + 1) * inner));
      embedding.run([
        ...[space, id, `hash-${pad(i)}`, dim, windowsPerTrack],
        ...[indices, starts, seconds, toBlob(vectors)],
      ]);
    }
  })();
  db.close();
}

function fillWindows(out: Float32Array, random: Random, basis: Float32Array, centre: Float32Array): void {
  const track = centre.map((value) => value + 0.4 * random.normal());
  for (let window = 0; window < windowsPerTrack; window++) {
    const place = track.map((value) => value + 0.3 * random.normal());
    for (let d = 0; d < dim; d++) {
      let sum = 0;
      for (let i = 0; i < inner; i++) sum += (place[i] ?? 0) * (basis[i * dim + d] ?? 0);
      out[window * dim + d] = sum / 4 + 0.3 * random.normal();
    }
  }
}
