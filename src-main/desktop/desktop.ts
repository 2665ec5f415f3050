/**
 * The desktop: its windows, each with the server of its target, and all that leads to them (menu, tray, notifications,
 * deep links). One window shows one target, and never another; a target has one window. The server starts before its
 * window is opened and ends after it is closed.
 */
import { join } from 'node:path';
import {
  app,
  BrowserWindow,
  dialog,
  type IpcMainInvokeEvent,
  ipcMain,
  Menu,
  Notification,
  session,
  shell,
} from 'electron';
import type { Clock } from '#queue/kernel/clock';
import type { Log } from '#queue/kernel/log';
import type { CallHandlers } from '../bridge/calls';
import { CALLS, type MenuCommand } from '../bridge/contract';
import { labelOf, PROFILE_CALLS, type ProfileCalls } from '../bridge/profiles-contract';
import { showAbout } from './about';
import { appCalls } from './app-calls';
import { registerCalls } from './bridge-calls';
import { openExternal } from './external-links';
import { FailureAlarm } from './failure-alarm';
import { menuTemplate } from './menu';
import type { OpenedWindow } from './opened-window';
import { APP_ORIGIN, isOwnPage } from './origins';
import { choiceOf, type QuitChoice, quitQuestion } from './quit-question';
import { lockContents, lockSession } from './security';
import { ServerWatch } from './server-watch';
import { type HostedServer, keyOf, type OpenServer, type Target } from './target';
import { QueueTray } from './tray';
import { keepPlace, openWindow } from './window';
import { WindowPlaces } from './window-state';

/** Workers tell what they run a few times a second: what has just begun or ended is to be counted right. */
const TOLD_WITHIN_MS = 150;

export interface DesktopDeps {
  openServer: OpenServer;
  /** Answers to the start page. */
  profiles: (desktop: Desktop) => CallHandlers<ProfileCalls, OpenedWindow>;
  version: string;
  /** Of what Millrace keeps; told in About. */
  dataDir: string;
  logsDir: string;
  preload: string;
  iconsDir: string;
  writeFile: (path: string, text: string) => void;
  clock: Clock;
  log: Log;
}

export class Desktop {
  readonly #deps: DesktopDeps;
  readonly #windows = new Map<number, OpenedWindow>();
  /** Those that have not ended yet; the window of one may be gone before. */
  readonly #servers = new Set<HostedServer>();
  readonly #opening = new Map<string, Promise<void>>();
  readonly #places: WindowPlaces;
  readonly #tray: QueueTray;
  /** A screen that was asked for before there was a window to show it. */
  #wantedScreen: string | null = null;
  #ending: Promise<void> | null = null;
  /** One question at a time. */
  #asking = false;
  #killing: Promise<void> | null = null;

  constructor(deps: DesktopDeps) {
    this.#deps = deps;
    const path = join(app.getPath('userData'), 'windows.json');
    this.#places = new WindowPlaces({ path, write: deps.writeFile, log: deps.log });
    this.#tray = new QueueTray({ iconsDir: deps.iconsDir, quit: () => void this.quit(), log: deps.log });
  }

  /** Once the app is ready. */
  start(): void {
    const { version, dataDir, logsDir, log } = this.#deps;
    const locks = {
      originFor: (contents: Electron.WebContents) => this.#ofContents(contents.id)?.origin ?? null,
      isOurs: (origin: string | null) => origin !== null && this.#origins().includes(origin),
      onExternalLink: (contents: Electron.WebContents, address: string) => {
        const opened = this.#ofContents(contents.id);
        if (opened) void openExternal(opened.window, address, opened.server?.url ?? null);
      },
      log,
    };
    lockContents(app, locks);
    lockSession(session.defaultSession, locks);
    const profiles = this.#deps.profiles(this);
    const profileNames = async (opened: OpenedWindow) =>
      (await profiles.list(opened)).profiles.map((profile) => ({
        id: profile.id,
        name: profile.name,
        environment: labelOf(profile),
        current: opened.target !== null && opened.target.key === keyOf(profile),
      }));
    const switchProfile = async (opened: OpenedWindow, id: string | null) => {
      const wanted = (await profiles.list(opened)).profiles.find((profile) => profile.id === id);
      const shown = wanted && this.#all().find(({ target }) => target?.key === keyOf(wanted));
      if (shown) show(shown.window);
      else this.openStart(id);
    };
    registerCalls(CALLS, appCalls({ version, profileNames, switchProfile }), {
      registry: ipcMain,
      prefix: 'app:',
      callerOf: (event) => this.callerOf(event),
      log,
    });
    registerCalls(PROFILE_CALLS, profiles, {
      registry: ipcMain,
      prefix: 'profiles:',
      callerOf: (event) => {
        const caller = this.callerOf(event);
        return caller?.target === null ? caller : null; // what a queue shows has no business with other connections
      },
      log,
    });
    Menu.setApplicationMenu(
      Menu.buildFromTemplate(
        menuTemplate(
          {
            go: (hash) => this.#go(this.#inFront(), hash),
            command: (name) => this.#command(name),
            connections: () => this.openStart(),
            showLogs: () => void shell.openPath(logsDir),
            about: () => void showAbout(this.#inFront()?.window ?? null, { version, dataDir }),
            apiReference: () => {
              const opened = this.#inFront();
              if (opened?.server) void openExternal(opened.window, `${opened.server.url}/docs`, opened.server.url);
            },
            quit: () => void this.quit(),
          },
          { mac: process.platform === 'darwin', devTools: !app.isPackaged },
        ),
      ),
    );
    this.#tray.start();
  }

  /** The window of a call of the bridge: only for the top frame of a window that shows its own page. */
  callerOf({ senderFrame, sender }: Pick<IpcMainInvokeEvent, 'senderFrame' | 'sender'>): OpenedWindow | null {
    const opened = this.#ofContents(sender.id);
    return isOwnPage(opened, senderFrame) ? opened : null;
  }

  /** The start page, where profiles are; there is one. @param connectTo a profile that it connects to at once */
  openStart(connectTo: string | null = null): void {
    const open = this.#all().find(({ target }) => target === null);
    const hash = connectTo === null ? '' : `#/connect/${connectTo}`;
    if (!open) {
      this.#add('start', `${APP_ORIGIN}/index.html${hash}`, APP_ORIGIN, null, null);
      return;
    }
    show(open.window);
    if (hash !== '') open.window.webContents.send('navigate', hash);
  }

  /** Opens the window of a target, or brings it to the front. @throws with a sentence where its server cannot start */
  open(target: Target): Promise<void> {
    const existing = this.#all().find((opened) => opened.target?.key === target.key);
    if (existing) {
      show(existing.window);
      return Promise.resolve();
    }
    const opening =
      this.#opening.get(target.key) ?? this.#openNew(target).finally(() => this.#opening.delete(target.key));
    this.#opening.set(target.key, opening);
    return opening;
  }

  /** A window that has led to another one and is not needed any more. */
  close(opened: OpenedWindow): void {
    void this.#end([opened]);
  }

  /** A second start of the app, or a click on its icon. */
  focus(): void {
    const opened = this.#inFront();
    if (opened) show(opened.window);
  }

  /** In the window that was used last; where there is none yet, in the first one. */
  showScreen(hash: string): void {
    const opened = this.#inFront();
    if (opened?.target) this.#go(opened, hash);
    else this.#wantedScreen = hash;
  }

  /** Asks where tasks are running. */
  async quit(): Promise<void> {
    await this.#end(this.#all());
  }

  /** Without a question: the session of the user ends, or a signal came. Resolves when nothing of ours runs. */
  async quitNow(): Promise<void> {
    this.#ending ??= this.#release(this.#all(), 'stop').then(() => this.#exit());
    await this.#ending;
  }

  /** As `quitNow`, without waiting for tasks. */
  async killNow(): Promise<void> {
    this.#killing ??= Promise.allSettled([...this.#servers].map((server) => server.stopNow())).then(() => app.exit(1));
    await this.#killing;
  }

  async #openNew(target: Target): Promise<void> {
    const server = await this.#deps.openServer(target);
    this.#servers.add(server);
    const origin = new URL(server.url).origin;
    const hash = this.#wantedScreen ?? '';
    this.#wantedScreen = null;
    const opened = this.#add(target.key, `${server.url}/${hash}`, origin, target, server);
    const watch = new ServerWatch({
      url: server.url,
      token: server.token,
      onStats: ({ failed }) => {
        opened.failed = failed;
        this.#tellTray();
        opened.alarm?.heard(failed);
      },
      clock: this.#deps.clock,
      log: this.#deps.log,
    });
    opened.watch = watch;
    opened.alarm = new FailureAlarm({
      groups: () => watch.groups(),
      show: (notice) => this.#notify(opened, notice),
      clock: this.#deps.clock,
      log: this.#deps.log,
    });
    watch.start();
    this.#tellTray();
  }

  #add(key: string, address: string, origin: string, target: Target | null, server: HostedServer | null): OpenedWindow {
    const { preload, iconsDir } = this.#deps;
    const blank = { key, origin, target, server, watch: null, alarm: null, failed: null };
    const window = openWindow({
      key,
      address,
      shows: target,
      preload,
      icon: join(iconsDir, 'icon.png'),
      devTools: !app.isPackaged,
      places: this.#places,
      onMade: (made) => this.#windows.set(made.id, { window: made, ...blank }),
    });
    const opened = this.#windows.get(window.id);
    if (opened === undefined) throw new Error('a window was not registered');
    window.on('close', (event) => {
      if (this.#ending !== null) return;
      event.preventDefault();
      void this.#end([opened]);
    });
    return opened;
  }

  /** Closes these windows and ends their servers, after a question where tasks are running. The last one ends the app. */
  async #end(windows: readonly OpenedWindow[]): Promise<void> {
    if (this.#ending !== null || this.#asking) return;
    this.#asking = true;
    const choice = await this.#ask(windows).finally(() => {
      this.#asking = false;
    });
    if (choice === 'cancel' || this.#ending !== null) return;
    const last = windows.length >= this.#windows.size;
    const released = this.#release(windows, choice);
    if (last) this.#ending = released.then(() => this.#exit());
    await (this.#ending ?? released);
  }

  async #ask(windows: readonly OpenedWindow[]): Promise<QuitChoice> {
    if (windows.some(({ server }) => server !== null)) await this.#deps.clock.sleep(TOLD_WITHIN_MS);
    const busy = windows.filter(({ server }) => (server?.runningTasks ?? 0) > 0);
    if (!busy[0]) return 'stop';
    const running = busy.reduce((sum, { server }) => sum + (server?.runningTasks ?? 0), 0);
    const names = busy.map(({ target }) => target?.name ?? '');
    show(busy[0].window);
    return choiceOf((await dialog.showMessageBox(busy[0].window, quitQuestion(running, names))).response);
  }

  /** The windows go at once; what stands behind them takes its time. */
  async #release(windows: readonly OpenedWindow[], how: 'stop' | 'leave'): Promise<void> {
    const { log } = this.#deps;
    for (const opened of windows) {
      opened.watch?.stop();
      opened.alarm?.stop();
      this.#windows.delete(opened.window.id);
      keepPlace(opened.window, opened.key, this.#places);
      opened.window.destroy();
    }
    this.#tellTray();
    // Chromium holds connections open that it never used; a server would wait for them.
    if (this.#windows.size === 0) await session.defaultSession.closeAllConnections();
    const ended = await Promise.allSettled(
      windows.map(({ server }) => (how === 'leave' ? server?.leaveWorkers() : server?.stop())),
    );
    for (const { server } of windows) if (server) this.#servers.delete(server);
    for (const outcome of ended)
      if (outcome.status === 'rejected') log.error('a server did not stop cleanly', { error: outcome.reason });
  }

  #exit(): void {
    this.#tray.stop();
    app.exit(0);
  }

  #notify(opened: OpenedWindow, { title, body }: { title: string; body: string }): void {
    const { window, target } = opened;
    if (window.isDestroyed() || window.isFocused() || !Notification.isSupported()) return; // it is on the screen already
    const notification = new Notification({ title: `${title} · ${target?.name ?? ''}`, body });
    notification.on('click', () => {
      show(window);
      this.#go(opened, '#/failures');
    });
    notification.show();
  }

  #tellTray(): void {
    this.#tray.show(
      this.#all().flatMap((opened) =>
        opened.target === null
          ? []
          : [
              {
                name: opened.target.name,
                failed: opened.failed,
                show: (hash?: string) => {
                  show(opened.window);
                  if (hash !== undefined) this.#go(opened, hash);
                },
              },
            ],
      ),
    );
  }

  #go(opened: OpenedWindow | null, hash: string): void {
    if (opened?.target) opened.window.webContents.send('navigate', hash);
  }

  #command(name: MenuCommand): void {
    this.#inFront()?.window.webContents.send('event:command', name);
  }

  /** The window with the focus, else the one that was opened last. */
  #inFront(): OpenedWindow | null {
    const focused = BrowserWindow.getFocusedWindow();
    return (focused && this.#windows.get(focused.id)) ?? this.#all().at(-1) ?? null;
  }

  #all(): OpenedWindow[] {
    return [...this.#windows.values()];
  }

  #ofContents(contentsId: number): OpenedWindow | null {
    return this.#all().find(({ window }) => !window.isDestroyed() && window.webContents.id === contentsId) ?? null;
  }

  #origins(): string[] {
    return this.#all().map(({ origin }) => origin);
  }
}

function show(window: BrowserWindow): void {
  if (window.isMinimized()) window.restore();
  window.show();
  window.focus();
}
