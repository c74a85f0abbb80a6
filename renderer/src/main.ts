import './without-eval.ts';
import { mount } from 'svelte';
import { connectEngine } from '../../engine/api/client.ts';
import './ui/app.css';
import { listenForEngine } from './shell/connection.ts';
import { App } from './shell/app.svelte.ts';
import Window from './shell/Window.svelte';

const target = document.querySelector('#app');
if (!target) throw new Error('the page has no #app');

const app = new App(window.archetone);
listenForEngine(window, (port) => {
  const client = connectEngine(port);
  port.onClose(() => app.engine.lose(client));
  void app.connected(client);
});
mount(Window, { target, props: { app } });
