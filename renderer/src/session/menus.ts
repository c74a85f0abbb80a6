/** What the menus of the right mouse button offer for tracks, prototypes and classes, wherever these are shown. */
import { searchValue } from '../../../engine/api/search-fields.ts';
import type { SoundRef } from '../../../engine/api/neighbours.ts';
import type { Experiment, TrainRequest } from '../../../engine/api/experiments.ts';
import type { PrototypeInfo } from '../../../engine/api/prototypes.ts';
import type { App } from '../shell/app.svelte.ts';
import type { MenuEntry } from '../ui/menu.ts';
import { canSound, playNearest, playPrototype } from './audition.ts';
import type { LibrarySession } from './library-session.svelte.ts';
import { findSimilar } from './similar-to.ts';
import { trackActions } from './track-actions.ts';
import { trainDefaults } from '../train/defaults.ts';
import { joinPath, safeFolderName } from '../ui/paths.ts';

/** Rivals that a class is trained with. */
const MOST_RIVALS = 3;

/** Letters of a class that stand in the name of a file: file systems take some 250 bytes. */
const MOST_LETTERS = 80;

/** Of the selected tracks. */
export function trackEntries(app: App, session: LibrarySession): MenuEntry[][] {
  const { selection, notices } = session;
  const actions = trackActions.map((action): MenuEntry => {
    const { id, icon } = action;
    const title = id === 'play' && selection.size === 1 ? 'Play' : action.title;
    return {
      id,
      icon,
      title,
      run: () => notices.attempt(() => action.run(app, session, [...selection.ids])),
    };
  });
  const why: MenuEntry = {
    id: 'why',
    title: 'Why',
    icon: 'question',
    run: () => app.showInspector(true),
  };
  return [actions, [why]];
}

const soundOf = (experimentId: string, index: number): SoundRef => ({
  kind: 'prototype',
  experimentId,
  index,
});

/** Of a prototype of the current experiment: what can be done with it in any view. */
export function prototypeEntries(app: App, session: LibrarySession, prototype: PrototypeInfo): MenuEntry[] {
  const { index } = prototype;
  const experimentId = session.experiments.currentId;
  const silent = !canSound(session, prototype);
  return [
    {
      id: 'hear',
      title: 'Hear it sonified',
      icon: 'prototypes',
      disabled: silent,
      run: () => playPrototype(session, index),
    },
    {
      id: 'hear-nearest',
      title: 'Hear the nearest real excerpt',
      icon: 'play',
      disabled: prototype.nearest.length === 0,
      run: () => playNearest(session, index),
    },
    {
      id: 'similar',
      title: 'Find similar sounds',
      icon: 'similar',
      run: () => experimentId !== null && findSimilar(app, session, [soundOf(experimentId, index)]),
    },
    {
      id: 'modulation',
      title: 'Compare its modulations',
      icon: 'modulation',
      disabled: silent,
      run: () => {
        app.view = 'modulation';
        return session.modulation.compare({ kind: 'prototype', index });
      },
    },
    {
      id: 'save-sound',
      title: 'Save its sound…',
      icon: 'export',
      disabled: silent,
      run: () => session.notices.attempt(() => savePrototypeSound(app, session, prototype)),
    },
  ];
}

/** Shows the prototypes of a class, with one of them chosen. */
export function showPrototypes(app: App, session: LibrarySession, name: string, index?: number): void {
  app.view = 'prototypes';
  session.studio.choose(name);
  if (index === undefined) return;
  session.studio.lookThrough(session.prototypes.get(index)?.view ?? 0);
  session.studio.currentIndex = index;
}

/** Makes the sound of a prototype where needed, and writes it into a folder that the person chooses. */
async function savePrototypeSound(
  app: App,
  session: LibrarySession,
  { index, class: name, sonification }: PrototypeInfo,
): Promise<void> {
  const experimentId = session.experiments.currentId;
  const folder = experimentId === null ? null : await app.shell.chooseFolder('Where should the sound go?');
  if (experimentId === null || folder === null) return;
  const vector = { kind: 'prototype', experimentId, index } as const;
  const sound = session.sonifier.soundOf(vector, sonification) ?? (await session.sonifier.make([vector]))[0];
  if (!sound) return;
  const title = safeFolderName(`${name.slice(0, MOST_LETTERS)} prototype ${String(index + 1)}`);
  const file = joinPath(folder, `${title}.wav`);
  await session.engine.call('sonify.save', { libraryId: session.libraryId, soundId: sound.id, file });
  session.notices.add('success', 'The sound is saved.', {
    hint: file,
    action: { label: 'Show', run: () => void session.notices.attempt(() => app.shell.reveal(file)) },
  });
}

/** Classes that a class is mistaken for, or that are mistaken for it, on the test tracks; most often first. */
export function rivalsOf(experiment: Experiment | null, name: string): string[] {
  const test = experiment?.metrics.find(({ split }) => split === 'test');
  const own = experiment?.classes.indexOf(name) ?? -1;
  if (!experiment || !test || own < 0) return [];
  return experiment.classes
    .map((other, c) => ({
      other,
      mixed: c === own ? 0 : (test.confusion[own]?.[c] ?? 0) + (test.confusion[c]?.[own] ?? 0),
    }))
    .filter(({ mixed }) => mixed > 0)
    .sort((a, b) => b.mixed - a.mixed)
    .slice(0, MOST_RIVALS)
    .map(({ other }) => other);
}

/** Trains on some classes of the current taxonomy, otherwise as the current experiment was. */
async function trainOn(
  app: App,
  { taxonomies, experiments }: LibrarySession,
  chosen: Pick<TrainRequest, 'classes' | 'others'>,
): Promise<void> {
  const taxonomy = taxonomies.current;
  if (!taxonomy) return;
  const before = experiments.current?.parameters;
  const alike = before?.taxonomyId === taxonomy.id ? before : trainDefaults;
  app.view = 'train';
  await experiments.train({ ...alike, ...chosen, taxonomyId: taxonomy.id, task: 'single' });
}

/** Of a class: where its tracks, predictions and prototypes are seen, and what sounds like it. */
export function classEntries(app: App, session: LibrarySession, name: string): MenuEntry[] {
  const { tracks, map, taxonomies, experiments, prototypes } = session;
  const labels = taxonomies.current?.labels.map((label) => label.name) ?? [];
  const experimentId = experiments.currentId;
  const known = experiments.current?.classes.includes(name) ?? false;
  const own = prototypes.list.filter((prototype) => prototype.class === name);
  const search = (text: string): void => {
    tracks.narrow({});
    tracks.find(text);
    app.view = 'library';
  };
  const rivals = rivalsOf(experiments.current, name).filter((rival) => labels.includes(rival));
  const [nearest] = rivals;
  const showOnMap = (shown: readonly string[]): void => {
    map.colourBy = 'label';
    map.hidden.clear();
    for (const label of labels) if (!shown.includes(label)) map.hidden.add(label);
    app.view = 'map';
  };
  const train = (classes: string[], others: TrainRequest['others']): unknown =>
    session.notices.attempt(() => trainOn(app, session, { classes, others }));
  return [
    {
      id: 'class-tracks',
      title: 'Show its tracks in the library',
      icon: 'library',
      disabled: !labels.includes(name),
      run: () => search(`label:${searchValue(name)}`),
    },
    {
      id: 'class-predicted',
      title: 'Show what is predicted so',
      icon: 'search',
      disabled: !known,
      run: () => search(`pred:${searchValue(name)}`),
    },
    {
      id: 'class-missed',
      title: 'Show what was missed',
      icon: 'cross',
      disabled: !known || !labels.includes(name),
      run: () => search(`label:${searchValue(name)} is:wrong`),
    },
    {
      id: 'class-map',
      title: 'Show only it on the map',
      icon: 'map',
      disabled: !labels.includes(name),
      run: () => showOnMap([name]),
    },
    {
      id: 'class-compare',
      title:
        nearest === undefined ? 'Compare with its nearest rival' : `Compare with “${nearest}” on the map`,
      icon: 'map',
      disabled: nearest === undefined,
      run: () => nearest !== undefined && showOnMap([name, nearest]),
    },
    {
      id: 'class-train-rest',
      title: 'Train it against the rest',
      icon: 'train',
      disabled: labels.length < 2 || !labels.includes(name),
      run: () => train([name], 'one-class'),
    },
    {
      id: 'class-train-rivals',
      title: rivals.length === 0 ? 'Train it with its rivals' : `Train it with ${rivals.join(', ')}`,
      icon: 'train',
      disabled: rivals.length === 0,
      run: () => train([name, ...rivals], 'leave-out'),
    },
    {
      id: 'class-prototypes',
      title: 'Show its prototypes',
      icon: 'prototypes',
      disabled: own.length === 0,
      run: () => showPrototypes(app, session, name),
    },
    {
      id: 'class-similar',
      title: 'Find what sounds like its prototypes',
      icon: 'similar',
      disabled: own.length === 0,
      run: () =>
        experimentId !== null &&
        findSimilar(
          app,
          session,
          own.map(({ index }) => soundOf(experimentId, index)),
        ),
    },
  ];
}
