import type { Component } from 'svelte';
import type { ViewId } from './command-list.ts';
import About from '../about/AboutView.svelte';
import Help from '../about/HelpView.svelte';
import Preferences from '../about/PreferencesView.svelte';
import Evaluate from '../evaluate/EvaluateView.svelte';
import Jobs from '../jobs/JobsView.svelte';
import Library from '../library/LibraryView.svelte';
import Map from '../map/MapView.svelte';
import Mistakes from '../mistakes/MistakesView.svelte';
import Modulation from '../modulation/ModulationView.svelte';
import Packs from '../packs/PacksView.svelte';
import Prototypes from '../prototypes/PrototypesView.svelte';
import Reduce from '../reduce/ReduceView.svelte';
import Similar from '../similar/SimilarView.svelte';
import Train from '../train/TrainView.svelte';
import Welcome from './WelcomeView.svelte';

export interface View {
  component: Component;
  /** Shows an open library; without one the window offers to open one. */
  ofLibrary: boolean;
}

export const views: Record<ViewId, View> = {
  welcome: { component: Welcome, ofLibrary: false },
  library: { component: Library, ofLibrary: true },
  map: { component: Map, ofLibrary: true },
  prototypes: { component: Prototypes, ofLibrary: true },
  train: { component: Train, ofLibrary: true },
  reduce: { component: Reduce, ofLibrary: true },
  mistakes: { component: Mistakes, ofLibrary: true },
  similar: { component: Similar, ofLibrary: true },
  modulation: { component: Modulation, ofLibrary: true },
  packs: { component: Packs, ofLibrary: false },
  jobs: { component: Jobs, ofLibrary: false },
  evaluate: { component: Evaluate, ofLibrary: false },
  help: { component: Help, ofLibrary: false },
  preferences: { component: Preferences, ofLibrary: false },
  about: { component: About, ofLibrary: false },
};
