import type { Component } from 'svelte';
import type { ViewId } from '../command-list.ts';
import Jobs from './JobsView.svelte';
import Library from './LibraryView.svelte';
import Map from './MapView.svelte';
import Packs from './PacksView.svelte';
import Prototypes from './PrototypesView.svelte';
import Reduce from './ReduceView.svelte';
import Train from './TrainView.svelte';
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
