import {
  COUNTED_BPM,
  LONGEST_MELODY_SECONDS,
  MOST_NOTES,
  SHORTEST_NOTE_SECONDS,
  type Note,
} from '../../../engine/api/melody.ts';

/** A note with a name of its own, so that it can be chosen. */
export interface RollNote extends Note {
  id: number;
}

/** Sets are replaced as a whole, and never changed. */
const setOf = (ids: Iterable<number> = []): ReadonlySet<number> => new Set(ids);

const MOST_UNDO = 200;
const DEFAULT_VELOCITY = 100;

/** The notes of a piano roll, what is chosen of them, and what can be undone. */
export class Roll {
  /** By onset. */
  notes = $state.raw<readonly RollNote[]>([]);
  selected = $state.raw<ReadonlySet<number>>(setOf());
  /** As beats are counted; {@link setTempo} sets it. */
  beatsPerMinute = $state(COUNTED_BPM);
  /** The notes have no tempo of their own. */
  counted = $state(false);
  /** Steps of the grid in a beat. */
  stepsPerBeat = $state(4);
  /** Where the keyboard writes. */
  cursor = $state.raw<{ step: number; pitch: number }>({ step: 0, pitch: 60 });
  #past = $state.raw<(readonly RollNote[])[]>([]);
  #future = $state.raw<(readonly RollNote[])[]>([]);
  #gesture: unknown = null;
  #next = 1;

  /** The tempo of the notes; null where they have none. */
  get tempo(): number | null {
    return this.counted ? null : this.beatsPerMinute;
  }

  /** @param beatsPerMinute null: beats are counted, and the notes have no tempo */
  setTempo(beatsPerMinute: number | null): void {
    this.beatsPerMinute = beatsPerMinute ?? COUNTED_BPM;
    this.counted = beatsPerMinute === null;
  }

  get canUndo(): boolean {
    return this.#past.length > 0;
  }

  get canRedo(): boolean {
    return this.#future.length > 0;
  }

  get stepSeconds(): number {
    return 60 / this.beatsPerMinute / this.stepsPerBeat;
  }

  get endSeconds(): number {
    return this.notes.reduce((end, note) => Math.max(end, note.onsetSeconds + note.durationSeconds), 0);
  }

  /** The notes as the engine takes them. */
  get plain(): Note[] {
    return this.notes.map(({ onsetSeconds, durationSeconds, midiPitch, velocity }) => ({
      ...{ onsetSeconds, durationSeconds, midiPitch, velocity },
    }));
  }

  /** The note that sounds there. */
  at(seconds: number, pitch: number): RollNote | null {
    return (
      this.notes.find(
        (note) =>
          note.midiPitch === pitch &&
          seconds >= note.onsetSeconds - 1e-6 &&
          seconds < note.onsetSeconds + note.durationSeconds - 1e-6,
      ) ?? null
    );
  }

  /** The beginning of the step of the grid that a moment lies in. */
  snapped(seconds: number): number {
    return Math.floor(seconds / this.stepSeconds + 1e-6) * this.stepSeconds;
  }

  /** @returns the new note, which is chosen; null where there is no room for it */
  add(onsetSeconds: number, midiPitch: number, durationSeconds: number, gesture?: unknown): RollNote | null {
    const onset = Math.max(0, onsetSeconds);
    const room = LONGEST_MELODY_SECONDS - onset;
    if (this.notes.length >= MOST_NOTES || room < SHORTEST_NOTE_SECONDS || midiPitch < 0 || midiPitch > 127)
      return null;
    const note: RollNote = {
      id: this.#next++,
      onsetSeconds: onset,
      durationSeconds: Math.min(room, Math.max(SHORTEST_NOTE_SECONDS, durationSeconds)),
      midiPitch,
      velocity: DEFAULT_VELOCITY,
    };
    this.#change([...this.notes, note], gesture);
    this.selected = setOf([note.id]);
    return note;
  }

  select(id: number, extend = false): void {
    const others = extend ? [...this.selected].filter((known) => known !== id) : [];
    this.selected = setOf(extend && this.selected.has(id) ? others : [...others, id]);
  }

  selectAll(): void {
    this.selected = setOf(this.notes.map(({ id }) => id));
  }

  clearSelection(): void {
    this.selected = setOf();
  }

  /** Chooses the note after, or before, the one that is chosen. */
  selectBeside(step: 1 | -1): void {
    const place = this.notes.findIndex(({ id }) => this.selected.has(id));
    const wanted = place < 0 ? (step === 1 ? 0 : this.notes.length - 1) : place + step;
    const note = this.notes[Math.max(0, Math.min(this.notes.length - 1, wanted))];
    if (note) this.selected = setOf([note.id]);
  }

  /**
   * Moves the chosen notes together, as far as all of them have room.
   * @param from the notes as they were when a drag began: what is moved is counted from there
   */
  move(seconds: number, semitones: number, gesture?: unknown, from: readonly RollNote[] = this.notes): void {
    const own = from.filter(({ id }) => this.selected.has(id));
    if (own.length === 0) return;
    const first = Math.min(...own.map(({ onsetSeconds }) => onsetSeconds));
    const end = Math.max(...own.map((note) => note.onsetSeconds + note.durationSeconds));
    const low = Math.min(...own.map(({ midiPitch }) => midiPitch));
    const high = Math.max(...own.map(({ midiPitch }) => midiPitch));
    const by = Math.max(-first, Math.min(LONGEST_MELODY_SECONDS - end, seconds));
    const up = Math.max(-low, Math.min(127 - high, semitones));
    this.#change(
      from.map((note) =>
        this.selected.has(note.id)
          ? { ...note, onsetSeconds: note.onsetSeconds + by, midiPitch: note.midiPitch + up }
          : note,
      ),
      gesture,
    );
  }

  /** Makes the chosen notes longer or shorter; none becomes shorter than a step, unless it was. */
  resize(seconds: number, gesture?: unknown, from: readonly RollNote[] = this.notes): void {
    if (this.selected.size === 0) return;
    const { stepSeconds } = this;
    this.#change(
      from.map((note) => {
        if (!this.selected.has(note.id)) return note;
        const least = Math.min(stepSeconds, note.durationSeconds);
        const most = LONGEST_MELODY_SECONDS - note.onsetSeconds;
        return {
          ...note,
          durationSeconds: Math.min(most, Math.max(least, note.durationSeconds + seconds)),
        };
      }),
      gesture,
    );
  }

  /** Makes the chosen notes louder or softer. */
  louder(by: number): void {
    if (this.selected.size === 0) return;
    this.#change(
      this.notes.map((note) =>
        this.selected.has(note.id)
          ? { ...note, velocity: Math.max(1, Math.min(127, note.velocity + by)) }
          : note,
      ),
    );
  }

  /** Removes notes; default: the chosen ones. */
  remove(ids: ReadonlySet<number> = this.selected): void {
    if (!this.notes.some(({ id }) => ids.has(id))) return;
    this.#change(this.notes.filter(({ id }) => !ids.has(id)));
    this.selected = setOf([...this.selected].filter((id) => !ids.has(id)));
  }

  /** Other notes in place of these; that, too, can be undone. */
  replace(notes: readonly Note[]): void {
    this.#change(notes.map((note) => ({ ...note, id: this.#next++ })));
    this.selected = setOf();
  }

  /** Adds notes, and chooses them; as many as there is room for. @returns how many those are */
  append(notes: readonly Note[]): number {
    const added = notes
      .slice(0, MOST_NOTES - this.notes.length)
      .map((note) => ({ ...note, id: this.#next++ }));
    this.#change([...this.notes, ...added]);
    this.selected = setOf(added.map(({ id }) => id));
    return added.length;
  }

  undo(): void {
    this.#step('past');
  }

  redo(): void {
    this.#step('future');
  }

  #step(to: 'past' | 'future'): void {
    const [from, other] = to === 'past' ? [this.#past, this.#future] : [this.#future, this.#past];
    const notes = from.at(-1);
    if (!notes) return;
    const left = from.slice(0, -1);
    const kept = [...other, this.notes];
    [this.#past, this.#future] = to === 'past' ? [left, kept] : [kept, left];
    this.#gesture = null;
    this.notes = notes;
    const ids = setOf(notes.map(({ id }) => id));
    this.selected = setOf([...this.selected].filter((id) => ids.has(id)));
  }

  /** @param gesture what is one drag is one step of the history */
  #change(notes: readonly RollNote[], gesture?: unknown): void {
    const goesOn = gesture !== undefined && gesture === this.#gesture;
    if (!goesOn) {
      this.#past = [...this.#past, this.notes].slice(-MOST_UNDO);
      this.#future = [];
    }
    this.#gesture = gesture ?? null;
    this.notes = [...notes].sort((a, b) => a.onsetSeconds - b.onsetSeconds || a.midiPitch - b.midiPitch);
  }
}
