/**
 * The bridge of a window: one named function for each call of the contract, and nothing else. `ipcRenderer` is never
 * handed out, neither are its events. Types only are imported from the contract: what is checked, the main process
 * checks, and a preload without a schema library starts sooner.
 */
import { contextBridge, ipcRenderer } from 'electron';
import type { CallOutcome } from './calls';
import type { AppCalls, Bridge, EventName } from './contract';
import type { ProfileCalls } from './profiles-contract';

/** The page's, which a preload shares; the compiler knows only Node here. */
declare const location: { hash: string };

/** Total: a call that is added to the contract and forgotten here does not compile. */
const APP_CALLS: Record<keyof AppCalls, true> = {
  version: true,
  windowKind: true,
  token: true,
  setTheme: true,
  pickFile: true,
  profileNames: true,
  switchProfile: true,
};
const PROFILE_CALLS: Record<keyof ProfileCalls, true> = {
  list: true,
  save: true,
  remove: true,
  parseUrl: true,
  test: true,
  diagnose: true,
  stopDiagnose: true,
  connect: true,
  startLocal: true,
};
const EVENT_NAMES: Record<EventName, true> = { command: true };

const call =
  (channel: string) =>
  async (...args: unknown[]): Promise<unknown> => {
    const outcome: CallOutcome = await ipcRenderer.invoke(channel, ...args);
    if (!outcome.ok) throw new Error(outcome.message);
    return outcome.value;
  };

const functions = (prefix: string, names: Record<string, true>) =>
  Object.fromEntries(Object.keys(names).map((name) => [name, call(`${prefix}${name}`)]));

/** The event itself would give the page the sender. */
function listen<Value>(channel: string, listener: (value: Value) => void): () => void {
  const forward = (_event: unknown, value: Value) => listener(value);
  ipcRenderer.on(channel, forward);
  return () => void ipcRenderer.off(channel, forward);
}

const on: Bridge['on'] = (name, listener) => {
  if (!Object.hasOwn(EVENT_NAMES, name)) throw new Error(`there is no event "${name}"`);
  return listen(`event:${name}`, listener);
};

/** A screen that a menu, a deep link or a notification leads to. */
ipcRenderer.on('navigate', (_event, hash: string) => {
  location.hash = hash;
});

contextBridge.exposeInMainWorld('millrace', {
  ...functions('app:', APP_CALLS),
  profiles: {
    ...functions('profiles:', PROFILE_CALLS),
    onDiagnose: (listener: (event: unknown) => void) => listen('profiles:diagnosed', listener),
  },
  on,
});
