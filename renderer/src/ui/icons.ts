/** Line drawings in a 16 × 16 box, 1.5 px strokes; a few are filled. */
export const icons = {
  home: { path: 'M2.5 7.5L8 2.5l5.5 5M4 6.5v7h8v-7M6.5 13.5v-4h3v4' },
  library: {
    path: 'M2.5 3.5h11M2.5 6.5h11M2.5 9.5h6M2.5 12.5h6M11.8 12.9V8.5l2 .8M11.8 12.6a1.3 1.3 0 1 1-2.6 0a1.3 1.3 0 0 1 2.6 0',
  },
  map: { path: 'M4 11.5h.01M6.5 7h.01M11.5 9.5h.01M9 4.5h.01M12.5 4h.01M8.5 12h.01M2 2v12h12', width: 1.9 },
  prototypes: { path: 'M8 2l1.8 3.8l4.2.5l-3.1 2.8l.8 4.1L8 11.2l-3.7 2l.8-4.1L2 6.3l4.2-.5Z' },
  train: { path: 'M2 13.5h12M2.5 3c1.5 6 4 8 11 8.2M11 8.5l2.7 2.7L11 13.5' },
  reduce: {
    path: 'M3 4h.01M6 4h.01M9 4h.01M12 4h.01M3 7h.01M6 7h.01M9 7h.01M12 7h.01M6 12.5h.01M10 12.5h.01M8 8.8v2',
    width: 1.9,
  },
  packs: { path: 'M8 1.8l5.5 3v6.4l-5.5 3l-5.5-3V4.8ZM2.7 5L8 7.8L13.3 5M8 7.8v6.2' },
  evaluate: { path: 'M2.5 2.5h11v11h-11ZM2.5 6.2h11M2.5 9.8h11M6.2 2.5v11M9.8 2.5v11' },
  jobs: { path: 'M3 4h6M3 8h10M3 12h4M11.5 4h1.5M9.5 12H13' },
  play: { path: 'M5 3v10l8-5Z', fill: true },
  pause: { path: 'M4.5 3h2.5v10H4.5ZM9 3h2.5v10H9Z', fill: true },
  previous: { path: 'M12 3v10L5.500 8ZM4 3v10' },
  next: { path: 'M4 3v10l6.500-5ZM12 3v10' },
  loop: {
    path: 'M11 2.500l2.500 2.500L11 7.500M13.500 5H5a2.500 2.500 0 0 0-2.500 2.500M5 13.500L2.500 11L5 8.500M2.500 11H11a2.500 2.500 0 0 0 2.500-2.500',
  },
  stop: { path: 'M4 4h8v8H4Z', fill: true },
  volume: { path: 'M2.5 6v4h2.5L8.5 13V3L5 6ZM11 5.8a3 3 0 0 1 0 4.4M12.8 4a5.5 5.5 0 0 1 0 8' },
  microphone: {
    path: 'M8 1.8a2 2 0 0 1 2 2v3.7a2 2 0 0 1-4 0V3.8a2 2 0 0 1 2-2M3.8 7.2a4.2 4.2 0 0 0 8.4 0M8 11.4v2.8M5.800 14.2h4.4',
  },
  spectrogram: { path: 'M2.5 13V8M5.2 13V4M8 13V6.5M10.8 13V3M13.5 13V9' },
  search: { path: 'M7 2.5a4.5 4.5 0 1 1 0 9a4.5 4.5 0 0 1 0-9M10.3 10.3L13.5 13.5' },
  close: { path: 'M4 4l8 8M12 4l-8 8' },
  check: { path: 'M3 8.5L6.5 12L13 4.5', width: 1.8 },
  cross: { path: 'M4 4l8 8M12 4l-8 8', width: 1.8 },
  warning: { path: 'M8 2.2L14.2 13H1.8ZM8 6.5v3M8 11.2h.01' },
  info: { path: 'M8 1.8a6.2 6.2 0 1 1 0 12.4a6.2 6.2 0 0 1 0-12.4M8 7.2v4M8 4.9h.01' },
  folder: { path: 'M1.8 4v8.5h12.4V5.5H8L6.5 4Z' },
  export: { path: 'M8 10V2.5M5 5l3-3l3 3M2.5 9.5v4h11v-4' },
  copy: { path: 'M5.5 5.5h8v8h-8ZM3.5 10.5h-1v-8h8v1' },
  trash: { path: 'M3 4.5h10M6.2 4.5V2.8h3.6v1.7M4.3 4.5l.6 8.9h6.2l.6-8.9M6.8 7v4M9.2 7v4' },
  undo: { path: 'M5.5 3L2.5 6l3 3M2.5 6h6.8a3.7 3.7 0 0 1 0 7.4H6' },
  redo: { path: 'M10.5 3l3 3l-3 3M13.5 6H6.7a3.7 3.7 0 0 0 0 7.4H10' },
  plus: { path: 'M8 3v10M3 8h10' },
  minus: { path: 'M3 8h10' },
  refresh: { path: 'M13.2 6.5A5.5 5.5 0 1 0 13.5 9M13.5 2.8v3.9H9.6' },
  pending: { path: 'M8 1.8a6.2 6.2 0 1 1 0 12.4a6.2 6.2 0 0 1 0-12.4M8 4.5V8l2.3 1.6' },
  missing: {
    path: 'M8 1.8a6.2 6.2 0 1 1 0 12.4a6.2 6.2 0 0 1 0-12.4M6.2 6.2a1.8 1.8 0 1 1 2.6 1.9c-.6.3-.8.6-.8 1.3M8 11.4h.01',
  },
  lasso: {
    path: 'M8 3c3.3 0 6 1.6 6 3.7S11.3 10.4 8 10.4S2 8.8 2 6.7S4.7 3 8 3M4.5 10c-1 .6-1 2 .2 2.3s1.6 1 .9 1.7',
  },
  box: {
    path: 'M2.5 2.500h2M6.5 2.500h3M11.5 2.500h2v2M13.5 6.500v3M13.5 11.500v2h-2M9.5 13.500h-3M4.5 13.500h-2v-2M2.5 9.500v-3M2.5 4.500v-2',
  },
  pan: {
    path: 'M8 2v12M2 8h12M6.3 3.700L8 2l1.7 1.700M6.3 12.300L8 14l1.7-1.700M3.7 6.300L2 8l1.7 1.700M12.3 6.300L14 8l-1.7 1.7',
  },
  fit: { path: 'M2.5 6V2.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10M6.5 6.5h3v3h-3Z' },
  similar: { path: 'M2 6c2-3.500 4-3.500 6 0s4 3.500 6 0M2 11c2-3.500 4-3.500 6 0s4 3.500 6 0' },
  playlist: { path: 'M2.5 3.500h11M2.500 7h6M2.500 10.500h6M11 7.500v5l3-2.500Z' },
  picture: { path: 'M2 3h12v10H2ZM2.500 11.500l3.500-4l3 3.500l1.500-1.500l3 2.500M10.500 6h.01' },
  modulation: {
    path: 'M1.5 8c.5-1 1-1 1.500 0s1 2.500 1.500 0S5.500 3 6 8s1 5 1.500 0S8.500 2 9 8s1 4.500 1.500 0s1-2.500 1.500 0s1 1 2.500 0',
  },
  left: { path: 'M10 4l-4 4l4 4' },
  right: { path: 'M6 4l4 4l-4 4' },
  up: { path: 'M4 10l4-4l4 4' },
  down: { path: 'M4 6l4 4l4-4' },
  question: { path: 'M5.8 6a2.3 2.3 0 1 1 3.4 2.100c-.9.5-1.2.9-1.2 1.900M8 12.800h.01' },
  settings: {
    path: 'M2 4.5h5M11 4.5h3M9 2.8a1.700 1.700 0 1 1 0 3.400a1.700 1.700 0 0 1 0-3.400M2 11.500h3M9 11.500h5M7 9.800a1.700 1.700 0 1 1 0 3.400a1.700 1.700 0 0 1 0-3.400',
  },
  pin: { path: 'M5.5 2.5h5M6.5 2.500v4L4 9.500h8L9.5 6.500v-4M8 9.500V14' },
  edit: { path: 'M10.5 3l2.5 2.500L6 12.500l-3 .5l.5-3Z' },
} as const satisfies Record<string, { path: string; fill?: boolean; width?: number }>;

export type IconName = keyof typeof icons;
