/** What a window must not be able to do, whoever wrote the page, the payload or the link in it. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Page } from '@playwright/test';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BridgePage, type DesktopApp, DesktopWorld } from '../support/desktop-app';
import { waitFor } from '../support/millrace-process';

let world: DesktopWorld;
let app: DesktopApp;
let queue: Page;
let hostile: Server;
let hostileUrl: string;
/** Requests that reached the hostile server. */
const reached: string[] = [];

beforeAll(async () => {
  hostile = createServer((request, response) => {
    reached.push(request.url ?? '');
    response.setHeader('access-control-allow-origin', '*').setHeader('content-type', 'text/html').end('<h1>mine</h1>');
  });
  hostile.listen(0, '127.0.0.1');
  await new Promise((resolve) => hostile.once('listening', resolve));
  hostileUrl = `http://127.0.0.1:${(hostile.address() as AddressInfo).port}`;
  world = new DesktopWorld();
  app = await world.start();
  queue = await app.openLocalQueue();
});
afterAll(async () => {
  await world.close();
  hostile.close();
});

const windows = () => app.application.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows().length);
/** The body of an async function, as a script of the page itself: `hostile` is the address of the other server. */
const inPage = <T = unknown>(body: string): Promise<T> =>
  queue.evaluate(`(async (hostile) => {${body}})(${JSON.stringify(hostileUrl)})`);

describe('a window of a queue', () => {
  it('has no Node, no Electron, and of the desktop only the functions of the bridge', async () => {
    const seen = await inPage<{ node: string[]; bridge: [string, string][] }>(`return {
      node: ['require', 'process', 'module', 'Buffer', 'global'].filter((name) => name in globalThis),
      bridge: Object.entries(millrace).map(([name, value]) => [name, typeof value]),
    }`);
    expect(seen.node).toEqual([]);
    const kinds = new Set(seen.bridge.map(([, kind]) => kind));
    expect(kinds).toEqual(new Set(['function', 'object']));
    expect(seen.bridge.filter(([, kind]) => kind === 'object').map(([name]) => name)).toEqual(['profiles']);
    expect(seen.bridge.flat()).not.toContain('ipcRenderer');
  });

  it('opens no other window, neither by script nor by a link', async () => {
    const before = await windows();
    await inPage(`
      window.open(hostile);
      const link = Object.assign(document.createElement('a'), { href: hostile, target: '_blank' });
      document.body.append(link);
      link.click();
      link.remove();
    `);
    await settle();
    expect(await windows()).toBe(before);
    expect(reached).toEqual([]);
  });

  it('stays on its page, whatever tells it to go', async () => {
    const here = queue.url();
    for (const go of [
      'location.assign(hostile)',
      "const link = document.createElement('a'); link.href = hostile; document.body.append(link); link.click()",
      "const form = document.createElement('form'); form.action = hostile; document.body.append(form); form.submit()",
      "location.assign('file:///etc/passwd')",
      "location.assign('data:text/html,<h1>mine</h1>')",
      "location.assign('app://console/index.html')",
    ]) {
      await inPage(go);
      await settle();
      expect(queue.url()).toBe(here);
    }
    expect(reached).toEqual([]);
  });

  it('reaches no other address, neither the page nor anything else of its session', async () => {
    const answers = await inPage(`
      const opened = (target, names) => new Promise((resolve, reject) => Object.assign(target, { [names]: resolve, onerror: reject }));
      const tried = await Promise.allSettled([
        fetch(hostile),
        fetch(hostile + '/no-cors', { mode: 'no-cors' }),
        opened(Object.assign(new Image(), { src: hostile + '/image.png' }), 'onload'),
        opened(new WebSocket(hostile.replace('http', 'ws')), 'onopen'),
      ]);
      return tried.map(({ status }) => status);
    `);
    expect(answers).toEqual(['rejected', 'rejected', 'rejected', 'rejected']);
    const fromMain = await app.application.evaluate(
      ({ session }, url) => session.defaultSession.fetch(url).then(String, String),
      hostileUrl,
    );
    expect(fromMain).not.toContain('[object Response]');
    expect(reached).toEqual([]);
  });

  it('shows no frame of another page, and attaches no webview', async () => {
    await inPage(`
      const view = document.createElement('webview');
      view.setAttribute('src', hostile);
      document.body.append(Object.assign(document.createElement('iframe'), { src: hostile }), view);
    `);
    await settle();
    expect(reached).toEqual([]);
    const contents = await app.application.evaluate(({ webContents }) => webContents.getAllWebContents().length);
    expect(contents).toBe(await windows());
  });

  it('is given no permission but to write the clipboard', async () => {
    const states = await inPage<string[]>(`
      const names = ['geolocation', 'notifications', 'camera', 'microphone', 'clipboard-read', 'midi'];
      return Promise.all(names.map(async (name) => (await navigator.permissions.query({ name })).state));
    `);
    expect(new Set(states)).toEqual(new Set(['denied']));
  });

  it('shows hostile text as text', async () => {
    const api = app.apiOf(queue);
    const payload = '<img src=x onerror="globalThis.pwned = true"><script>globalThis.pwned = true</script>';
    const { id } = await api.submit({ task_type: 'nobody', queue: 'quiet', name: payload, payload: { text: payload } });
    await inPage(`location.hash = '#/tasks?id=${id}'`);
    await queue.getByText('onerror').first().waitFor();
    expect(await queue.evaluate(() => 'pwned' in globalThis)).toBe(false);
    expect(await queue.locator('img[src="x"]').count()).toBe(0);
  });

  it('hands an address to the system only from the list, and only when the user says so', async () => {
    await app.application.evaluate(({ shell }) => {
      const opened: string[] = [];
      Object.assign(globalThis, { openedAddresses: opened });
      shell.openExternal = async (address: string) => void opened.push(address);
    });
    const opened = () =>
      app.application.evaluate(() => (globalThis as unknown as { openedAddresses: string[] }).openedAddresses);
    const ask = (address: string) =>
      queue.evaluate((url) => void (globalThis as unknown as { open(url: string): unknown }).open(url), address);
    await app.answerQuestions(/^Cancel$/);
    await ask('https://redis.io/docs/');
    await expect.poll(() => app.questions()).toHaveLength(1);
    await app.answerQuestions(/^Open$/);
    for (const address of [
      'https://evil.example/',
      'http://redis.io/',
      'https://redis.io:8443/',
      'https://a@redis.io/',
      'file:///etc/passwd',
    ])
      await ask(address);
    await ask('https://redis.io/docs/');
    await expect.poll(opened).toEqual(['https://redis.io/docs/']); // the last one that was asked for, and no other
    expect(await app.questions()).toHaveLength(1);
  });
});

describe('the bridge', () => {
  it('refuses arguments that are not what the contract says', async () => {
    const refusals = await queue.evaluate(async () => {
      const { millrace } = globalThis as unknown as {
        millrace: Record<string, (...args: unknown[]) => Promise<unknown>>;
      };
      const tried = [millrace.setTheme?.('red'), millrace.pickFile?.({ kind: 'folder' }), millrace.token?.('extra')];
      return Promise.all(tried.map((call) => call?.then(() => 'answered').catch((error: Error) => error.message)));
    });
    expect(refusals).not.toContain('answered');
    for (const refusal of refusals) expect(refusal).toMatch(/Invalid|expected|Too/);
  });

  it('answers for profiles on the start page only', async () => {
    const refusal = await queue.evaluate(() =>
      (globalThis as unknown as BridgePage).millrace.profiles.list().catch((error: Error) => error.message),
    );
    expect(refusal).toBe('this page may not call the desktop');
    const names = await queue.evaluate(() => (globalThis as unknown as BridgePage).millrace.profileNames());
    expect(names).toEqual([{ id: expect.any(String), name: 'Local queue', environment: 'local', current: true }]);
  });

  it('answers no frame but the top one of the page that the window was opened on', async () => {
    // A window that we did not open, with the same preload, showing a page of its own.
    const said = await app.application.evaluate(async ({ app: self, BrowserWindow }) => {
      const preload = `${self.getAppPath()}/out/preload/preload.js`;
      const window = new BrowserWindow({ show: false, webPreferences: { preload, sandbox: true } });
      await window.loadURL('about:blank').catch(() => undefined);
      const answer: unknown = await window.webContents.executeJavaScript(
        'window.millrace.token().then(() => "answered", (error) => error.message)',
      );
      window.destroy();
      return answer;
    });
    expect(said).toBe('this page may not call the desktop');
  });
});

describe('the API behind a window', () => {
  it('refuses a page of another origin and a name that is not ours', async () => {
    const base = new URL(queue.url()).origin;
    const foreign = await fetch(`${base}/api/tasks`, { headers: { origin: hostileUrl } });
    expect(foreign.status).toBe(403);
    const nobody = await fetch(`${base}/api/tasks`, { headers: { origin: 'null' } });
    expect(nobody.status).toBe(403);
  });
});

/** What was refused leaves no trace to wait for: two turns of the page and of the main process. */
async function settle(): Promise<void> {
  await waitFor('the page to be idle', async () => {
    await inPage('await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))');
    await app.application.evaluate(() => new Promise((resolve) => setImmediate(resolve)));
    return true;
  });
}
