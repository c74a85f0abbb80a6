import type { Component } from 'svelte';
import type { ViewId } from './command-list.ts';
import Jobs from '../jobs/JobsView.svelte';
import Library from '../library/LibraryView.svelte';
import Map from '../map/MapView.svelte';
import Packs from '../packs/PacksView.svelte';
import Prototypes from '../prototypes/PrototypesView.svelte';
import Reduce from '../reduce/ReduceView.svelte';
import Train from '../train/TrainView.svelte';
import Welcome from './WelcomeView.svelte';

export const views: Record<ViewId, Component> = {
  welcome: Welcome,
  library: Library,
  map: Map,
  prototypes: Prototypes,
  train: Train,
  reduce: Reduce,
  packs: Packs,
  jobs: Jobs,
};
