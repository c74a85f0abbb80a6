/**
 * Every command of the window, as plain data. The keymap and the `?` sheet are made from this list, and the desktop
 * shell's menu sends these ids. Keys: `Mod` is Cmd on macOS and Ctrl elsewhere.
 */
export const viewIds = [
  'welcome',
  'library',
  'map',
  'similar',
  'modulation',
  'prototypes',
  'train',
  'reduce',
  'mistakes',
  'evaluate',
  'packs',
  'jobs',
] as const;
/** Views about the application itself: at the foot of the navigation, without a number. */
export const footViewIds = ['help', 'preferences', 'about'] as const;
export type ViewId = (typeof viewIds)[number] | (typeof footViewIds)[number];

export type MenuName = 'File' | 'Edit' | 'View' | 'Playback' | 'Help';

export interface CommandInfo {
  readonly id: string;
  readonly title: string;
  readonly menu: MenuName;
  /** Keys as `KeyboardEvent.key`, with modifiers before them; the first is shown. */
  readonly keys: readonly string[];
}

export const commandList = [
  { id: 'library.open', title: 'Open folder…', menu: 'File', keys: ['Mod+O'] },
  { id: 'library.demo', title: 'Open the demo library', menu: 'File', keys: [] },
  { id: 'library.classifyFiles', title: 'Classify files…', menu: 'File', keys: ['Mod+Shift+O'] },
  { id: 'library.record', title: 'Record from the microphone…', menu: 'File', keys: ['Mod+Shift+R'] },
  { id: 'library.rescan', title: 'Rescan library', menu: 'File', keys: ['Mod+R'] },
  { id: 'library.rescanEverything', title: 'Rescan everything', menu: 'File', keys: [] },
  { id: 'library.exportTracks', title: 'Export tracks…', menu: 'File', keys: ['Mod+Shift+E'] },
  { id: 'library.backUp', title: 'Back up library', menu: 'File', keys: [] },
  { id: 'library.restore', title: 'Restore a backup…', menu: 'File', keys: [] },
  { id: 'library.carry', title: 'Move library to another computer…', menu: 'File', keys: [] },
  { id: 'library.takeIn', title: 'Take in a library of another computer…', menu: 'File', keys: [] },
  { id: 'library.close', title: 'Close library', menu: 'File', keys: [] },
  { id: 'view.preferences', title: 'Preferences', menu: 'File', keys: ['Mod+,'] },
  { id: 'edit.undo', title: 'Undo', menu: 'Edit', keys: ['Mod+Z'] },
  { id: 'edit.redo', title: 'Redo', menu: 'Edit', keys: ['Mod+Shift+Z', 'Mod+Y'] },
  { id: 'edit.search', title: 'Search tracks', menu: 'Edit', keys: ['/', 'Mod+F'] },
  { id: 'edit.findSimilar', title: 'Find similar sounds', menu: 'Edit', keys: ['Shift+S'] },
  { id: 'edit.clearSelection', title: 'Clear selection', menu: 'Edit', keys: ['Mod+Shift+A'] },
  { id: 'view.welcome', title: 'Welcome', menu: 'View', keys: ['1'] },
  { id: 'view.library', title: 'Library', menu: 'View', keys: ['2'] },
  { id: 'view.map', title: 'Map', menu: 'View', keys: ['3'] },
  { id: 'view.prototypes', title: 'Prototypes', menu: 'View', keys: ['4'] },
  { id: 'view.train', title: 'Train', menu: 'View', keys: ['5'] },
  { id: 'view.reduce', title: 'Reduce', menu: 'View', keys: ['6'] },
  { id: 'view.mistakes', title: 'Mistakes', menu: 'View', keys: ['7'] },
  { id: 'view.similar', title: 'Similar', menu: 'View', keys: ['s'] },
  { id: 'view.modulation', title: 'Modulation', menu: 'View', keys: ['o'] },
  { id: 'similar.back', title: 'Similar: back', menu: 'View', keys: ['Mod+['] },
  { id: 'similar.forward', title: 'Similar: forward', menu: 'View', keys: ['Mod+]'] },
  { id: 'view.packs', title: 'Packs', menu: 'View', keys: ['8'] },
  { id: 'view.jobs', title: 'Jobs', menu: 'View', keys: ['9'] },
  { id: 'view.evaluate', title: 'Evaluate', menu: 'View', keys: ['e'] },
  { id: 'jobs.first', title: 'Put the newest waiting job first', menu: 'View', keys: [] },
  { id: 'view.tray', title: 'Tray of files on or off', menu: 'View', keys: ['t'] },
  { id: 'view.inspector', title: 'Why inspector on or off', menu: 'View', keys: ['i'] },
  { id: 'view.spectrogram', title: 'Spectrogram on or off', menu: 'View', keys: ['g'] },
  { id: 'view.playerTools', title: 'Player tools on or off', menu: 'View', keys: ['p'] },
  { id: 'view.theme', title: 'Theme: system, light, dark', menu: 'View', keys: [] },
  { id: 'view.textLarger', title: 'Larger', menu: 'View', keys: ['Mod+=', 'Mod++'] },
  { id: 'view.textSmaller', title: 'Smaller', menu: 'View', keys: ['Mod+-'] },
  { id: 'view.textNormal', title: 'Normal size', menu: 'View', keys: ['Mod+0'] },
  { id: 'player.toggle', title: 'Play or pause', menu: 'Playback', keys: ['Space'] },
  { id: 'player.stop', title: 'Stop', menu: 'Playback', keys: ['Escape'] },
  { id: 'player.next', title: 'Next track or prototype', menu: 'Playback', keys: ['Alt+PageDown'] },
  { id: 'player.previous', title: 'Previous track or prototype', menu: 'Playback', keys: ['Alt+PageUp'] },
  { id: 'player.loop', title: 'Repeat on or off', menu: 'Playback', keys: ['r'] },
  { id: 'player.selectStart', title: 'Select from here', menu: 'Playback', keys: [','] },
  { id: 'player.selectEnd', title: 'Select up to here', menu: 'Playback', keys: ['.'] },
  { id: 'player.selectAll', title: 'Select all of the sound', menu: 'Playback', keys: [';'] },
  { id: 'player.zoomIn', title: 'Zoom into the sound', menu: 'Playback', keys: ['+', '='] },
  { id: 'player.zoomOut', title: 'Zoom out of the sound', menu: 'Playback', keys: ['-'] },
  { id: 'player.zoomAll', title: 'Show all of the sound', menu: 'Playback', keys: ['0'] },
  { id: 'player.match', title: 'Match levels on or off', menu: 'Playback', keys: ['m'] },
  { id: 'player.back', title: 'Back 1 s', menu: 'Playback', keys: ['Alt+ArrowLeft'] },
  { id: 'player.forward', title: 'Forward 1 s', menu: 'Playback', keys: ['Alt+ArrowRight'] },
  { id: 'player.backFar', title: 'Back 10 s', menu: 'Playback', keys: ['Alt+Shift+ArrowLeft'] },
  { id: 'player.forwardFar', title: 'Forward 10 s', menu: 'Playback', keys: ['Alt+Shift+ArrowRight'] },
  { id: 'player.louder', title: 'Louder', menu: 'Playback', keys: ['Alt+ArrowUp'] },
  { id: 'player.quieter', title: 'Quieter', menu: 'Playback', keys: ['Alt+ArrowDown'] },
  { id: 'player.audition', title: 'Audition on select on or off', menu: 'Playback', keys: ['a'] },
  { id: 'player.prototype', title: 'Play A: strongest prototype, sonified', menu: 'Playback', keys: ['['] },
  { id: 'player.nearest', title: 'Play B: its nearest real excerpt', menu: 'Playback', keys: [']'] },
  { id: 'help.guide', title: 'User guide', menu: 'Help', keys: ['F1'] },
  { id: 'help.shortcuts', title: 'Keyboard shortcuts', menu: 'Help', keys: ['?'] },
  { id: 'help.about', title: 'About Archetone', menu: 'Help', keys: [] },
] as const satisfies readonly CommandInfo[];

export type CommandId = (typeof commandList)[number]['id'];

/** The key of a command as Electron's menu writes it, for keys that do not get in the way of typing; else null. */
export function menuAccelerator(command: CommandInfo): string | null {
  const key = command.keys.find((candidate) => candidate.startsWith('Mod+') || /^F\d/.test(candidate));
  return key?.replace('Mod', 'CmdOrCtrl') ?? null;
}
