/** Entry of the console: makes the instances and mounts the page. */
import '@fontsource/ibm-plex-sans/latin-400.css';
import '@fontsource/ibm-plex-sans/latin-500.css';
import '@fontsource/ibm-plex-sans/latin-600.css';
import '@fontsource/ibm-plex-mono/latin-400.css';
import '@fontsource/ibm-plex-mono/latin-600.css';
import './styles/tokens.css';
import './styles/base.css';
import './styles/controls.css';
import './styles/regions.css';
import { mount } from 'svelte';
import { forbidCodeGeneration } from '#queue/contract/code-generation';
import App from './App.svelte';
import { browserTime } from './net/browser-time';
import { followTheme, Preferences } from './preferences.svelte';
import { Router } from './router.svelte';
import { Session } from './session.svelte';

forbidCodeGeneration();

const target = document.getElementById('app');
if (target === null) throw new Error('index.html has no element #app');

const preferences = new Preferences(localStorage, sessionStorage);
followTheme(preferences, document.documentElement, matchMedia('(prefers-color-scheme: dark)'));
const session = new Session({
  baseUrl: new URL('./', location.href).href,
  preferences,
  time: browserTime,
  fetch: (input, init) => fetch(input, init),
  openSocket: (url, protocols) => new WebSocket(url, protocols),
});
session.start();
addEventListener('online', () => session.retryNow());
mount(App, { target, props: { session, preferences, router: new Router(window) } });
