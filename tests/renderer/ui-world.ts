/** What views are handed, over a server that the test answers for. Needs a DOM. */
import { configure } from '@testing-library/svelte';
import { vi } from 'vitest';
import type { SessionInfo } from '#queue/contract/session';
import { Commands } from '../../src-renderer/commands.svelte';
import { Preferences } from '../../src-renderer/preferences.svelte';
import { Router } from '../../src-renderer/router.svelte';
import { Session } from '../../src-renderer/session.svelte';
import { ToastStore } from '../../src-renderer/stores/toast-store.svelte';
import type { Ui } from '../../src-renderer/ui';
import { sessionInfoOf } from '../support/wire';
import { TestTime } from './support';

// What is waited for comes at once; a machine that is busy may take its time.
configure({ asyncUtilTimeout: 10_000 });

export type Answer = { status?: number; body: unknown };
export interface Call {
  method: string;
  path: string;
  body: Record<string, unknown>;
}

/** @param info whom it talks to; the connection is live */
export function uiWorld(answer: (call: Call) => Answer, info: SessionInfo = sessionInfoOf()) {
  const time = new TestTime();
  const calls: Call[] = [];
  const preferences = new Preferences(window.localStorage, window.sessionStorage);
  const session = new Session({
    baseUrl: 'http://127.0.0.1:8000/',
    preferences,
    time,
    fetch: async (input, init) => {
      const url = new URL(String(input));
      const call: Call = {
        method: init?.method ?? 'GET',
        path: `${url.pathname}${url.search}`,
        body: init?.body ? JSON.parse(String(init.body)) : {},
      };
      calls.push(call);
      const { status = 200, body } = answer(call);
      return new Response(JSON.stringify(body), { status });
    },
    openSocket: () => ({ send: vi.fn(), close: vi.fn() }) as unknown as WebSocket,
  });
  session.connection.enter({ name: 'live' }, time.now());
  session.identity.replace(info, 0);
  const ui: Ui = {
    session,
    preferences,
    router: new Router(window),
    commands: new Commands(),
    toasts: new ToastStore(time),
    isMac: false,
    openConnections: null,
    profiles: null,
  };
  return { ui, time, calls };
}

/** As the standard has it, and jsdom has not: shown, with the focus on what asks for it, else on the first that can have it. */
export function giveDialogs(): void {
  HTMLDialogElement.prototype.showModal = function showModal() {
    this.open = true;
    const wish = [...this.querySelectorAll('button, input')].find(
      (each) => each instanceof HTMLElement && each.autofocus,
    );
    const first = wish ?? this.querySelector('button:not(:disabled), input');
    if (first instanceof HTMLElement) first.focus();
  };
}

/** Boxes of this height that never change: jsdom lays nothing out. */
export function giveLayout(heightPx = 600, widthPx = 360): void {
  vi.stubGlobal(
    'ResizeObserver',
    class {
      observe = () => undefined;
      unobserve = () => undefined;
      disconnect = () => undefined;
    },
  );
  vi.spyOn(HTMLElement.prototype, 'clientHeight', 'get').mockReturnValue(heightPx);
  vi.spyOn(HTMLElement.prototype, 'clientWidth', 'get').mockReturnValue(widthPx);
}
