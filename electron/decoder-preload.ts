import { ipcRenderer } from 'electron';

// The page runs isolated: it gets the port and the address of the audio as a message of its own window.
ipcRenderer.on('archetone:decode', (event, url: unknown) => {
  if (typeof url === 'string') window.postMessage(url, window.location.origin, event.ports);
});
