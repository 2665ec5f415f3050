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
import type { Bridge } from '#main/bridge/contract';
import { forbidCodeGeneration } from '#queue/contract/code-generation';
import App from './App.svelte';
import { Commands, Keyboard } from './commands.svelte';
import { desktopBridge } from './desktop-bridge';
import { joinDesktop, wantedProfile } from './desktop-window.svelte';
import { browserTime } from './net/browser-time';
import { followAppearance, Preferences } from './preferences.svelte';
import { Router } from './router.svelte';
import { Session } from './session.svelte';
import { ToastStore } from './stores/toast-store.svelte';
import type { Ui } from './ui';
import StartScreen from './views/connections/StartScreen.svelte';

forbidCodeGeneration();

const target = document.getElementById('app');
if (target === null) throw new Error('index.html has no element #app');

const preferences = new Preferences(localStorage, sessionStorage);
followAppearance(preferences, document.documentElement, matchMedia('(prefers-color-scheme: dark)'));
const desktop = desktopBridge();
const commands = new Commands();
const isMac = /mac/i.test(navigator.platform);
if (desktop !== null) joinDesktop(desktop, { commands, preferences });

/** A window of the desktop that shows no queue yet. */
async function showStart(bridge: Bridge, target: HTMLElement): Promise<void> {
  const api = { ...bridge.profiles, pickFile: bridge.pickFile };
  const version = await bridge.version();
  mount(StartScreen, { target, props: { api, time: browserTime, version, wanted: wantedProfile(window) } });
}

async function showConsole(target: HTMLElement): Promise<void> {
  preferences.token ??= (await desktop?.token()) ?? null; // kept nowhere: the desktop has a new one each time
  const session = new Session({
    baseUrl: new URL('./', location.href).href,
    preferences,
    time: browserTime,
    fetch: (input, init) => fetch(input, init),
    openSocket: (url, protocols) => new WebSocket(url, protocols),
  });
  const ui: Ui = {
    session,
    router: new Router(window),
    commands,
    preferences,
    toasts: new ToastStore(browserTime),
    isMac,
    openConnections: desktop === null ? null : () => void desktop.switchProfile(null),
    profiles:
      desktop === null ? null : { list: () => desktop.profileNames(), open: (id) => void desktop.switchProfile(id) },
  };
  const keyboard = new Keyboard({ commands, isMac, singleKeys: () => preferences.singleKeys, now: browserTime.now });
  addEventListener('keydown', keyboard.onkeydown);
  addEventListener('online', () => session.retryNow());
  session.start();
  mount(App, { target, props: { ui } });
}

if (desktop !== null && (await desktop.windowKind()) === 'start') await showStart(desktop, target);
else await showConsole(target);
