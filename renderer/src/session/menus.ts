/** What the menus of the right mouse button offer for tracks, prototypes and classes, wherever these are shown. */
import { searchValue } from '../../../engine/api/search-fields.ts';
import type { SoundRef } from '../../../engine/api/neighbours.ts';
import type { PrototypeInfo } from '../../../engine/api/prototypes.ts';
import type { App } from '../shell/app.svelte.ts';
import type { MenuEntry } from '../ui/menu.ts';
import { playNearest, playPrototype } from './audition.ts';
import type { LibrarySession } from './library-session.svelte.ts';
import { findSimilar } from './similar-to.ts';
import { trackActions } from './track-actions.ts';

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
    run: () => app.settings.change({ inspector: true }),
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
  return [
    { id: 'hear', title: 'Hear it sonified', icon: 'prototypes', run: () => playPrototype(session, index) },
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
  ];
}

/** Shows the prototypes of a class, with one of them chosen. */
export function showPrototypes(app: App, session: LibrarySession, name: string, index?: number): void {
  app.view = 'prototypes';
  session.studio.choose(name);
  if (index !== undefined) session.studio.currentIndex = index;
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
      run: () => {
        map.colourBy = 'label';
        map.hidden.clear();
        for (const label of labels) if (label !== name) map.hidden.add(label);
        app.view = 'map';
      },
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
