import { ipcRenderer } from 'electron';

// The page runs isolated: it gets the port to the engine as a message of its own window.
ipcRenderer.on('archetone:decode', (event) => {
  window.postMessage('decode', window.location.origin, event.ports);
});
