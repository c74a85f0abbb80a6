/** Which sounds the demo has, which of them lie in a wrong folder, and which playlists: the same ones every time. */
import { instruments } from './instruments.mjs';
import { centroid, hertz, levelled, mixed, randomOf, samplesOf } from './synth.mjs';

export const PER_CLASS = 18;
/** Sounds that lie in a folder they do not belong to. */
const WRONG = 9;
/** Copies of the very same file: in the same folder, and in another one. */
const COPIES = { same: 3, other: 2 };
const ALBUM = 'Archetone demo, synthesised';
const COMMENT = 'Synthesised by scripts/demo-sounds of Archetone. CC0 1.0.';
const names = Object.keys(instruments);
const notes = ['C', 'C♯', 'D', 'D♯', 'E', 'F', 'F♯', 'G', 'G♯', 'A', 'A♯', 'B'];
const letters = 'ABCD';

/** What is played: everything that a sound is made from. */
function played(kind, index, of, seed) {
  const { pitches, frequencies, seconds } = instruments[kind];
  const random = randomOf(`${seed} ${kind} ${index}`);
  const [low, high] = pitches ?? frequencies;
  const share = (index + random()) / of;
  const pitch = pitches ? Math.round(low + share * (high - low)) : null;
  return {
    ...{ kind, pitch, seed: `${seed} ${kind} ${index}` },
    f0: pitch === null ? low + share * (high - low) : hertz(pitch),
    seconds: seconds[0] + random() * (seconds[1] - seconds[0]),
    loud: random(),
    build: Math.floor(random() * 4),
  };
}

/** The sound of what is played: mono, peak by loudness. */
export function rendered({ kind, f0, seconds, loud, build, seed }) {
  const random = randomOf(seed);
  return levelled(instruments[kind].make({ f0, seconds, loud, build, random }), -14 + 12 * loud);
}

const noteName = (pitch) => `${notes[pitch % 12]}${Math.floor(pitch / 12) - 1}`;

/** What the file's tags say: what it was made as, whatever folder it lies in. `samples` are those of {@link rendered}. */
export function tagsOf(sound, samples) {
  const { kind, pitch, f0, loud, build } = sound;
  return {
    title: `${kind} ${pitch === null ? `${Math.round(f0)} Hz` : noteName(pitch)}, ${loud < 0.34 ? 'soft' : loud < 0.67 ? 'medium' : 'loud'}`,
    artist: `${kind} ${letters[build]}`,
    album: ALBUM,
    genre: traitsOf(sound, samples).join('; '),
    comment: COMMENT,
  };
}

/** What can be heard in it, of which several hold at once. */
function traitsOf(sound, samples) {
  const middle = centroid(samples);
  return [
    ...instruments[sound.kind].traits,
    ...(middle > 3500 ? ['bright'] : middle < 900 ? ['dark'] : []),
    ...(sound.f0 < 200 ? ['low'] : sound.f0 > 600 && sound.pitch !== null ? ['high'] : []),
  ];
}

/** Takes `count` of a list away, at places that the seed says. */
function taken(list, count, random) {
  return Array.from({ length: count }, () => list.splice(Math.floor(random() * list.length), 1)[0]);
}

function shuffled(list, random) {
  const rest = [...list];
  return taken(rest, rest.length, random);
}

const slug = (kind) => kind.toLowerCase().replace(' ', '-');

/**
 * @returns `files`: path, what is played there, the folder it belongs to; `wrong`: paths of those that lie elsewhere;
 * `copies`: pairs of paths with the same bytes; `phrases`: path and parts; `playlists`: name and paths
 */
export function plan() {
  const random = randomOf('demo plan');
  const sounds = names.flatMap((kind) =>
    Array.from({ length: PER_CLASS }, (_, i) => played(kind, i, PER_CLASS, 'demo')),
  );
  // Who is moved or copied is drawn from all; where to, from the other kinds.
  const pool = shuffled(sounds, random);
  const elsewhere = (kind) =>
    shuffled(
      names.filter((name) => name !== kind),
      random,
    )[0];
  const moved = new Map(pool.splice(0, WRONG).map((sound) => [sound, elsewhere(sound.kind)]));
  const placed = sounds.map((sound) => ({ sound, folder: moved.get(sound) ?? sound.kind }));
  for (const sound of pool.splice(0, COPIES.same)) placed.push({ sound, folder: sound.kind });
  for (const sound of pool.splice(0, COPIES.other)) placed.push({ sound, folder: elsewhere(sound.kind) });

  const files = names.flatMap((folder) =>
    shuffled(
      placed.filter((one) => one.folder === folder),
      random,
    ).map(({ sound }, i) => ({
      ...{ sound, folder },
      path: `${folder}/${slug(folder)}-${String(i + 1).padStart(2, '0')}.ogg`,
    })),
  );
  return {
    files: [...files, ...unsorted()],
    wrong: files.filter(({ sound, folder }) => sound.kind !== folder).map(({ path }) => path),
    copies: [...bySound(files).values()]
      .filter(({ length }) => length > 1)
      .map((same) => same.map(({ path }) => path)),
    phrases: phrases(),
    playlists: playlists(files, random),
  };
}

function bySound(files) {
  const groups = new Map();
  for (const file of files) groups.set(file.sound, [...(groups.get(file.sound) ?? []), file]);
  return groups;
}

/** One of each kind that nobody has labelled yet. */
const unsorted = () =>
  names.map((kind, i) => ({
    sound: played(kind, i, names.length, 'unsorted'),
    folder: null,
    path: `unsorted-${String(i + 1).padStart(2, '0')}.ogg`,
  }));

/** Twelve seconds of three kinds after one another, four seconds each: for what is told window by window. */
const PHRASES = [
  ['Flute', 'Kick', 'Organ'],
  ['Plucked string', 'Voice', 'Snare'],
  ['Brass', 'Bell', 'Reed'],
  ['Cymbal', 'Bowed string', 'Struck bar'],
  ['Kick', 'Brass', 'Plucked string'],
  ['Organ', 'Voice', 'Bell'],
];

function phrases() {
  const steps = [0, 3, 7, 10, 12, 7, 5, 2];
  const title = (kinds) => kinds.join(', then ').toLowerCase();
  return PHRASES.map((kinds, i) => ({
    path: `phrase-${i + 1}.ogg`,
    tags: { title: title(kinds), artist: 'Several', album: ALBUM, comment: COMMENT },
    sound: () =>
      mixed(
        ...kinds.flatMap((kind, k) => {
          const { pitches, frequencies } = instruments[kind];
          const root = pitches ? Math.round(pitches[0] + 0.35 * (pitches[1] - pitches[0])) : null;
          const build = (i + k) % 4;
          return Array.from({ length: 8 }, (_, step) => {
            const f0 = root === null ? (frequencies[0] + frequencies[1]) / 2 : hertz(root + steps[step]);
            const one = { kind, f0, seconds: 0.48, loud: step % 4 === 0 ? 0.9 : 0.5, build };
            const seed = `phrase ${i} ${k} ${step}`;
            const note = rendered({ ...one, seed });
            return [note.subarray(0, samplesOf(step === 7 ? 0.49 : 0.9)), 0.7, 4 * k + step / 2];
          });
        }),
      ).subarray(0, samplesOf(12)),
  }));
}

/**
 * What someone might put together who thinks in ensembles: kinds that an embedding does not hold to be alike, so that there
 * is something to learn from the lists.
 */
const ENSEMBLES = [
  { kinds: ['Kick', 'Snare', 'Cymbal'], lists: ['Back room', 'Four on the floor', 'Half time', 'Rehearsal'] },
  { kinds: ['Organ', 'Voice', 'Bell'], lists: ['Chapel', 'Morning', 'Procession', 'Vespers'] },
  { kinds: ['Bowed string', 'Reed', 'Flute'], lists: ['Garden', 'Interlude', 'Matinee', 'Salon'] },
  { kinds: ['Brass', 'Plucked string', 'Struck bar'], lists: ['Encore', 'Fairground', 'Harbour', 'Parade'] },
];
const PLAYLIST_TRACKS = 20;

function playlists(files, random) {
  return ENSEMBLES.flatMap(({ kinds, lists }) => {
    const own = files.filter(({ sound }) => kinds.includes(sound.kind));
    return lists.map((name) => ({
      name,
      paths: shuffled(own, random)
        .slice(0, PLAYLIST_TRACKS)
        .map(({ path }) => path),
    }));
  });
}
